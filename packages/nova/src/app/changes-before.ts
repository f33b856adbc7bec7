/**
 * The last moment that `changes-before` names. Upstream keeps times to the second, as it shows them: what changed within a second is not later than it,
 * so that a client finds a server by the very `updated` that it was shown.
 */
export const untilMs = (beforeMs: number): number => Math.floor(beforeMs / 1_000) * 1_000 + 999;
