import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { jwsDecode, jwsEncode } from './jws.ts';
import type { Claims } from './payload.ts';

// made by PyJWT 2.6.0 with the claims of keystone/token/providers/jws/core.py
const PUBLIC = createPublicKey(`-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaHuCV0K9iW+OLFjuJBTL/VndS7+T
3W4FfZxaIX9hsavVlcpr1oqvYMa1DWaOr1vbmNMqzA2lF+CaI/wz6iRfSg==
-----END PUBLIC KEY-----`);
const MADE =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1MSIsImlhdCI6MTc4MDMxNTIwMCwiZXhwIjoxNzgwMzE4ODAwLCJvcGVuc3RhY2tfbWV0aG9kcyI6WyJwYXNzd29yZCIsInRva2VuIl0sIm9wZW5zdGFja19hdWRpdF9pZHMiOlsiYWFhIiwiYmJiIl0sIm9wZW5zdGFja19wcm9qZWN0X2lkIjoicDEiLCJvcGVuc3RhY2tfZ3JvdXBfaWRzIjpbeyJpZCI6ImcxIn1dLCJvcGVuc3RhY2tfaWRwX2lkIjoiaWRwIiwib3BlbnN0YWNrX3Byb3RvY29sX2lkIjoibWFwcGVkIn0.IQ_0AN9myQleX_kxnkuZDz_wqgkdLXSQWFgz45bxtDD53Wof7tC18spdKYuEC2Rbs6y5uc5MAL__IKDIrJBGow';
const CLAIMS: Claims = {
  userId: 'u1',
  methods: ['password', 'token'],
  auditIds: ['aaa', 'bbb'],
  expiresAtMs: 1_780_318_800_000,
  projectId: 'p1',
  groupIds: ['g1'],
  identityProviderId: 'idp',
  protocolId: 'mapped',
};
const ISSUED_MS = 1_780_315_200_000;

test("upstream's tokens are read, and ours have the same header and claims", () => {
  assert.deepEqual(jwsDecode([PUBLIC], MADE), { claims: CLAIMS, issuedAtMs: ISSUED_MS });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ours = jwsEncode(privateKey, CLAIMS, ISSUED_MS);
  assert.deepEqual(ours.split('.').slice(0, 2), MADE.split('.').slice(0, 2));
  assert.deepEqual(jwsDecode([PUBLIC, publicKey], ours), { claims: CLAIMS, issuedAtMs: ISSUED_MS });
  assert.equal(jwsDecode([PUBLIC], ours), undefined);
  for (const scope of [
    {},
    { domainId: 'd' },
    { system: 'all' },
    { projectId: 'p', trustId: 't' },
    { projectId: 'p', accessTokenId: 'a' },
    { projectId: 'p', applicationCredentialId: 'c' },
  ]) {
    const claims: Claims = { userId: 'u', methods: [], auditIds: ['x'], expiresAtMs: 5000, ...scope };
    assert.deepEqual(jwsDecode([publicKey], jwsEncode(privateKey, claims, 1000)), { claims, issuedAtMs: 1000 });
  }
});

test('every changed character makes a token unreadable', () => {
  for (let i = 0; i < MADE.length; i++) {
    const changed = `${MADE.slice(0, i)}${MADE[i] === 'A' ? 'B' : 'A'}${MADE.slice(i + 1)}`;
    assert.equal(jwsDecode([PUBLIC], changed), undefined, `character ${i}`);
  }
});

test('no other algorithm, and none at all, is accepted', () => {
  const [, payload, signature] = MADE.split('.');
  const withHeader = (header: object, sign = signature): string => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${sign}`;
  for (const token of [
    withHeader({ alg: 'none', typ: 'JWT' }),
    withHeader({ alg: 'none', typ: 'JWT' }, ''),
    withHeader({ alg: 'HS256', typ: 'JWT' }),
    withHeader({ alg: 'ES256', crit: ['x'] }),
    '',
    'a.b.c',
    `${MADE}.`,
    `${MADE}=`,
    MADE.replace('.', ' .'),
    'x'.repeat(9000),
  ]) {
    assert.equal(jwsDecode([PUBLIC], token), undefined, token);
  }
});
