/** A refusal of the cloud, in its own words, with what is needed to find it again in the cloud's log. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly requestId: string | undefined;
  constructor(status: number, message: string, requestId: string | undefined) {
    super(message);
    this.status = status;
    this.requestId = requestId;
  }
}

/** The words of an error body, whichever service's envelope it is: `{badRequest: {message}}`, `{error: {message}}`, `{NeutronError: {message}}`. */
export function messageOf(body: unknown, status: number): string {
  if (typeof body === 'string' && body !== '') return body.slice(0, 2_000);
  const found = wordsIn(body, 0);
  return found ?? `HTTP ${status}`;
}

function wordsIn(value: unknown, depth: number): string | undefined {
  if (value === null || typeof value !== 'object' || depth > 3) return undefined;
  const { message, detail } = value as { message?: unknown; detail?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  if (typeof detail === 'string' && detail !== '') return detail;
  for (const child of Object.values(value)) {
    const words = wordsIn(child, depth + 1);
    if (words !== undefined) return words;
  }
  return undefined;
}
