/** A boolean as both engines store it. */
export const toBit = (value: boolean): 0 | 1 => (value ? 1 : 0);
/** A stored boolean; null (unknown) stays null. */
export function fromBit(value: number): boolean;
export function fromBit(value: number | null): boolean | null;
export function fromBit(value: number | null): boolean | null {
  return value === null ? null : value !== 0;
}

/** A value as JSON text for a text column. Undefined becomes null. */
export const toJson = (value: unknown): string => JSON.stringify(value ?? null);
/** The value of a JSON text column; null (no value) gives `fallback`. */
export function fromJson<T>(text: string): T;
export function fromJson<T, F>(text: string | null, fallback: F): T | F;
export function fromJson<T>(text: string | null, fallback?: unknown): unknown {
  return text === null ? fallback : (JSON.parse(text) as T);
}
