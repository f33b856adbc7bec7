import type { CinderDeps } from './deps.ts';
import { addService } from '../store/services.ts';
import { serviceHost, storageKey } from './backend.ts';

/** Records the services that upstream would run: one scheduler, one that makes backups, and volume services for what keeps volumes. */
export async function registerScheduler(deps: CinderDeps): Promise<void> {
  const host = deps.hosts.names()[0] ?? 'cairn';
  await register(deps, host, 'cinder-scheduler');
  if (deps.options.backupsDir !== undefined || deps.options.backups.driver !== 'file') await register(deps, host, 'cinder-backup');
}

/** A volume service for each back end of a host; those that all hosts share have one together. */
export async function registerHost(deps: CinderDeps, host: string): Promise<void> {
  for (const { name, isShared, availabilityZone } of deps.options.backends)
    await register(deps, serviceHost(storageKey(isShared ? name : host, name)), 'cinder-volume', availabilityZone);
}

async function register({ env, options }: CinderDeps, host: string, binary: string, zone?: string): Promise<void> {
  const nowMs = env.clock.nowMs();
  await env.store.write((tx) =>
    addService(tx, {
      id: env.ids.uuid(),
      binary,
      host,
      disabled: 0,
      disabled_reason: null,
      availability_zone: zone ?? options.defaultAvailabilityZone,
      frozen: 0,
      created_at_ms: nowMs,
      updated_at_ms: null,
    }),
  );
}
