/**
 * Knows from refused calls (401) that the session has ended. A call that was made before the session became another (renewed, moved, signed in anew) says nothing
 * of this one, however late its refusal comes; nor does one that is refused while the session is becoming another, unless nothing comes of that.
 */
export class SessionEnd {
  readonly #listeners = new Set<() => void>();
  #session = 0;
  #changing = 0;
  #doubtful = false;

  /** Calls back when a call was refused because the session has ended. Returns the way to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A call begins; the function that is returned notes that it was refused. */
  begin(): () => void {
    const session = this.#session;
    return () => {
      if (session !== this.#session) return;
      if (this.#changing > 0) this.#doubtful = true;
      else this.#tell();
    };
  }

  /** The session becomes another by this, if it resolves. */
  async change<T>(change: () => Promise<T>): Promise<T> {
    this.#changing += 1;
    try {
      const value = await change();
      this.#session += 1;
      this.#doubtful = false;
      return value;
    } finally {
      this.#changing -= 1;
      if (this.#changing === 0 && this.#doubtful) {
        this.#doubtful = false;
        this.#tell();
      }
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

export const sessionEnd = new SessionEnd();
