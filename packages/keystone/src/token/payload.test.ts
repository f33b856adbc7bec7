import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fernetDecrypt, fernetEncrypt, fernetKey } from './fernet.ts';
import { type Claims, packClaims, unpackClaims } from './payload.ts';

const userId = '0123456789abcdef0123456789abcdef';
const projectId = 'fedcba9876543210fedcba9876543210';
const otherId = '00112233445566778899aabbccddeeff';
const base = { userId, methods: ['password'], auditIds: ['AAECAwQFBgcICQoLDA0ODw'], expiresAtMs: 1_800_003_600_000 };

// made with upstream's own libraries: msgpack and cryptography's Fernet, with the layouts of keystone/token/token_formatters.py
const MADE: Readonly<Record<string, readonly [Claims, string]>> = {
  unscoped: [
    base,
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD7z89wY20ZMdYIv5Ujo321Mn7bczhHzMAQI1klhAPzejfkIhq4Uu-yetl_sQ7o6l2wr4bdshY4VNiOHYINiKcZ2L9fOoy4Y-in3_SoAvkjsObBx7eVJR4tD0-wneEGq_FQ',
  ],
  domain: [
    { ...base, domainId: 'default' },
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD2EBWdD1Zxio9wvYc1VK3y1RRCwQnYEuXVQKR-5Peq5I_lUobqAWl0aWudGG9cUuSk-0L5IBcljhX7l2g_rJttxBnXgfDWOjON_PyntStLspRZMiBWLR81Eey3RFsaTjsw',
  ],
  project: [
    { ...base, projectId },
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD_dw0x57ONbK4JeO4YDXq1wzCLw-hQvt9n3cr_Piaad50SnXpBCHIVUXtzIR1alZIyUWnM7krvuHLRXmWe937fZgoKIi6thcoJr8ryEFsqstX_4agUhq5otbKk9EBDSmjMDTA1YTgfYZeKtkAjHpVDY',
  ],
  rescoped: [
    { ...base, projectId, methods: ['token', 'password'], auditIds: [...base.auditIds, 'EBESExQVFhcYGRobHB0eHw'] },
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD_dw0x57ONbK4JeO4YDXq1zbtKI_FVkGPN5_MxlarQp9JVKO32qFfXTpOCXW72pK71a1zBrF961--XxVSVA66QK5Z6uulqr2s0b0Tgzp5Mn1kdy3x0z9TP-929CgY57rsuatHwbi4OGqsIomyBGTqfa_qwlz5dQuUGeY0nr0NN-E',
  ],
  trust: [
    { ...base, projectId, trustId: otherId },
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD_8lR1PKGYv8NkUwN2kt-kr92tQaBy5ydS6VDgUtJJsOB0OiqKCppTIOvGc7UvVA5HovLRjnNHcInVxGllFr1eF7-BrBkgf1_oIkhu6LGlfKMF0Lu3mIyJGb4p7esecey4l7AYoGAj1rZCj_ydp-kVaU246KXXL_PSehbwDhu-GV',
  ],
  federated: [
    { ...base, userId: 'someone@idp', methods: ['mapped'], projectId, groupIds: [projectId, 'a-group'], identityProviderId: 'idp', protocolId: 'mapped' },
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD-m-dBKYzz8e_BHjtrtBvBAe7h6U2PMAYpo9StmpNDbV45w9itkb1hxQaryWBa0kva48HLFToGxk5IgE1vLfZEFB5cydlaIU4b3x209rSU0blMFtLb94wUX-g3yiviLSvmWlKPYK2nnBsL9iCPPAS5Zygf38ar_g5ML4Xt5NBeZFJOYtcPbgpsoi1lY6C5IKlQ',
  ],
  system: [
    { ...base, system: 'all' },
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0ODzRI4ECPL7jkVaO6inBKd_OSNFRNg_8GbLBCUG9ST7n7GaZ6-p2otH1KjFIbdjsNORtw9OE32emcXMhQg-uRayjMTxl61czK5RKqNshGHwgXLK5OOB4uMnoFUIkfaNCuUA',
  ],
  'application credential': [
    { ...base, methods: ['application_credential'], projectId, applicationCredentialId: otherId },
    'gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD48tqWwNtMujGVsHV35aW2qXRpegscHfGZUW8bNbGHIX-mYd7T70zs4ZqXV6YltosBhc5HtnL29C0gi0oTQE_z8zGuSmIH53vYNkQAZHVXB9pHjlo5sJn-5M8l_fXXEbW7ydwrlWUsrqfGUCZVxNxi7YWw8WU65i-zBK-o2vrYA9',
  ],
};

for (const [name, [claims, token]] of Object.entries(MADE)) {
  test(`a token of upstream is read and written byte for byte: ${name}`, () => {
    const key = fernetKey('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');
    const plain = fernetDecrypt([key], token);
    assert.ok(plain);
    assert.equal(plain.atSec, 1_800_000_000);
    assert.deepEqual(unpackClaims(plain.data), claims);
    const iv = Buffer.from(Array.from({ length: 16 }, (_, i) => i));
    assert.equal(fernetEncrypt(key, packClaims(claims), 1_800_000_000, iv).replace(/=+$/, ''), token);
  });
}

test('a payload of an unknown version or with missing fields is refused', () => {
  for (const hex of ['93cc6301c0', '9102', '950092c3c41001', 'c0', '9500c00201c0', '950092c3a161029190']) {
    assert.throws(() => unpackClaims(Buffer.from(hex, 'hex')), RangeError, hex);
  }
});
