import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Clock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { LocalDisks, type LocalDisksOptions } from '../disks/local-disks.ts';
import type { OpenDisks } from '../hypervisor/open-disks.ts';
import type { BackendSpec } from '../interface/backends.ts';
import type { ProcessUser } from '../process/command.ts';
import { LvmDisks } from './lvm-disks.ts';
import { RbdBridges } from './rbd-bridges.ts';
import { RbdDisks } from './rbd-disks.ts';
import type { DiskRoom } from './room.ts';
import { type SharedDirectories, SharedDirectory } from './shared-directory.ts';

export interface RoomsOptions {
  readonly host: string;
  /** Tells the clouds of one machine apart; the same for all hosts of one. */
  readonly cloud: string;
  /** For files on the way into back ends and out of them, and for what is remembered of them. */
  readonly dataDir: string;
  /** Sockets; a short path. */
  readonly runDir: string;
  /** The host's own disks. */
  readonly home: LocalDisks;
  readonly shared: SharedDirectories;
  readonly openDisks: OpenDisks;
  readonly showGrown: (guestId: string, diskId: string, sizeBytes: number) => Promise<void>;
  readonly openImage: (imageId: string) => Promise<Readable>;
  readonly diskKey?: LocalDisksOptions['diskKey'];
  readonly user?: ProcessUser;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A host's back ends beside its own disks, by name. */
export function makeRooms(specs: readonly BackendSpec[], options: RoomsOptions): ReadonlyMap<string, DiskRoom> {
  const rooms = new Map<string, DiskRoom>();
  for (const spec of specs) {
    const room = roomOf(spec, options);
    if (room) rooms.set(spec.name, room);
  }
  return rooms;
}

function roomOf(spec: BackendSpec, options: RoomsOptions): DiskRoom | undefined {
  const { host, cloud, home, shared, openDisks, showGrown, openImage, diskKey, user, dataDir, runDir, clock } = options;
  const log = options.log.child({ backend: spec.name });
  const files = { openImage, log, ...(diskKey && { diskKey }), ...(user && { user }) };
  switch (spec.driver) {
    case 'local': {
      if (spec.path === undefined) return undefined;
      const disks = new LocalDisks({ ...files, dataDir: join(spec.path, host), openDisks });
      return { disks, resolve: disks.resolve, start: () => disks.start(), stop: () => disks.stop() };
    }
    case 'directory': {
      const directory = shared.of(spec.name, (hosts) => new SharedDirectory({ ...files, dataDir: join(spec.path, 'cairn'), hosts }));
      directory.join({ openDisks });
      return directory;
    }
    case 'rbd': {
      const bridges = new RbdBridges({ dataDir: join(dataDir, spec.name, 'bridges'), runDir: join(runDir, spec.name), openDisks, clock, log });
      return new RbdDisks({
        ...{ spec, host, openDisks, showGrown, log, bridges },
        ...(user && { user }),
        scratchDir: join(dataDir, spec.name, 'scratch'),
        imageFile: (image) => home.imageAsFile(image),
      });
    }
    case 'lvm':
      return new LvmDisks({
        ...{ spec, host, cloud, openDisks, log },
        ...(user && { user }),
        ...(diskKey && { diskKey }),
        scratchDir: join(dataDir, spec.name, 'scratch'),
        imageFile: (image) => home.imageAsFile(image),
      });
  }
}
