import type { IncomingMessage } from 'node:http';
import type { Answer } from './exchange.ts';

/** A request that stands for another one: the console's page asks with a cookie for what the services give for a token. */
export interface Passage {
  /** The path to serve instead. */
  readonly url: string;
  /** The token to serve it with; what the request itself named is dropped in any case. */
  readonly token: string | undefined;
  /** Headers of the answer, over the service's own. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers that would hand a token to scripts, or set one. */
const WITHHELD = new Set(['x-subject-token', 'set-cookie']);
const passed = new WeakMap<IncomingMessage, Passage>();

/** Turns the request into the one that it stands for; returns the path. */
export function pass(request: IncomingMessage, passage: Passage): string {
  passed.set(request, passage);
  const { headers } = request;
  delete headers.cookie;
  if (passage.token === undefined) delete headers['x-auth-token'];
  else headers['x-auth-token'] = passage.token;
  return passage.url;
}

/** The answer as whoever asked may see it. */
export function withheld(request: IncomingMessage, answer: Answer): Answer {
  const passage = passed.get(request);
  if (passage === undefined) return answer;
  const kept = Object.entries(answer.headers).filter(([name]) => !WITHHELD.has(name.toLowerCase()) && !(name.toLowerCase() in passage.headers));
  return { ...answer, headers: { ...Object.fromEntries(kept), ...passage.headers } };
}
