import assert from 'node:assert/strict';
import type { Context } from '@cairn/kit/context/context';
import type { TestCloud } from './cloud.ts';

/** The message of nova's fault, after checking its envelope against the status. */
export async function refusal(
  cloud: TestCloud,
  ctx: Context,
  method: string,
  url: string,
  body?: unknown,
  version?: string,
): Promise<{ readonly status: number; readonly message: string }> {
  const answer = await cloud.request(ctx, method, url, body, version);
  assert.ok(answer.status >= 400, `${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
  const [fault] = Object.values((answer.body ?? {}) as Record<string, { code: number; message: string }>);
  assert.equal(fault?.code, answer.status, JSON.stringify(answer.body));
  return { status: answer.status, message: fault?.message ?? '' };
}

/** A refusal with this status and a message that fits. */
export async function refuses(
  cloud: TestCloud,
  ctx: Context,
  call: readonly [method: string, url: string, body?: unknown, version?: string | undefined],
  status: number,
  message?: RegExp | string,
): Promise<void> {
  const got = await refusal(cloud, ctx, ...call);
  const told = `${call[0]} ${call[1]} ${JSON.stringify(call[2])}: ${got.status} ${got.message}`;
  assert.equal(got.status, status, told);
  if (typeof message === 'string') assert.equal(got.message, message, told);
  else if (message !== undefined) assert.match(got.message, message, told);
}
