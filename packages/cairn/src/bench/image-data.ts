import { open, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Figure } from './report.ts';
import type { Bench } from './api.ts';
import { median, pssMb } from './load.ts';

const BLOCK = Buffer.alloc(1 << 20, 0x5a);
const SIZE_MB = 768;
const ROUNDS = 3;

/** Image data in and out against the speed of the disk that it goes to, and what memory it takes. */
export async function imageData({ load, pid, url, imagesDir }: Bench): Promise<Figure[]> {
  const disk: number[] = [];
  const up: number[] = [];
  const down: number[] = [];
  let grownMb = 0;
  // one after the other, so that a noisy machine troubles all alike
  for (let round = 0; round < ROUNDS; round++) {
    disk.push(await written(imagesDir));
    const { id } = await load.json({ method: 'POST', path: '/image/v2/images', body: { name: 'bench-data', disk_format: 'raw', container_format: 'bare' } });
    const beforeMb = pssMb(pid);
    let mostMb = beforeMb;
    const watch = setInterval(() => {
      mostMb = Math.max(mostMb, pssMb(pid));
    }, 100);
    try {
      up.push(await upload(url, load.token, id));
      down.push(await download(url, load.token, id));
    } finally {
      clearInterval(watch);
      await load.send({ method: 'DELETE', path: `/image/v2/images/${id}` });
    }
    // the first round starts the threads that hash
    if (round > 0) grownMb = Math.max(grownMb, mostMb - beforeMb);
  }
  const note = `${SIZE_MB} MB, MD5 and SHA-512 while it comes in; the disk alone: ${median(disk).toFixed(0)} MB/s`;
  return [
    { name: 'image upload: rate', value: median(up), unit: 'MB/s', note },
    {
      name: "image upload: share of the disk's speed",
      value: median(up.map((rate, i) => rate / (disk[i] as number))),
      unit: 'ratio',
      goal: 0.8,
      atLeast: true,
    },
    { name: 'image download: rate', value: median(down), unit: 'MB/s' },
    { name: 'image upload and download: memory grows by', value: grownMb, unit: 'MB', goal: 64, note: 'whatever the length' },
  ];
}

const perSecond = (startMs: number): number => (SIZE_MB * 1000) / (performance.now() - startMs);

/** MB/s of plain writing with one fsync at the end, as `dd conv=fsync`. */
async function written(directory: string): Promise<number> {
  const path = join(directory, '.bench');
  const startMs = performance.now();
  const file = await open(path, 'w');
  try {
    for (let i = 0; i < SIZE_MB; i++) await file.write(BLOCK);
    await file.datasync();
  } finally {
    await file.close();
  }
  const rate = perSecond(startMs);
  await rm(path);
  return rate;
}

function upload(url: string, token: string, id: string): Promise<number> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/image/v2/images/${id}/file`,
      { method: 'PUT', headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream', 'content-length': SIZE_MB * BLOCK.length } },
      (response) => {
        response.resume();
        response.once('end', () => (response.statusCode === 204 ? resolve(perSecond(startMs)) : reject(new Error(`upload: ${response.statusCode}`))));
      },
    );
    sent.once('error', reject);
    let left = SIZE_MB;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!sent.write(BLOCK)) {
          sent.once('drain', more);
          return;
        }
      }
      sent.end();
    };
    more();
  });
}

function download(url: string, token: string, id: string): Promise<number> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/image/v2/images/${id}/file`, { headers: { 'x-auth-token': token } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once('end', () => (bytes === SIZE_MB * BLOCK.length ? resolve(perSecond(startMs)) : reject(new Error(`download: ${bytes} bytes`))));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}
