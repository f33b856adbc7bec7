/** One of several that a field offers. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: string;
}
