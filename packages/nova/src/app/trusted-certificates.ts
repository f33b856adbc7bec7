import { invalidInput } from '@cairn/kit/errors/errors';
import type { NovaOptions } from '../options.ts';
import type { ServerRow } from '../store/server.ts';

type ImageSignatures = NovaOptions['imageSignatures'];

/**
 * The certificates that a server is to trust for its image: those of the request, else the operator's where both verification and validation
 * are on (nova/compute/api.py, _retrieve_trusted_certs_object). Null: none.
 */
export function trustedCertificates(options: ImageSignatures, asked: readonly string[] | null | undefined): readonly string[] | null {
  if (asked?.length) return asked;
  return options.verify && options.validate && options.trusted.length > 0 ? options.trusted : null;
}

export const trustedCertificatesOf = (row: Pick<ServerRow, 'trusted_certs_json'>): readonly string[] | null =>
  row.trusted_certs_json === null ? null : (JSON.parse(row.trusted_certs_json) as readonly string[]);

/**
 * What an image's signature is checked against before a disk is made from it; `false`: it is not. Whoever trusts certificates gets the check, also
 * in a cloud that verifies nothing by itself. Throws InvalidInput where the cloud demands certificates and the server trusts none.
 */
export function signatureWish(options: ImageSignatures, row: Pick<ServerRow, 'trusted_certs_json'>): false | { readonly trusted?: readonly string[] } {
  const own = trustedCertificatesOf(row);
  const trusted = own ?? (options.validate && options.trusted.length > 0 ? options.trusted : null);
  if (trusted !== null) return { trusted };
  if (!options.verify) return false;
  if (options.validate) {
    throw invalidInput(
      'Image signature certificate validation enabled, but no trusted certificate IDs were provided. Unable to validate the certificate used to verify the image signature.',
      { type: 'CertificateValidationFailed' },
    );
  }
  return {};
}
