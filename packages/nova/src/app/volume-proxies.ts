import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import type { NovaDeps } from './deps.ts';
import { handOn } from './inside.ts';

/** A volume as cinder's API shows it, as far as nova's old form needs it. */
export interface CinderVolume {
  readonly id: string;
  readonly status: string;
  readonly size: number;
  readonly availability_zone: string | null;
  readonly created_at: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly volume_type: string | null;
  readonly snapshot_id: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly attachments: readonly { readonly server_id: string; readonly device: string | null }[];
}

export interface CinderSnapshot {
  readonly id: string;
  readonly status: string;
  readonly size: number;
  readonly created_at: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly volume_id: string;
}

/** What was asked for in nova's words. */
export interface NewOldVolume {
  readonly size: number | string;
  readonly display_name?: string;
  readonly display_description?: string;
  readonly volume_type?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly snapshot_id?: string;
  readonly availability_zone?: string;
}

export interface NewOldSnapshot {
  readonly volume_id: string;
  readonly display_name?: string;
  readonly display_description?: string;
  readonly force?: unknown;
}

/** Volumes and snapshots by nova's API (until 2.35): cinder's own, asked in the caller's name. */
export class VolumeProxies {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async volumes(ctx: Context): Promise<readonly CinderVolume[]> {
    return (await this.#cinder(ctx)('GET', '/v3/volumes/detail'))['volumes'] as readonly CinderVolume[];
  }

  async volume(ctx: Context, id: string): Promise<CinderVolume> {
    return (await this.#cinder(ctx)('GET', `/v3/volumes/${encodeURIComponent(id)}`, undefined, missing('Volume', id)))['volume'] as CinderVolume;
  }

  async createVolume(ctx: Context, asked: NewOldVolume): Promise<CinderVolume> {
    const { display_name: name, display_description: description, ...rest } = asked;
    const volume = { ...rest, size: Number(asked.size), name: name ?? null, description: description ?? null };
    return (await this.#cinder(ctx)('POST', '/v3/volumes', { volume }))['volume'] as CinderVolume;
  }

  async deleteVolume(ctx: Context, id: string): Promise<void> {
    await this.#cinder(ctx)('DELETE', `/v3/volumes/${encodeURIComponent(id)}`, undefined, missing('Volume', id));
  }

  async snapshots(ctx: Context): Promise<readonly CinderSnapshot[]> {
    return (await this.#cinder(ctx)('GET', '/v3/snapshots/detail'))['snapshots'] as readonly CinderSnapshot[];
  }

  async snapshot(ctx: Context, id: string): Promise<CinderSnapshot> {
    return (await this.#cinder(ctx)('GET', `/v3/snapshots/${encodeURIComponent(id)}`, undefined, missing('Snapshot', id)))['snapshot'] as CinderSnapshot;
  }

  async createSnapshot(ctx: Context, asked: NewOldSnapshot, force: boolean): Promise<CinderSnapshot> {
    const snapshot = { volume_id: asked.volume_id, name: asked.display_name ?? null, description: asked.display_description ?? null, force };
    return (await this.#cinder(ctx)('POST', '/v3/snapshots', { snapshot }, missing('Volume', asked.volume_id)))['snapshot'] as CinderSnapshot;
  }

  async deleteSnapshot(ctx: Context, id: string): Promise<void> {
    await this.#cinder(ctx)('DELETE', `/v3/snapshots/${encodeURIComponent(id)}`, undefined, missing('Snapshot', id));
  }

  #cinder(ctx: Context) {
    return handOn(this.#deps, ctx, 'cinder');
  }
}

const missing =
  (what: string, id: string) =>
  (status: number): Error | undefined =>
    status === 404 ? notFound(`${what} ${id} could not be found.`) : undefined;
