import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isUuidLike } from '@cairn/kit/ids/ids';

/** Where the certificates of image signatures come from: the key manager of a cloud, asked by an id. */
export interface CertificateSource {
  /** The X.509 certificate of this id; undefined where there is none. */
  certificate(id: string): Promise<X509Certificate | undefined>;
}

const ENDINGS = ['.pem', '.crt', '.der', ''];

/** Certificates as files of a directory, named by their ids: `<uuid>.pem`, `.crt` or `.der`, each PEM or DER. */
export class CertificateFolder implements CertificateSource {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async certificate(id: string): Promise<X509Certificate | undefined> {
    // SECURITY: the id is a user's text; nothing but a UUID becomes part of a path
    if (!isUuidLike(id)) return undefined;
    for (const ending of ENDINGS) {
      const data = await readFile(join(this.#folder, id.toLowerCase() + ending)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
        throw error;
      });
      if (data) return new X509Certificate(data);
    }
    return undefined;
  }
}

/** A cloud without a key manager. */
export const noCertificates: CertificateSource = { certificate: async () => undefined };
