import { type CairnError, invalidInput, isCairnError, publicText } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import { toJson } from '@cairn/kit/store/values';
import type { BackupDriver } from '../backups/driver.ts';
import { invalid } from '../errors.ts';
import { backupById, insertBackup, updateBackup } from '../store/backups.ts';
import type { Pairs } from '../store/metadata.ts';
import type { BackupRow } from '../store/tables.ts';
import type { CinderApp } from './app.ts';
import { accountOf, type BackupFacts, refOf } from './backup-facts.ts';
import { serviceIn } from './backup-restore.ts';
import type { Caller } from './caller.ts';
import { storedBytes } from './encryption.ts';
import { claimBackupQuota } from './quota.ts';

const invalidBackup = (reason: string): CairnError => invalidInput(`Invalid backup: ${reason}`, { type: 'InvalidBackup' });

interface ImportedRecord {
  readonly id: string;
  readonly size: number;
  readonly [key: string]: unknown;
}

/** Upstream's placeholder for the volume of an imported backup, until its record says more. */
const NO_VOLUME = '00000000-0000-0000-0000-000000000000';
/** A request waits no longer for the store to say whether it has the backup. */
const LOOKED_FOR_MS = 45_000;

/** Takes a backup up again from its record, Cairn's or upstream's; it is available once the store has shown that it is there. */
export async function importRecord(app: CinderApp, caller: Caller, service: string, url: string): Promise<BackupRow> {
  const { env, options } = app.deps;
  caller.authorize('backup:backup-import');
  const record = decode(url);
  const driver = app.backups.named(service);
  const text = (key: string): string | null => (typeof record[key] === 'string' ? (record[key] as string).slice(0, 255) : null);
  const found = driver?.importedPlace({ id: record.id, container: text('container'), place: text('service_metadata') });
  const row = await env.store.write(async (tx) => {
    const { host } = await serviceIn(app, tx, null);
    if (await backupById(tx, record.id)) throw invalidBackup('Backup already exists in database.');
    const projectId = caller.ctx.projectId;
    if (projectId === undefined) throw invalidInput('A backup belongs to a project: use a token with a project scope.');
    await claimBackupQuota(tx, options.quotaDefaults, projectId, record.size);
    const metadata = pairsOrNone(record['metadata']);
    const made: BackupRow = {
      id: record.id,
      volume_id: isUuidLike(String(record['volume_id'])) ? String(record['volume_id']) : NO_VOLUME,
      snapshot_id: text('snapshot_id'),
      parent_id: text('parent_id'),
      project_id: projectId,
      user_id: caller.ctx.userId,
      name: text('display_name'),
      description: text('display_description'),
      status: 'creating',
      fail_reason: null,
      size_gb: record.size,
      container: found ? found.container : text('container'),
      availability_zone: text('availability_zone'),
      host,
      service,
      service_metadata: found ? found.place : record.id,
      object_count: 0,
      restore_volume_id: null,
      encryption_key_id: null,
      metadata: toJson(metadata),
      facts: typeof record['facts'] === 'string' && isJson(record['facts']) ? record['facts'] : '{}',
      data_timestamp_ms: timeOf(record) ?? env.clock.nowMs(),
      created_at_ms: env.clock.nowMs(),
      updated_at_ms: null,
    };
    await insertBackup(tx, made, metadata);
    return made;
  });
  await finishImport(app, caller, row, service, found && driver);
  return row;
}

async function finishImport(app: CinderApp, caller: Caller, row: BackupRow, service: string, driver: BackupDriver | undefined): Promise<void> {
  const { env } = app.deps;
  let failure: string | undefined;
  let [objects, facts] = [0, row.facts];
  if (!app.backups.named(service)) failure = `Import record failed, cannot find backup service to perform the import. Request service ${service}.`;
  else if (!driver) failure = 'The record does not say where the objects of the backup are.';
  else {
    try {
      const found = await driver.inspect(refOf(row, accountOf(caller.ctx, row)), AbortSignal.timeout(LOOKED_FOR_MS));
      objects = found.objects;
      if (found.sizeBytes > storedBytes(row.size_gb, row.encryption_key_id)) failure = 'The backup is larger than its record says.';
      if (found.facts && row.facts === '{}') {
        const { name, bootable, metadata, imageMetadata } = found.facts;
        facts = toJson({ name, bootable: bootable ? 1 : 0, metadata, imageMetadata } satisfies BackupFacts);
      }
    } catch (error) {
      const isKnown = isCairnError(error) && error.kind !== 'NotFound' && error.type !== 'BackupDamaged';
      failure = isKnown ? publicText(error) : 'The backup is not in the backup store, or is damaged.';
    }
  }
  await env.store.write(async (tx) => {
    const status = failure === undefined ? 'available' : 'error';
    await updateBackup(tx, row.id, { status, fail_reason: failure?.slice(0, 255) ?? null, object_count: objects, facts }, env.clock.nowMs(), ['creating']);
  });
}

/** Records of earlier versions have it in milliseconds, upstream's as text. */
function timeOf(record: ImportedRecord): number | undefined {
  const ms = record['data_timestamp_ms'] ?? Date.parse(String(record['data_timestamp']));
  return Number.isSafeInteger(ms) ? (ms as number) : undefined;
}

function decode(url: string): ImportedRecord {
  let record: unknown;
  try {
    record = JSON.parse(Buffer.from(url, 'base64').toString('utf8'));
  } catch {
    throw invalid("Can't parse backup record.");
  }
  if (record === null || typeof record !== 'object' || Array.isArray(record)) throw invalid("Can't decode backup record.");
  const { id, size } = record as Record<string, unknown>;
  if (id === undefined) throw invalid('Provided backup record is missing an id');
  if (size === undefined) throw invalid('Provided backup record is missing size attribute');
  if (typeof id !== 'string' || !isUuidLike(id)) throw invalid('The id of the backup record is no UUID.');
  if (!Number.isSafeInteger(size) || (size as number) < 1 || (size as number) > 2_147_483_647)
    throw invalid('The size of the backup record is no number of gigabytes.');
  return record as ImportedRecord;
}

const pairsOrNone = (value: unknown): Pairs =>
  value !== null && typeof value === 'object' && Object.entries(value).every(([key, one]) => key.length <= 255 && typeof one === 'string' && one.length <= 255)
    ? (value as Pairs)
    : {};

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
