import { createReadStream, existsSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buildDemoImage } from '../cloud/demo-image.ts';
import { cacheFolder, type CommonFlags } from '../config.ts';
import { running } from '../daemon/process.ts';
import { Steps } from '../terminal/progress.ts';
import { adminClient } from './admin-client.ts';
import { settingsOf } from './shared.ts';

/** `cairn image build`: the demo guest image from distribution packages, cached. */
export async function imageBuild(flags: CommonFlags & { out?: string }): Promise<void> {
  const steps = new Steps();
  const path = await buildDemoImage(flags.out ?? cacheFolder(), (text) => steps.step(text));
  steps.done();
  process.stdout.write(`${path}\n`);
}

/** `cairn image add NAME FILE|URL`: loads an image into the running cloud, public, as the admin. */
export async function imageAdd(name: string, source: string, flags: CommonFlags & { format?: string }): Promise<void> {
  const { paths } = settingsOf(flags);
  if (!running(paths)) throw new Error('no cloud runs here; "./cairn up" first');
  const isUrl = /^https?:\/\//.test(source);
  if (!isUrl && !existsSync(source)) throw new Error(`${source}: no such file`);
  const steps = new Steps();
  const format = flags.format ?? formatByName(source);
  const admin = await adminClient(paths);
  const image = (await admin.json('POST', '/image/v2/images', { name, disk_format: format, container_format: 'bare', visibility: 'public' })) as { id: string };
  try {
    steps.step(isUrl ? 'fetching and loading' : `loading ${(statSync(source).size / 2 ** 20).toFixed(0)} MiB`);
    const data = isUrl ? await fetched(source) : (Readable.toWeb(createReadStream(source)) as ReadableStream);
    await admin.stream('PUT', `/image/v2/images/${image.id}/file`, data);
  } catch (error) {
    await admin.json('DELETE', `/image/v2/images/${image.id}`).catch(() => {});
    throw error;
  }
  steps.done();
  process.stdout.write(`${image.id}\n`);
}

async function fetched(url: string): Promise<ReadableStream> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response.body as ReadableStream;
}

/** The format by the file's ending; the inspector refuses a wrong one. */
function formatByName(source: string): string {
  const ending = /\.([a-z0-9]+)(?:[?#].*)?$/i.exec(source)?.[1]?.toLowerCase() ?? '';
  const known: Readonly<Record<string, string>> = {
    qcow2: 'qcow2',
    img: 'qcow2',
    raw: 'raw',
    vmdk: 'vmdk',
    vdi: 'vdi',
    vhd: 'vhd',
    vpc: 'vhd',
    vhdx: 'vhdx',
    iso: 'iso',
  };
  const format = known[ending];
  if (!format) throw new Error(`the format of ${source} is not known by its name; give it with --format`);
  return format;
}
