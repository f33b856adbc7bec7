import type { MetadataReply, MetadataRequest } from '@cairn/host/interface/agent';

/** What others may ask of nova: services above it, and the composition root for the hosts. */
export interface NovaFace {
  /** Answers a guest at 169.254.169.254; the port tells which guest. For `HostCallbacks.metadata`. */
  metadata(request: MetadataRequest): Promise<MetadataReply>;
}
