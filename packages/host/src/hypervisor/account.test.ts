import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkReachable, GUEST_GID, type GuestAccount } from './account.ts';

test('a directory that guests cannot pass is named, each time; what is not there yet is no obstacle', async (t) => {
  const account: GuestAccount = { gid: GUEST_GID, firstUid: GUEST_GID, uids: 2, groups: [] };
  const closed = await mkdtemp(join(tmpdir(), 'cairn-reach-'));
  t.after(() => rm(closed, { recursive: true }));
  await mkdir(join(closed, 'inner'));
  const path = join(closed, 'inner', 'not-there-yet', 'disk');
  const refused = { message: new RegExp(`the directory ${closed} is closed`) };
  await assert.rejects(checkReachable(account, path), refused);
  await assert.rejects(checkReachable(account, path), refused);
  await checkReachable(undefined, path);
  await chmod(closed, 0o711);
  await checkReachable(account, path);
});
