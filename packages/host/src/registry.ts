import { unavailable } from '@cairn/kit/errors/errors';
import type { HostAgent, HostEvent } from './interface/agent.ts';
import type { Hosts } from './interface/hosts.ts';

/** The hosts of one process. Agents are added when they are ready and removed when they go. */
export class HostRegistry implements Hosts {
  readonly #agents = new Map<string, HostAgent>();
  readonly #hostListeners = new Set<(agent: HostAgent) => void>();
  readonly #eventListeners = new Set<(host: string, event: HostEvent) => void>();
  readonly #unsubscribe = new Map<string, () => void>();

  add(agent: HostAgent): void {
    this.remove(agent.host);
    this.#agents.set(agent.host, agent);
    this.#unsubscribe.set(
      agent.host,
      agent.onEvent((event) => {
        for (const listener of this.#eventListeners) listener(agent.host, event);
      }),
    );
    for (const listener of this.#hostListeners) listener(agent);
  }

  remove(host: string): void {
    this.#unsubscribe.get(host)?.();
    this.#unsubscribe.delete(host);
    this.#agents.delete(host);
  }

  get(host: string): HostAgent {
    const agent = this.#agents.get(host);
    if (!agent) throw unavailable(`Host ${host} is not connected. "cairn status" shows which hosts are.`);
    return agent;
  }

  names(): readonly string[] {
    return [...this.#agents.keys()];
  }

  onHost(listener: (agent: HostAgent) => void): () => void {
    this.#hostListeners.add(listener);
    for (const agent of this.#agents.values()) listener(agent);
    return () => {
      this.#hostListeners.delete(listener);
    };
  }

  onEvent(listener: (host: string, event: HostEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => {
      this.#eventListeners.delete(listener);
    };
  }
}
