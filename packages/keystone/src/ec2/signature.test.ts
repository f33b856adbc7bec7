import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s3SignatureOf, type SignedRequest, signatureOf } from './signature.ts';

const SECRET = '66060af0f6b64f3d8b8e7f3a5d9c1e2b';

// made by python-keystoneclient 5.0.1, keystoneclient.contrib.ec2.utils.Ec2Signer
const MADE: readonly (readonly [SignedRequest, string])[] = [
  [
    {
      verb: 'GET',
      host: 'cloud.example:8773',
      path: '/services/Cloud',
      params: {
        Action: 'DescribeInstances',
        Timestamp: '2026-06-01T12:00:00Z',
        AWSAccessKeyId: 'access',
        'Filter.1.Name': 'tag:a b/ü*~',
        MaxResults: 5,
        DryRun: true,
        SignatureVersion: '0',
      },
      headers: {},
      bodyHash: '',
    },
    'zmTw+Txa5YLAuFJ4BX0tHZ+wSq4=',
  ],
  [
    {
      verb: 'GET',
      host: 'cloud.example:8773',
      path: '/services/Cloud',
      params: {
        Action: 'DescribeInstances',
        Timestamp: '2026-06-01T12:00:00Z',
        AWSAccessKeyId: 'access',
        'Filter.1.Name': 'tag:a b/ü*~',
        MaxResults: 5,
        DryRun: true,
        SignatureVersion: '1',
      },
      headers: {},
      bodyHash: '',
    },
    'YItOTxiqjbUYiSXYmY8hSKE7NI8=',
  ],
  [
    {
      verb: 'GET',
      host: 'cloud.example:8773',
      path: '/services/Cloud',
      params: {
        Action: 'DescribeInstances',
        Timestamp: '2026-06-01T12:00:00Z',
        AWSAccessKeyId: 'access',
        'Filter.1.Name': 'tag:a b/ü*~',
        MaxResults: 5,
        DryRun: true,
        SignatureVersion: '2',
      },
      headers: {},
      bodyHash: '',
    },
    'V8jU8Yv3dS+rbkEyCO63gc4BfxEUeoEPx+a6ly4qdPo=',
  ],
  [
    {
      verb: 'POST',
      host: 'iam.amazonaws.com',
      path: '/',
      params: {},
      headers: {
        Authorization: 'AWS4-HMAC-SHA256 Credential=access/20260601/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=x',
        'X-Amz-Date': '20260601T120000Z',
        Host: 'iam.amazonaws.com:443',
        'Content-Type': ' application/x-www-form-urlencoded; charset=utf-8',
      },
      bodyHash: 'b6359072c78d70ebee1e81adcbab4f01bf2c23245fa365ef83fe8f1f955085e2',
    },
    '5927cdab20e27cb3182a0742013013ef2dbeaef2e705dcd63a3f80d8b5929efa',
  ],
  [
    {
      verb: 'POST',
      host: 'iam.amazonaws.com',
      path: '/',
      params: {},
      headers: {
        Authorization: 'AWS4-HMAC-SHA256 Credential=access/20260601/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=x',
        'X-Amz-Date': '20260601T120000Z',
        Host: 'iam.amazonaws.com:443',
        'Content-Type': ' application/x-www-form-urlencoded; charset=utf-8',
        'User-Agent': 'Boto/2.9.2 (linux2)',
      },
      bodyHash: 'b6359072c78d70ebee1e81adcbab4f01bf2c23245fa365ef83fe8f1f955085e2',
    },
    '134cf7499cd09144d81ef65152a0d4a78bfce3982d7a8bcf3cab02d5d39b5926',
  ],
  [
    {
      verb: 'GET',
      host: 'iam.amazonaws.com',
      path: '/',
      params: { Action: 'ListUsers', Version: '2010-05-08' },
      headers: {
        Authorization: 'AWS4-HMAC-SHA256 Credential=access/20260601/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=x',
        'X-Amz-Date': '20260601T120000Z',
        Host: 'iam.amazonaws.com:443',
        'Content-Type': ' application/x-www-form-urlencoded; charset=utf-8',
      },
      bodyHash: 'b6359072c78d70ebee1e81adcbab4f01bf2c23245fa365ef83fe8f1f955085e2',
    },
    '81e69cbb5c992696cf005bbfead514f59a4b9eb6d96f48482c5f1d53abe552ec',
  ],
  [
    {
      verb: 'GET',
      host: 'iam.amazonaws.com',
      path: '/',
      params: { Action: 'ListUsers', Version: '2010-05-08' },
      headers: {
        Authorization: 'AWS4-HMAC-SHA256 Credential=access/20260601/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=x',
        'X-Amz-Date': '20260601T120000Z',
        Host: 'iam.amazonaws.com:443',
        'Content-Type': ' application/x-www-form-urlencoded; charset=utf-8',
        'User-Agent': 'Boto/2.9.2 (linux2)',
      },
      bodyHash: 'b6359072c78d70ebee1e81adcbab4f01bf2c23245fa365ef83fe8f1f955085e2',
    },
    '9c55cd9e9544ac35ad74ea56a1085949c287a04038ab0b65b61e7a438ab6b0a1',
  ],
  [
    {
      verb: 'GET',
      host: 'localhost',
      path: '/',
      params: {
        Action: 'Test',
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-SignedHeaders': 'host;x-amz-date',
        'X-Amz-Credential': 'access/20260601/us-east-1/ec2/aws4_request',
        'X-Amz-Date': '20260601T120000Z',
      },
      headers: { host: 'localhost' },
      bodyHash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    },
    '98a7c752045cd4d1938a4e1d637391f13cdd0b17276a07bb038675dcbc40c4e9',
  ],
];

test('signatures are those of the library that upstream checks with', () => {
  for (const [request, signature] of MADE) assert.equal(signatureOf(SECRET, request), signature, JSON.stringify(request));
});

test('every part of a request that is signed matters, and so does the secret', () => {
  for (const [request, signature] of MADE.slice(2)) {
    const changes: Partial<SignedRequest>[] = [
      { verb: 'DELETE' },
      { path: '/other' },
      { params: { ...request.params, 'X-Amz-Date': '20260601T120001Z', More: '1' } },
    ];
    for (const change of request.verb === 'POST' ? changes.slice(0, 2) : changes) assert.notEqual(signatureOf(SECRET, { ...request, ...change }), signature);
    assert.notEqual(signatureOf(`${SECRET}x`, request), signature);
  }
});

test('what has no known form has no signature', () => {
  const request: SignedRequest = { verb: 'GET', host: 'h', path: '/', params: {}, headers: {}, bodyHash: '' };
  assert.equal(signatureOf(SECRET, request), undefined);
  assert.equal(signatureOf(SECRET, { ...request, params: { SignatureVersion: '7' } }), undefined);
  assert.equal(signatureOf(SECRET, { ...request, headers: { Authorization: 'AWS4-HMAC-SHA256' } }), undefined);
  const other = { Authorization: 'AWS4-HMAC-SHA256 Credential=a/20260602/r/s/aws4_request, SignedHeaders=host', 'X-Amz-Date': '20260601T120000Z' };
  assert.equal(signatureOf(SECRET, { ...request, headers: other }), undefined, 'the date of the request is not that of the key');
});

// made by botocore 1.43.11, S3SigV4Auth and HmacV1Auth
const V4 = 'AWS4-HMAC-SHA256\n20260601T120000Z\n20260601/us-east-1/s3/aws4_request\nbc5ffbfcb90efeeb7493a5a37bd5d3a7c0e284d46b0acf8b047d1028a1aea9cc';
const V2 = 'PUT\n\ntext/plain\nMon, 01 Jun 2026 12:00:00 GMT\nx-amz-acl:private\n/bucket/key?acl';

test('S3 texts are signed as botocore signs them', () => {
  assert.equal(s3SignatureOf(SECRET, Buffer.from(V4)), 'ce3a2e3ea7a096fd5b51dd222a102b8527da6a71c75729174aba61dbfa2d143d');
  assert.equal(s3SignatureOf(SECRET, Buffer.from(V2)), 'GpAmaRYtiGwdabOR4oYTt+w0S8Y=');
});

test('a text of version 4 for another service, or of another form, is refused', () => {
  for (const text of [
    V4.replace('/s3/', '/ec2/'),
    V4.replace('aws4_request', 'aws5_request'),
    `${V4}\nmore`,
    V4.replace('AWS4-HMAC', 'AWS4-XMAC'),
    V4.replace('/us-east-1', ''),
  ]) {
    assert.equal(s3SignatureOf(SECRET, Buffer.from(text)), undefined, text);
  }
});
