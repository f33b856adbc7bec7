import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { systemIds } from '@cairn/kit/ids/ids';
import type { Env } from '@cairn/kit/env';
import { fernetKey, newFernetKeyText } from '../token/fernet.ts';
import { createSecrets } from './secrets.ts';

const newKey = () => fernetKey(newFernetKeyText((length) => systemIds.bytes(length)));
const env = { clock: systemClock, ids: systemIds } as unknown as Env;

test('a sealed secret shows nothing, and opens for its purpose as long as its key is there', () => {
  const [old, next] = [newKey(), newKey()];
  let keys = [old];
  const secrets = createSecrets(env, { primary: () => keys[0] as typeof old, keys: () => keys });
  const sealed = secrets.seal('volume keys', 'open sesame');
  assert.equal(Buffer.from(sealed, 'base64url').includes('open sesame'), false);
  assert.notEqual(sealed, secrets.seal('volume keys', 'open sesame'));
  assert.equal(secrets.open('volume keys', sealed), 'open sesame');
  assert.throws(() => secrets.open('another purpose', sealed), /not in the repository/);
  keys = [next, old];
  assert.equal(secrets.open('volume keys', sealed), 'open sesame');
  const again = secrets.seal('volume keys', 'open sesame');
  keys = [next];
  assert.equal(secrets.open('volume keys', again), 'open sesame');
  assert.throws(() => secrets.open('volume keys', sealed), /not in the repository/);
});
