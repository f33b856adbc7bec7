// `cairn serve` of the test clouds: the same, and every answer is held against the schema of its operation.
import { enableCompileCache } from 'node:module';
import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { CommonFlags } from '../../packages/cairn/src/config.ts';

enableCompileCache(join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'cairn'));
process.removeAllListeners('warning');
const { reviewAnswer } = await import('@cairn/kit/testing/answers');
const { serve } = await import('../../packages/cairn/src/commands/serve.ts');
const laterMs = Number(process.env.CAIRN_TEST_ANSWER_MS ?? 0);
if (laterMs > 0) delayAnswers(laterMs);
await serve(JSON.parse(process.argv[2] ?? '{}') as CommonFlags, { review: reviewAnswer });

/** Delays requests and answers of the console's page by up to so long each, by chance, so that they overtake each other. */
function delayAnswers(atMostMs: number): void {
  const { emit } = Server.prototype;
  const some = (): number => Math.random() * atMostMs;
  Server.prototype.emit = function (this: Server, ...all: unknown[]): boolean {
    const go = (): boolean => Reflect.apply(emit, this, all);
    const [event, request, response] = all as [unknown, IncomingMessage, ServerResponse];
    if (event !== 'request' || !/^\/console\/(api|session|region|events)/.test(request.url ?? '')) return go();
    const { end } = response;
    response.end = function (this: ServerResponse, ...last: unknown[]) {
      setTimeout(() => Reflect.apply(end, this, last), some());
      return this;
    } as typeof end;
    setTimeout(go, some());
    return true;
  } as typeof emit;
}
