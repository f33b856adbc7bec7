/**
 * Calls to a named host and wake-ups. In-process by default; NATS core when scaled. It carries hints and calls, never truth:
 * losing every message delays and loses nothing.
 */
export interface Bus {
  /** Serves calls addressed to `host`. The handler's result is copied as JSON-like data (structured clone). */
  serve(host: string, handler: (method: string, args: readonly unknown[]) => Promise<unknown>): Promise<Served>;
  /** Calls a host. Rejects with Unavailable at once when nobody serves it, or after `timeoutMs` (default 60 000). */
  call(host: string, method: string, args: readonly unknown[], options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<unknown>;
  /** Tells every listener of `topic`. */
  publish(topic: string, message: unknown): void;
  listen(topic: string, handler: (message: unknown) => void): () => void;
  close(): Promise<void>;
}

export interface Served {
  stop(): Promise<void>;
}
