import { badTimestamp, pastExpiry } from '../errors.ts';

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Microseconds since the epoch of an ISO 8601 time (UTC where no zone is named); undefined for anything else. */
export function parseTimeUs(text: string): number | undefined {
  const parts = ISO.exec(text.trim());
  if (!parts) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = parts;
  const offset = zone.toUpperCase() === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.replace(':', '').slice(3) || '00'}`;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

export const parseTime = (text: string): number | undefined => {
  const us = parseTimeUs(text);
  return us === undefined ? undefined : Math.floor(us / 1000);
};

/** An `expires_at` of a request, which must be in the future. */
export function parseExpiryUs(text: string, nowMs: number): number {
  // upstream appends the zone where it is missing
  const us = parseTimeUs(/Z$/i.test(text) ? text : /[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  if (us === undefined) throw badTimestamp();
  if (us < nowMs * 1000) throw pastExpiry();
  return us;
}
