import type { CinderDeps } from '../../app/deps.ts';
import type { S3BackupOptions } from '../../options.ts';
import type { BackupDriver } from '../driver.ts';
import { HttpClient } from './http.ts';
import { objectBackups } from './object-driver.ts';
import { s3Store } from './s3.ts';

/** Amazon's rules, which all services keep. */
export const wrongBucket = (name: string): string | undefined =>
  /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/.test(name) ? undefined : 'names of buckets have 3 to 63 lower-case letters, digits, "-" and "."';

/** Backups in a service with the API of Amazon S3: one account for all. */
export function s3Backups(deps: CinderDeps, options: S3BackupOptions): BackupDriver {
  const { clock } = deps.env;
  const store = s3Store({ ...options, http: new HttpClient({ ...options, clock }), clock });
  return objectBackups({
    ...options,
    service: 'cinder.backup.drivers.s3.S3BackupDriver',
    defaultContainer: options.container,
    availabilityZone: deps.options.defaultAvailabilityZone,
    wrongContainer: wrongBucket,
    storeFor: () => store,
  });
}
