import type { LimitSpec, QosSpec } from '../../interface/fabric.ts';

/**
 * Limits as nftables rules. A limit is a bucket that holds a second's worth and the burst; what finds it empty is dropped. So it needs no queue, works
 * for both directions alike, and changes with the other rules in one transaction.
 */

/** nft's bursts are 32 bits wide. */
const MAX_BURST = 0xffff_ffff;
/** The greatest packet that the kernel hands on at once (segments of one stream together): less than that would hold such streams up for ever. */
const MIN_BURST_BYTES = 65_536;
/** Of the rate, where no burst is given (upstream's default). */
const DEFAULT_BURST = 0.8;

/** Rules that drop what is beyond the limits; `match` comes before each. */
export function limitRules(limit: LimitSpec | undefined, match = ''): readonly string[] {
  const rules: string[] = [];
  const prefix = match === '' ? '' : `${match} `;
  const { kilobitsPerSecond: kbps = 0, burstKilobits = 0, kilopacketsPerSecond: kpps = 0, burstKilopackets = 0 } = limit ?? {};
  if (kbps > 0) {
    const burst = Math.min(MAX_BURST, Math.max(MIN_BURST_BYTES, Math.round((burstKilobits || kbps * DEFAULT_BURST) * 125)));
    rules.push(`${prefix}limit rate over ${kbps * 125} bytes/second burst ${burst} bytes drop`);
  }
  if (kpps > 0)
    rules.push(
      `${prefix}limit rate over ${kpps * 1000}/second burst ${Math.min(MAX_BURST, Math.round((burstKilopackets || kpps * DEFAULT_BURST) * 1000))} packets drop`,
    );
  return rules;
}

/** Rules of the bridge family that limit and mark what a guest sends. */
export const egressRules = (qos: QosSpec | undefined): readonly string[] => [
  ...limitRules(qos?.egress),
  ...(qos?.dscp === undefined ? [] : [`ip dscp set ${qos.dscp}`, `ip6 dscp set ${qos.dscp}`]),
];

/** Rules that limit what a guest gets. */
export const ingressRules = (qos: QosSpec | undefined): readonly string[] => limitRules(qos?.ingress);
