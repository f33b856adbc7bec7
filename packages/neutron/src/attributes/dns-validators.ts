import type { Validator } from './attribute.ts';
import { string } from './validators.ts';

/** neutron_lib/api/validators/dns.py. */

const FQDN_LENGTH = 255;
const LABEL = /^([a-z0-9-]{1,63}|<project_id>|<project_name>|<user_id>|<user_name>)$/;

const dnsFormat: Validator = (value) => {
  const text = value as string;
  if (!text) return undefined;
  const trimmed = text.endsWith('.') ? text.slice(0, -1) : text;
  const labels = trimmed.split('.');
  const reason = ((): string | undefined => {
    if (trimmed.length > FQDN_LENGTH) return `'${trimmed}' exceeds the ${FQDN_LENGTH} character FQDN limit`;
    for (const label of labels) {
      if (!label) return 'Encountered an empty component';
      if (label.endsWith('-') || label.startsWith('-')) return `Name '${label}' must not start or end with a hyphen`;
      if (!LABEL.test(label)) return `Name '${label}' must be 1-63 characters long, each of which can only be alphanumeric or a hyphen`;
    }
    const top = labels.at(-1) as string;
    return labels.length > 1 && /^[0-9]+$/.test(top) ? `TLD '${top}' must not be all numeric` : undefined;
  })();
  return reason === undefined ? undefined : `'${text}' not a valid PQDN or FQDN. Reason: ${reason}`;
};

/** A port's host name. */
export const dnsHostName: Validator = (value) => dnsFormat(value);

/** A floating IP's host name: relative, with room for a domain. */
export const floatingDnsName: Validator = (value) => {
  const refusal = string()(value);
  const text = value as string;
  if (refusal || !text) return refusal;
  if (text.endsWith('.')) return `'${text}' is a FQDN. It should be a relative domain name`;
  const bad = dnsFormat(text);
  if (bad) return bad;
  return text.length > FQDN_LENGTH - 3
    ? `'${text}' contains ${text.length} characters. Adding a domain name will cause it to exceed the maximum length of a FQDN of '${FQDN_LENGTH}'`
    : undefined;
};

/** A domain: absolute, with its final dot, and room for a name. */
export const dnsDomainName: Validator = (value) => {
  const refusal = string()(value);
  const text = value as string;
  if (refusal || !text) return refusal;
  if (!text.endsWith('.')) return `'${text}' is not a FQDN`;
  const bad = dnsFormat(text);
  if (bad) return bad;
  return text.length > FQDN_LENGTH - 2
    ? `'${text}' contains ${text.length} characters. Adding a sub-domain will cause it to exceed the maximum length of a FQDN of '${FQDN_LENGTH}'`
    : undefined;
};
