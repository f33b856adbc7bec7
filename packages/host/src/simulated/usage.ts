import { USAGE_EVERY_MS, USAGE_KEPT_MS, type UsageSample } from '../interface/guests.ts';
import type { SimulatedGuest } from './machine.ts';

/** A number from 0 to 1 that is always the same for a text and a counter. */
function chance(text: string, salt: number): number {
  let hash = 2_166_136_261 ^ salt;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** Two waves of load on a level, each by its share of the processors and its length. */
const WAVES_MS = [90_000, 420_000] as const;

/**
 * What a simulated guest is said to have used since it was started. No guest runs, so the figures are made: a load of 2 to 60 % of its processors that
 * swells and falls, different for each guest and the same whenever it is asked for.
 */
export function madeUsage({ spec, startedAtMs }: Pick<SimulatedGuest, 'spec' | 'startedAtMs'>, nowMs: number): Omit<UsageSample, 'atMs'> {
  const level = 0.02 + 0.28 * chance(spec.guestId, 0);
  let cpuMs = level * (nowMs - startedAtMs);
  WAVES_MS.forEach((lengthMs, index) => {
    const swing = (level - 0.01) * (0.2 + 0.3 * chance(spec.guestId, index + 1));
    const phase = 2 * Math.PI * chance(spec.guestId, index + 10);
    const turn = (2 * Math.PI) / lengthMs;
    // the area below level + swing * sin
    cpuMs += (swing / turn) * (Math.cos(phase) - Math.cos(phase + turn * (nowMs - startedAtMs)));
  });
  return { cpuTimeNs: Math.round(cpuMs * 1e6 * spec.vcpus), memoryUsedMb: Math.floor(spec.memoryMb / 2) };
}

/** The samples that a host would have taken of it: nobody looks while nobody asks, so that a thousand hosts cost nothing. */
export function madeSamples(guest: SimulatedGuest, nowMs: number): readonly UsageSample[] {
  if (guest.state !== 'running') return [];
  const { startedAtMs } = guest;
  const first = Math.max(0, Math.ceil((nowMs - USAGE_KEPT_MS - startedAtMs) / USAGE_EVERY_MS));
  const last = Math.floor((nowMs - startedAtMs) / USAGE_EVERY_MS);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => {
    const atMs = startedAtMs + (first + index) * USAGE_EVERY_MS;
    return { atMs, ...madeUsage(guest, atMs) };
  });
}
