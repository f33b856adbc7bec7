import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { queryText, signV4 } from './aws-signature.ts';

// Amazon's own example of a signed request: GET Object of "Signature Calculations for the Authorization Header".
test('a request is signed as Amazon’s example is', () => {
  const signed = signV4(
    {
      method: 'GET',
      url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
      query: {},
      headers: { range: 'bytes=0-9' },
      bodySha256: createHash('sha256').update('').digest('hex'),
    },
    { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', region: 'us-east-1', service: 's3' },
    Date.UTC(2013, 4, 24),
  );
  assert.equal(
    signed['authorization'],
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
});

test('a query is in the order of its names, all of it encoded', () => {
  assert.equal(queryText({ prefix: 'a/b c', 'list-type': '2', marker: '' }), 'list-type=2&marker=&prefix=a%2Fb%20c');
});
