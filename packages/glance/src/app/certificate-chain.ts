import type { X509Certificate } from 'node:crypto';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { CertificateSource } from '../stores/certificates.ts';

/** More links than any chain of signers has. */
const MOST_LINKS = 20;

/**
 * Throws InvalidInput (`CertificateValidationFailed`) unless a chain of certificates leads from the one that signed an image to a root, all of
 * them in force and each but the first among `trusted`; a certificate that signed itself must be among them too (cursive, certificate_utils.py).
 * Ids of trusted certificates that there are not are passed over.
 */
export async function checkChain(source: CertificateSource, certificateId: string, trusted: readonly string[]): Promise<void> {
  const refuse = (reason: string) =>
    invalidInput(`Image signature certificate validation failed for certificate: ${certificateId}. ${reason}`, { type: 'CertificateValidationFailed' });
  const get = (id: string) => source.certificate(id).catch(() => undefined);
  const found = await Promise.all(trusted.map(get));
  const known = found.filter((certificate) => certificate !== undefined);
  let certificate = await get(certificateId);
  if (certificate === undefined) throw refuse(`Certificate not found with ID: ${certificateId}`);
  for (let links = 0; links < MOST_LINKS; links++) {
    const here: X509Certificate = certificate;
    const nowMs = Date.now();
    if (Date.parse(here.validFrom) > nowMs) throw refuse(`Certificate is not valid before: ${here.validFrom} UTC`);
    if (Date.parse(here.validTo) < nowMs) throw refuse(`Certificate is not valid after: ${here.validTo} UTC`);
    const issuer: X509Certificate | undefined = known.find((one) => issued(one, here));
    if (issuer === undefined) throw refuse('Certificate chain building failed. Could not locate the signing certificate for the base certificate.');
    if (issuer.fingerprint256 === here.fingerprint256) return;
    if (!issuer.ca) throw refuse('Certificate validation failed. The signing certificate is not a CA certificate.');
    certificate = issuer;
  }
  throw refuse('Certificate chain building failed. The chain is too long.');
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}
