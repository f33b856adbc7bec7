import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { PAGE_HEADERS } from './headers.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.md': 'text/plain; charset=utf-8',
};
/** In the order of preference, with the ending of the packed file. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;
const FOREVER = 'public, max-age=31536000, immutable';

export interface FileAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

interface Variant {
  readonly data: Buffer;
  readonly etag: string;
}

/** A built page, held in memory: only what was there when it was loaded can be asked for, so that no path leads anywhere else. */
export class Assets {
  readonly #files = new Map<string, Map<string, Variant>>();

  constructor(folder: string) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const packed = ENCODINGS.find(([, ending]) => path.endsWith(ending));
      const name = relative(folder, packed ? path.slice(0, -packed[1].length) : path);
      const data = readFileSync(path);
      const variants = this.#files.get(name) ?? new Map<string, Variant>();
      variants.set(packed?.[0] ?? '', { data, etag: `"${createHash('sha256').update(data).digest('base64url').slice(0, 22)}"` });
      this.#files.set(name, variants);
    }
  }

  /** `assets/index-BqW1.js`, with what the browser accepts and what it has. Undefined when there is no such file. */
  get(name: string, request: { readonly accepts: string | undefined; readonly has: string | undefined }): FileAnswer | undefined {
    const variants = this.#files.get(name);
    if (variants === undefined) return undefined;
    const accepted = new Set(
      (request.accepts ?? '').split(',').flatMap((part) => (/;\s*q=0(\.0*)?$/.test(part.trim()) ? [] : [part.split(';')[0]?.trim() ?? ''])),
    );
    const encoding = ENCODINGS.map(([token]) => token).find((token) => accepted.has(token) && variants.has(token)) ?? '';
    const variant = variants.get(encoding);
    if (variant === undefined) return undefined;
    const headers: Record<string, string> = {
      ...PAGE_HEADERS,
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'cache-control': name.startsWith('assets/') ? FOREVER : 'no-cache',
      vary: 'Accept-Encoding',
      etag: variant.etag,
      ...(encoding !== '' && { 'content-encoding': encoding }),
    };
    if (request.has !== undefined && request.has.split(',').some((tag) => tag.trim() === variant.etag)) return { status: 304, headers, body: undefined };
    return { status: 200, headers, body: variant.data };
  }

  /** Names of all files with their sizes as sent packed, for measuring. */
  sizes(): readonly { readonly name: string; readonly bytes: number; readonly gzipBytes: number }[] {
    return [...this.#files].map(([name, variants]) => {
      const bytes = variants.get('')?.data.length ?? 0;
      return { name, bytes, gzipBytes: variants.get('gzip')?.data.length ?? bytes };
    });
  }
}
