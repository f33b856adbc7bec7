import { createInterface } from 'node:readline/promises';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CloudConfig, cacheFolder, type CommonFlags, configOf } from '../config.ts';
import { backupsOf } from '../config-backups.ts';
import { storageOf } from '../config-storage.ts';
import { type Paths, pathsOf } from '../daemon/paths.ts';
import { running, startDaemon } from '../daemon/process.ts';
import { canInstall, HOST_PACKAGES, install, missingOf, type NeededPackage, storagePackages } from '../install/packages.ts';
import { Steps } from '../terminal/progress.ts';

/** `cairn up`: from a checkout to a cloud that answers. */
export async function up(flags: CommonFlags & { yes?: boolean }): Promise<void> {
  const { data } = configOf(flags);
  const paths = pathsOf(data);
  // a cloud keeps what it was made with: a plain `up` does not turn simulated hosts into real ones
  const fresh = !existsSync(paths.settings);
  const config = fresh ? configOf(flags) : { ...configOf(flags, JSON.parse(readFileSync(paths.settings, 'utf8')) as CloudConfig), data };
  const was = fresh ? config : (JSON.parse(readFileSync(paths.settings, 'utf8')) as CloudConfig);
  if (config.hypervisor.type === 'qemu' && was.hypervisor.type === 'qemu' && config.hypervisor.hosts !== was.hypervisor.hosts) {
    throw new Error(`this cloud was made with ${was.hypervisor.hosts} real host(s), and keeps that number; "cairn down --destroy" makes room for another one`);
  }
  const there = running(paths);
  if (there) {
    process.stdout.write(`The cloud runs already (process ${there.pid}, ${there.url}).\n`);
    howToGoOn(paths, there.url);
    return;
  }
  const startedMs = Date.now();
  const steps = new Steps();
  const real = config.hypervisor.type === 'qemu';
  if (real && process.getuid?.() !== 0) {
    throw new Error(
      'real guests need root (namespaces, taps, firewall). Run "sudo ./cairn up", or "./cairn up --hypervisor simulated" for a cloud without real guests, which needs no root.',
    );
  }
  // what is wrong with it is said before anything is installed or started
  backupsOf(config.storage.backups, config.region);
  const packages = [...HOST_PACKAGES, ...storagePackages(storageOf(config.storage).specs)];
  if (real) await installMissing(packages, flags.yes ?? false, steps, 'a cloud with real guests');
  mkdirSync(paths.data, { recursive: true, mode: 0o711 });
  if (real && config.demoImage && fresh) await demoImage(flags.yes ?? false, steps);
  writeFileSync(paths.settings, JSON.stringify(config, null, 2), { mode: 0o600 });
  steps.step('starting');
  const main = join(import.meta.dirname, '..', 'main.ts');
  const result = await startDaemon(paths, main, ['--data', paths.data], (text) => steps.step(text));
  steps.done();
  process.stdout.write(`\nThe cloud is up: ${result.url} (${((Date.now() - startedMs) / 1000).toFixed(1)} s, process ${result.pid}).\n`);
  howToGoOn(paths, result.url, config);
}

/** Says what is missing and what it is for, asks on a terminal, installs. */
async function installMissing(packages: readonly NeededPackage[], yes: boolean, steps: Steps, purpose: string): Promise<void> {
  const missing = missingOf(packages);
  if (missing.length === 0) return;
  process.stderr.write(`For ${purpose} this machine lacks:\n${missing.map((p) => `  ${p.name.padEnd(24)} ${p.why}`).join('\n')}\n`);
  if (!canInstall()) throw new Error(`install them and run this again: apt-get install ${missing.map((p) => p.name).join(' ')}`);
  if (!yes && process.stdin.isTTY) {
    const ask = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await ask.question('Install them now with apt-get? [Y/n] ');
    ask.close();
    if (/^n/i.test(answer.trim())) throw new Error('nothing was installed');
  }
  steps.step(`installing ${missing.length} packages`);
  await install(
    missing.map((p) => p.name),
    () => {},
  );
  steps.done();
}

/** Builds the demo guest image once; later clouds find it in the cache. */
async function demoImage(yes: boolean, steps: Steps): Promise<void> {
  const { demoImagePackages, buildDemoImage } = await import('../cloud/demo-image.ts');
  const folder = cacheFolder();
  await installMissing(await demoImagePackages(), yes, steps, 'the demo guest image');
  await buildDemoImage(folder, (text) => steps.step(text));
  steps.done();
}

function howToGoOn(paths: Paths, url: string, config?: CloudConfig): void {
  const flags = config && config.data !== '/var/lib/cairn' ? ` --data ${paths.data}` : '';
  process.stdout.write(`
  Console       ${url}/console/   (in a browser)
  APIs          ${url}   (identity: ${url}/identity/v3)
  Credentials   ${paths.clouds} and ${paths.openrc} (user admin; readable by you alone)
  Log           ${paths.log}

A first server, with any OpenStack client:
  eval "$(./cairn env${flags})"
  openstack network create demo && openstack subnet create demo --network demo --subnet-range 10.0.0.0/24
  openstack server create first --image cirros --flavor m1.tiny --network demo --wait

./cairn status shows what runs, ./cairn down stops it, ./cairn doctor says what this machine lacks.
`);
}
