import { constants, createVerify, type KeyObject, type Verify, type X509Certificate } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { CertificateSource } from '../stores/certificates.ts';
import { checkChain } from './certificate-chain.ts';

const SIGNATURE = 'img_signature';
const HASH_METHOD = 'img_signature_hash_method';
const KEY_TYPE = 'img_signature_key_type';
const CERTIFICATE = 'img_signature_certificate_uuid';

const HASHES: Readonly<Record<string, string>> = { 'SHA-224': 'sha224', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
/** Key types by upstream's names (cursive), and what Node calls such keys. */
const KEY_TYPES: Readonly<Record<string, string>> = {
  'RSA-PSS': 'rsa',
  DSA: 'dsa',
  ...Object.fromEntries(['SECT571K1', 'SECT409K1', 'SECT571R1', 'SECT409R1', 'SECP521R1', 'SECP384R1'].map((curve) => [`ECC_${curve}`, 'ec'])),
};

/** Takes data in and says at its end whether the signature is of it. */
export interface SignatureCheck {
  update(chunk: Buffer): void;
  /** Throws InvalidInput when the signature is not of the data that came. Once. */
  finish(): void;
}

const failed = (imageId: string, reason: string) =>
  invalidInput(`Signature verification failed for image ${imageId}: Signature verification for the image failed: ${reason}.`, {
    type: 'SignatureVerificationError',
  });

/** Verifies signed images: those with all four of upstream's properties. */
export class Signatures {
  readonly #source: CertificateSource;

  constructor(source: CertificateSource) {
    this.#source = source;
  }

  /**
   * A check for the data of an image that must be signed, by a certificate that one of `trusted` vouches for where they are given.
   * InvalidInput for what is not.
   */
  async required(imageId: string, properties: Readonly<Record<string, string>>, trusted: readonly string[] | undefined): Promise<SignatureCheck> {
    const missing = [CERTIFICATE, HASH_METHOD, SIGNATURE, KEY_TYPE].find((name) => properties[name] === undefined);
    if (missing !== undefined)
      throw failed(imageId, `Required image properties for signature verification do not exist. Cannot verify signature. Missing property: ${missing}`);
    const check = (await this.check(imageId, properties)) as SignatureCheck;
    if (trusted !== undefined) await checkChain(this.#source, properties[CERTIFICATE] as string, trusted);
    return check;
  }

  /** A check for an image's data; undefined where the image is not signed. InvalidInput for a signature that cannot be checked. */
  async check(imageId: string, properties: Readonly<Record<string, string>>): Promise<SignatureCheck | undefined> {
    const { [SIGNATURE]: signature, [HASH_METHOD]: hashMethod, [KEY_TYPE]: keyType, [CERTIFICATE]: certificateId } = properties;
    if (signature === undefined || hashMethod === undefined || keyType === undefined || certificateId === undefined) return undefined;
    if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(signature)) throw failed(imageId, 'The signature data was not properly encoded using base64');
    const hash = Object.hasOwn(HASHES, hashMethod) ? (HASHES[hashMethod] as string) : undefined;
    if (hash === undefined) throw failed(imageId, `Invalid signature hash method: ${hashMethod}`);
    const type = Object.hasOwn(KEY_TYPES, keyType) ? KEY_TYPES[keyType] : undefined;
    if (type === undefined) throw failed(imageId, `Invalid signature key type: ${keyType}`);
    let certificate: X509Certificate | undefined;
    try {
      certificate = await this.#source.certificate(certificateId);
    } catch {
      throw failed(imageId, `Unable to retrieve certificate with ID: ${certificateId}`);
    }
    if (!certificate) throw failed(imageId, `Certificate not found with ID: ${certificateId}`);
    const key = certificate.publicKey;
    if (key.asymmetricKeyType !== type) throw failed(imageId, `Invalid public key type for signature key type: ${keyType}`);
    const verify = createVerify(hash);
    const bytes = Buffer.from(signature, 'base64');
    return {
      update: (chunk) => void verify.update(chunk),
      finish: () => {
        if (!isValid(verify, key, hash, bytes)) throw failed(imageId, 'The signature does not match the data');
      },
    };
  }
}

function isValid(verify: Verify, key: KeyObject, hash: string, signature: Buffer): boolean {
  try {
    if (key.asymmetricKeyType !== 'rsa') return verify.verify({ key, dsaEncoding: 'der' }, signature);
    // as cursive: the longest salt that fits the key
    const hashBytes = Number(hash.slice(3)) / 8;
    const saltLength = Math.ceil(((key.asymmetricKeyDetails?.modulusLength ?? 0) - 1) / 8) - hashBytes - 2;
    return saltLength >= 0 && verify.verify({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature);
  } catch {
    return false;
  }
}

/**
 * Data on its way out, its last piece held back until the signature is known to be of all of it: a reader of data that was changed in its store never
 * gets it whole.
 */
export function checked(data: Readable, check: SignatureCheck): Readable {
  let held: Buffer | undefined;
  const gate = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      check.update(chunk);
      const before = held;
      held = chunk;
      done(null, before);
    },
    flush(done) {
      try {
        check.finish();
        done(null, held);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  data.once('error', (error) => gate.destroy(error));
  gate.once('close', () => data.destroy());
  return data.pipe(gate);
}
