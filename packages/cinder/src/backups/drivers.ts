import { conflict, unavailable } from '@cairn/kit/errors/errors';
import type { CinderDeps } from '../app/deps.ts';
import type { BackupDriver } from './driver.ts';
import { fileBackups } from './file-driver.ts';
import { s3Backups } from './objects/s3-driver.ts';
import { swiftBackups } from './objects/swift-driver.ts';

/** The drivers of this cloud: what new backups are made with, and what knows those that were made before. */
export class BackupDrivers {
  /** undefined where the cloud has no place for backups. */
  readonly chosen: BackupDriver | undefined;
  readonly #known: readonly BackupDriver[];

  constructor(deps: CinderDeps) {
    // the crash suites ask for names of sagas alone
    const { backupsDir, backups } = deps.options ?? {};
    const files = backupsDir === undefined ? undefined : fileBackups(backupsDir);
    const objects = backups?.driver === 'swift' ? swiftBackups(deps, backups) : backups?.driver === 's3' ? s3Backups(deps, backups) : undefined;
    this.chosen = objects ?? files;
    this.#known = [objects, files].flatMap((one) => one ?? []);
  }

  forNew(): BackupDriver {
    if (!this.chosen) throw unavailable('Service cinder-backup could not be found.');
    return this.chosen;
  }

  /** By upstream's class. */
  named(service: string): BackupDriver | undefined {
    return this.#known.find((driver) => driver.service === service);
  }

  /** What has made this backup; rows of those that failed long ago do not say. */
  of(row: { readonly id: string; readonly service: string | null }): BackupDriver {
    const driver = row.service === null ? this.#known.find((one) => !one.hasContainers) : this.named(row.service);
    if (!driver)
      throw conflict(`Backup ${row.id} was made by ${row.service ?? 'another driver'}, which is not configured any more (storage.backups). Ask the operator.`);
    return driver;
  }
}
