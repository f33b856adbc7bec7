import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oauthHeader, oauthRequest } from './request.ts';
import { baseUri } from './signature.ts';

const NOW_MS = 1_780_315_200_000;

// made by oauthlib 3.2.2, oauth1.Client.sign
const MADE = [
  {
    url: 'http://Cloud.Example:80/identity/v3/OS-OAUTH1/request_token',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="HMAC-SHA1", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_callback="oob", oauth_signature="MnYVGMtCePWbHGZv2I2ncQPVYyY%3D"',
  },
  {
    url: 'https://cloud.example:8443/identity/v3/OS-OAUTH1/access_token?b=2&a=x%20y&c=%C3%BC*',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="HMAC-SHA1", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_token="fedcba98765432100123456789abcdef", oauth_verifier="abcdEFGH", oauth_signature="3XuYqwUSNJKTVPa52yFGT1he86c%3D"',
  },
  {
    url: 'http://Cloud.Example:80/identity/v3/OS-OAUTH1/request_token',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="HMAC-SHA256", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_callback="oob", oauth_signature="jkf%2BY6%2FCmUHk%2F87VB6gOvRA4gyi4odY7yAd5ezTuHwk%3D"',
  },
  {
    url: 'https://cloud.example:8443/identity/v3/OS-OAUTH1/access_token?b=2&a=x%20y&c=%C3%BC*',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="HMAC-SHA256", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_token="fedcba98765432100123456789abcdef", oauth_verifier="abcdEFGH", oauth_signature="NGnOzyg2gYbIR%2F%2BZhNlUkdGN1Zu3O6vAEq82n5EJsww%3D"',
  },
  {
    url: 'http://Cloud.Example:80/identity/v3/OS-OAUTH1/request_token',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="HMAC-SHA512", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_callback="oob", oauth_signature="AXu6hIuegWukDmaXcEbSmYOUBwyFIIJpCODCJQDZcskDOD%2BFT57GgzdGvlyiyL6ou3w8EZ4FPcXRq4ct5QIXmA%3D%3D"',
  },
  {
    url: 'https://cloud.example:8443/identity/v3/OS-OAUTH1/access_token?b=2&a=x%20y&c=%C3%BC*',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="HMAC-SHA512", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_token="fedcba98765432100123456789abcdef", oauth_verifier="abcdEFGH", oauth_signature="UCwYoh%2FlUgCxhM%2B93NoEquYbMwQEhW%2Boti05IyDMo8s7emw9BIuUaYVc31hzn7Wj6KuldeWYoAQ1L2ZIxPpAQA%3D%3D"',
  },
  {
    url: 'http://Cloud.Example:80/identity/v3/OS-OAUTH1/request_token',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="PLAINTEXT", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_callback="oob", oauth_signature="consumer%2526secret%26"',
  },
  {
    url: 'https://cloud.example:8443/identity/v3/OS-OAUTH1/access_token?b=2&a=x%20y&c=%C3%BC*',
    authorization:
      'OAuth oauth_nonce="1234567890123456789", oauth_timestamp="1780315200", oauth_version="1.0", oauth_signature_method="PLAINTEXT", oauth_consumer_key="0123456789abcdef0123456789abcdef", oauth_token="fedcba98765432100123456789abcdef", oauth_verifier="abcdEFGH", oauth_signature="consumer%2526secret%26tok%2520en"',
  },
] as const;

const read = (url: string, authorization: string | undefined, nowMs = NOW_MS) => oauthRequest({ method: 'POST', url, authorization }, nowMs);

test('requests that oauthlib signed are accepted with their secrets alone', () => {
  for (const { url, authorization } of MADE) {
    const request = read(url, authorization);
    const tokenSecret = url.includes('access') ? 'tok en' : undefined;
    assert.equal(request.isSignedBy('consumer&secret', tokenSecret), true, authorization);
    assert.equal(request.isSignedBy('consumer&secret', 'other'), false);
    assert.equal(request.isSignedBy('other', tokenSecret), false);
    if (authorization.includes('PLAINTEXT')) continue;
    assert.equal(read(url.replace('/v3/', '/v3/x/'), authorization).isSignedBy('consumer&secret', tokenSecret), false);
    assert.equal(
      read(
        url.replace(/^http(s?):/, (_all, s) => (s ? 'http:' : 'https:')),
        authorization,
      ).isSignedBy('consumer&secret', tokenSecret),
      false,
    );
    assert.equal(read(`${url}${url.includes('?') ? '&' : '?'}z=1`, authorization).isSignedBy('consumer&secret', tokenSecret), false);
  }
});

test('the base address has no default port and no query, and its host is in lower case', () => {
  assert.equal(baseUri('HTTP://Host.Example:80/Path/%7E?x=1'), 'http://host.example/Path/%7E');
  assert.equal(baseUri('https://host:443'), 'https://host/');
  assert.equal(baseUri('https://host:80/a'), 'https://host:80/a');
});

test('what is missing, doubled, of a wrong form or out of time is a 400 that says so', () => {
  const { url, authorization } = MADE[0];
  for (const [changed, message] of [
    [undefined, /Authorization/],
    ['Basic abc', /Malformed authorization header/],
    ['OAuth', /Malformed authorization header/],
    ['OAuth nonsense', /Malformed authorization header/],
    ['OAuth a="b"', /Missing mandatory OAuth parameters/],
    [authorization.replace(/oauth_nonce="\d+", /, ''), /Missing mandatory OAuth parameters/],
    [authorization.replace('HMAC-SHA1', 'HMAC-MD5'), /invalid_signature_method/],
    [authorization.replace('"1.0"', '"2.0"'), /Invalid OAuth version/],
    [authorization.replace('1780315200', '178031520'), /Invalid timestamp size/],
    [authorization.replace('1780315200', '17803x5200'), /Timestamp must be an integer/],
    [authorization.replace('0123456789abcdef0123456789abcdef', 'ABC'), /Invalid client key format/],
    [authorization.replace('1234567890123456789', 'xyz'), /Invalid nonce format/],
    [authorization.replace('"oob"', '"%ff"'), /Malformed parameter/],
  ] as [string | undefined, RegExp][]) {
    assert.throws(() => read(url, changed), message, changed);
  }
  assert.throws(() => read(`${url}?oauth_token=1`, authorization), /only 1 signature type/);
  assert.throws(() => read(url, authorization, NOW_MS + 601_000), /differ from allowed by over 600 seconds/);
  assert.throws(() => read(url, authorization, NOW_MS - 601_000), /differ from allowed by over 600 seconds/);
});

test('values in quotes may hold commas and equal signs', () => {
  const header = oauthHeader('oauth  realm="a, b=c", x=y,oauth_token="t"');
  assert.deepEqual(
    [...header],
    [
      ['realm', 'a, b=c'],
      ['x', 'y'],
      ['oauth_token', 't'],
    ],
  );
});
