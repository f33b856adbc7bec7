/**
 * The arrows of the house (docs/design/0001-house.md): imports run down only, services meet by faces, SQL stays in store/, processes
 * start in host/ alone. Prints every import that breaks a rule and exits 1.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Floors: a package imports from lower floors only. kit and host's interface are the ground. */
const FLOOR: Readonly<Record<string, number>> = {
  kit: 0,
  host: 1,
  keystone: 2,
  glance: 3,
  placement: 3,
  swift: 4,
  cinder: 4,
  neutron: 4,
  nova: 5,
  heat: 6,
  telemetry: 6,
  horizon: 6,
  cairn: 7,
};
/** What of host the services may see. */
const HOST_FOR_SERVICES = /^(interface\/|inspector\/|fabric\/path\/)/;
/** Rooms of a service, from the top: a room imports from itself and from rooms further down. */
const ROOMS = ['service', 'api', 'hosts', 'metadata-service', 'fabric', 'app', 'sagas', 'scheduler', 'stores', 'store'];
const MAY_START_PROCESSES = /^packages\/(host\/src|cairn\/src\/(daemon|install|bench|commands))\/|\/auth-cost\/measure\.ts$/;

const broken: string[] = [];

for (const file of files(join(root, 'packages'))) {
  const path = relative(root, file);
  const [, pkg = '', , ...inside] = path.split('/');
  const isTest = /\.test\.ts$|\.fixture\.ts$|test-server|\/testing\/|testing\.ts$|crash-suite\.ts$|\/contract\//.test(path);
  for (const { specifier, onlyTypes } of importsOf(readFileSync(file, 'utf8'))) {
    const say = (why: string): void => void broken.push(`${path}: ${specifier}: ${why}`);
    if (specifier === 'node:child_process' && !MAY_START_PROCESSES.test(path) && !isTest) say('only the host plane starts processes');
    if (specifier.startsWith('kysely') && pkg !== 'kit' && inside[0] !== 'store' && !isTest) say('SQL stays in store/');
    const cross = /^@cairn\/([a-z]+)\/(.+)$/.exec(specifier);
    if (cross) {
      const [, other = '', inner = ''] = cross;
      if (FLOOR[other] === undefined || FLOOR[pkg] === undefined) say('this package has no floor yet: give it one in scripts/arrows.ts');
      else if ((FLOOR[other] ?? 0) >= (FLOOR[pkg] ?? 0)) say(`${pkg} may not look up to ${other}`);
      else if (pkg === 'cairn' || isTest || other === 'kit') continue;
      else if (other === 'host') {
        if (!HOST_FOR_SERVICES.test(inner)) say('services see host by its interface');
      } else if (inner !== 'face') say(`services meet by faces: @cairn/${other}/face`);
    } else if (specifier.startsWith('.')) {
      const target = relative(root, normalize(join(dirname(file), specifier)));
      const [, targetPkg, , ...targetInside] = target.split('/');
      if (targetPkg !== pkg) say('another package is imported by its name');
      if ((FLOOR[pkg] ?? 0) >= 2 && pkg !== 'cairn' && !isTest) {
        const from = inside.length > 1 ? ROOMS.indexOf(inside[0] ?? '') : -1;
        const to = targetInside.length > 1 ? ROOMS.indexOf(targetInside[0] ?? '') : -1;
        if (inside[0] === 'store' && to >= 0 && targetInside[0] !== 'store') say('store/ imports no other room');
        if (inside[0] === 'api' && targetInside[0] === 'store' && !onlyTypes) say('api/ has no SQL: go through app/');
        if (from > 0 && to === ROOMS.indexOf('api') && inside[0] !== 'api') say('nothing imports api/ but service.ts');
      }
    }
  }
}

for (const line of broken) process.stdout.write(`${line}\n`);
process.stdout.write(broken.length === 0 ? 'arrows: every import runs down\n' : `arrows: ${broken.length} imports break a rule\n`);
process.exit(broken.length === 0 ? 0 : 1);

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}

/** What a file imports; `onlyTypes` for imports that are gone when it runs. */
function importsOf(source: string): { specifier: string; onlyTypes: boolean }[] {
  const found = source.matchAll(
    /^\s*(?:import|export)(\s+type)?\s([^;'"]*?)from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm,
  );
  return [...found].map(([, typeWord, names = '', from, bare, dynamic]) => {
    const listed = names
      .replaceAll(/[{}\n]/g, ' ')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    return {
      specifier: (from ?? bare ?? dynamic) as string,
      onlyTypes: typeWord !== undefined || (listed.length > 0 && listed.every((name) => name.startsWith('type '))),
    };
  });
}
