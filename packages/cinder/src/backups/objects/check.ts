import { publicText } from '@cairn/kit/errors/errors';
import type { Clock } from '@cairn/kit/clock/clock';
import type { BackupOptions } from '../../options.ts';
import { drained, HttpClient, Refused } from './http.ts';
import { s3Store } from './s3.ts';
import { swiftUser } from './swift-access.ts';
import { swiftStore } from './swift.ts';

/** No backup has names that begin like this. */
const NOTHING = 'cairn-doctor/';

/** What is wrong with the object storage of backups, for the operator; undefined where it answers, or where nothing can be asked before the cloud runs. */
export async function objectStorageProblem(options: BackupOptions, clock: Clock, signal: AbortSignal): Promise<string | undefined> {
  if (options.driver === 'file') return undefined;
  const http = new HttpClient({ ...options, attempts: 1, clock });
  try {
    if (options.driver === 's3') await s3Store({ ...options, http, clock }).list(options.container, NOTHING, signal);
    else if (options.auth.mode === 'single_user')
      await swiftStore({ ...options, http, access: swiftUser(http, clock, options.auth) }).list(options.container, NOTHING, signal);
    else if (options.auth.url !== undefined) await answers(http, options.auth.url, signal);
    return undefined;
  } catch (error) {
    const detail = (error as { readonly detail?: unknown }).detail;
    return `${publicText(error)}${detail === undefined ? '' : ` (${String(detail)})`}`;
  } finally {
    http.close();
  }
}

/** A refusal is an answer, too: there is no token yet. */
async function answers(http: HttpClient, url: string, signal: AbortSignal): Promise<void> {
  try {
    await http.send(async () => ({ method: 'HEAD', url: new URL(url), headers: {} }), drained, signal);
  } catch (error) {
    if (!(error instanceof Refused) || error.status >= 500) throw error;
  }
}
