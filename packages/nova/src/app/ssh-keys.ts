import { createHash, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { invalidInput } from '@cairn/kit/errors/errors';
import { hasControl } from '@cairn/kit/http/validation';

const generate = promisify(generateKeyPair);

/** Colon-separated hex, as ssh shows md5 fingerprints and nova keeps them. */
const colons = (hex: string): string => (hex.match(/../g) ?? []).join(':');

/** The md5 fingerprint of an OpenSSH public key. Throws InvalidInput for what is none. */
export function sshFingerprint(publicKey: string): string {
  const [type, data] = publicKey.trim().split(/\s+/);
  const refuse = (why: string): Error =>
    invalidInput(`Keypair data is invalid: failed to generate fingerprint: ${why}`, { type: 'InvalidKeypair', field: 'public_key' });
  if (type === undefined || data === undefined) throw refuse('an OpenSSH public key ("ssh-ed25519 AAAA... comment") is expected.');
  if (!/^(ssh|ecdsa|sk)-[a-z0-9@.-]+$/.test(type)) throw refuse(`${type.slice(0, 64)} is no type of OpenSSH keys.`);
  if (hasControl(publicKey.trim())) throw refuse('it must be one line without control characters.');
  const blob = Buffer.from(data, 'base64');
  // the blob repeats the type: 32-bit length, then its name
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : -1;
  if (length < 1 || length > 100 || blob.length <= 4 + length || blob.subarray(4, 4 + length).toString('latin1') !== type)
    throw refuse('its data does not fit its type.');
  return colons(createHash('md5').update(blob).digest('hex'));
}

/** The sha1 fingerprint of a PEM certificate, for Windows guests. */
export function x509Fingerprint(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint.toLowerCase();
  } catch {
    throw invalidInput('Keypair data is invalid: failed to generate X509 fingerprint. A PEM certificate is expected.', {
      type: 'InvalidKeypair',
      field: 'public_key',
    });
  }
}

/** A new RSA pair: the private key in PEM, the public one in OpenSSH's form. */
export async function newSshKey(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: 2048 });
  return {
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
    publicKey: `ssh-rsa ${rsaBlob(publicKey).toString('base64')} Generated-by-Nova`,
  };
}

/** RFC 4253, section 6.6: string "ssh-rsa", mpint e, mpint n. */
function rsaBlob(key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const string = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const mpint = (text: string | undefined): Buffer => {
    const bytes = Buffer.from(text ?? '', 'base64url');
    return string((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
  };
  return Buffer.concat([string(Buffer.from('ssh-rsa')), mpint(jwk.e), mpint(jwk.n)]);
}
