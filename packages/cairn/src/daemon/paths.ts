import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { join } from 'node:path';

/** The layout of a cloud's data directory. */
export interface Paths {
  readonly data: string;
  readonly database: string;
  readonly secrets: string;
  readonly run: string;
  readonly pid: string;
  readonly control: string;
  readonly log: string;
  readonly images: string;
  readonly keystone: string;
  readonly host: string;
  /** Directories of several real hosts, by number. */
  readonly hosts: string;
  readonly simulated: string;
  readonly clouds: string;
  readonly openrc: string;
  /** The configuration of the last `up`, so that the other commands need no flags. */
  readonly settings: string;
  /** Short, stable, unique per data directory: names namespaces and links. */
  readonly instance: string;
}

export function pathsOf(data: string): Paths {
  const root = resolve(data);
  return {
    data: root,
    database: join(root, 'cairn.db'),
    secrets: join(root, 'secrets.json'),
    run: join(root, 'run'),
    pid: join(root, 'run', 'cairn.json'),
    control: join(root, 'run', 'control.sock'),
    log: join(root, 'log', 'cairn.log'),
    images: join(root, 'images'),
    keystone: join(root, 'keystone'),
    host: join(root, 'host'),
    hosts: join(root, 'hosts'),
    simulated: join(root, 'simulated.json'),
    clouds: join(root, 'clouds.yaml'),
    openrc: join(root, 'openrc'),
    settings: join(root, 'settings.json'),
    instance: createHash('sha256').update(root).digest('hex').slice(0, 4),
  };
}
