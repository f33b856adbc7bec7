import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** DER: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content]);
}
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Buffer[]): Buffer => der(0x31, ...parts);
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
const octets = (content: Buffer): Buffer => der(0x04, content);
const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
const tagged = (number: number, content: Buffer): Buffer => der(0xa0 | number, content);
const integer = (bytes: Buffer): Buffer => der(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);

/** An object identifier of dotted numbers. */
function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const septets = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) septets.unshift((left % 128) | 0x80);
    bytes.push(...septets);
  }
  return der(0x06, Buffer.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime after, as RFC 5280 wants. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

const pem = (label: string, content: Buffer): string =>
  `-----BEGIN ${label}-----\n${(content.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

const SHA256_RSA = sequence(oid('1.2.840.113549.1.1.11'), der(0x05));
const TEN_YEARS_MS = 3_650 * 86_400_000;

/**
 * A self-signed certificate that logs `userId` in to a Windows guest over WinRM: client authentication, with the user's principal
 * name as alternative name (nova/crypto.py, generate_winrm_x509_cert). Returns the certificate as public key.
 */
export async function newWinRmCertificate(userId: string, nowMs: number): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const { publicKey, privateKey } = await generate('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8(userId))));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const principal = tagged(0, Buffer.concat([oid('1.3.6.1.4.1.311.20.2.3'), tagged(0, utf8(`${userId}@localhost`))]));
  const extensions = sequence(sequence(oid('2.5.29.37'), octets(sequence(oid('1.3.6.1.5.5.7.3.2')))), sequence(oid('2.5.29.17'), octets(sequence(principal))));
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    SHA256_RSA,
    name,
    sequence(time(nowMs), time(nowMs + TEN_YEARS_MS)),
    name,
    createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' }),
    tagged(3, extensions),
  );
  const signature = sign('sha256', body, createPrivateKey(privateKey));
  return { privateKey, publicKey: pem('CERTIFICATE', sequence(body, SHA256_RSA, bits(signature))) };
}
