import type { HostAgent, HostEvent } from './agent.ts';

/** The hosts of the cloud by name, local or across the bus. Services get it at construction. */
export interface Hosts {
  /** Throws Unavailable when the host is not known or not connected. */
  get(host: string): HostAgent;
  names(): readonly string[];
  /** Calls back for each host that is there and each that comes. Returns the way to stop. */
  onHost(listener: (agent: HostAgent) => void): () => void;
  /** Events of every host. */
  onEvent(listener: (host: string, event: HostEvent) => void): () => void;
}
