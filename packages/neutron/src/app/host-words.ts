import type { HostEvent } from '@cairn/host/interface/agent';
import type { NeutronApp } from './deps.ts';

type Kind = HostEvent['kind'];
type Word<K extends Kind> = Extract<HostEvent, { kind: K }>;

/** What is done with the words of hosts that are of one kind. */
export interface Listening<K extends Kind> {
  readonly kind: K;
  take(host: string, word: Word<K>): Promise<void>;
  /** What the log says of a word that could not be taken, beside the host. */
  failure(word: Word<K>): { readonly message: string; readonly about?: object };
}

/** Takes what hosts tell in the order in which they tell it, one after the other. What cannot be taken is logged, and holds nothing up. */
export class HostWords<K extends Kind> {
  readonly #app: NeutronApp;
  readonly #listening: Listening<K>;
  #stop: () => void = () => undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(app: NeutronApp, listening: Listening<K>) {
    this.#app = app;
    this.#listening = listening;
  }

  start(): void {
    this.#stop = this.#app.hosts.onEvent((host, event) => {
      if (this.#isMine(event)) this.take(host, event);
    });
  }

  /** Resolves when what was taken until now is done. */
  async stop(): Promise<void> {
    this.#stop();
    await this.#working;
  }

  take(host: string, word: Word<K>): void {
    this.#working = this.#working
      .then(() => this.#listening.take(host, word))
      .catch((err: unknown) => {
        const { message, about } = this.#listening.failure(word);
        this.#app.env.log.error({ err, host, ...about }, message);
      });
  }

  #isMine(event: HostEvent): event is Word<K> {
    return event.kind === this.#listening.kind;
  }
}
