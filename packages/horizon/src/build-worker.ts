/** Builds the page with Vite, in a worker thread: what it does to process and event loop stays here. Answers undefined, or why it failed. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build, type Plugin } from 'vite';

const { web, outDir } = workerData as { readonly web: string; readonly outDir: string };
/** Shorter files are not worth the packing. */
const SHORTEST_PACKED_BYTES = 1_000;
const PACKED = /\.(js|css|html|svg|json)$/;

/**
 * Cloudscape has its fonts within its styles, as data. As files they are fetched when a letter of theirs is drawn, each by itself, and the first
 * picture of the page does not wait for them.
 */
const fontsAsFiles: Plugin = {
  name: 'fonts-as-files',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('.css') || !code.includes('data:font/woff2')) return undefined;
    const folder = `${outDir}.cache`;
    mkdirSync(folder, { recursive: true });
    let count = 0;
    return code
      .replaceAll(/url\(['"]?data:font\/woff2;base64,([^'")]+)['"]?\)/g, (_whole, data: string) => {
        const file = join(folder, `font-${count++}.woff2`);
        writeFileSync(file, Buffer.from(data, 'base64'));
        return `url('${file}')`;
      })
      .replaceAll('@font-face {', '@font-face { font-display: swap;');
  },
};

async function run(): Promise<void> {
  await build({
    configFile: false,
    root: web,
    base: '/console/',
    mode: 'production',
    logLevel: 'error',
    clearScreen: false,
    cacheDir: `${outDir}.cache`,
    plugins: [fontsAsFiles],
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      // no data: URLs of scripts, nothing inline: the page's content security policy forbids it
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 4_000,
      license: { fileName: 'assets/licenses.md' },
      // what the first page needs comes in one piece and not in sixty
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'start', tags: ['$initial'] }] } } },
    },
  });
  const names = readdirSync(outDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && PACKED.test(entry.name));
  await Promise.all(
    names.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const data = readFileSync(path);
      if (data.length < SHORTEST_PACKED_BYTES) return;
      const [gz, br] = await Promise.all([
        promisify(gzip)(data, { level: 9 }),
        promisify(brotliCompress)(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: data.length } }),
      ]);
      writeFileSync(`${path}.gz`, gz);
      writeFileSync(`${path}.br`, br);
    }),
  );
}

run().then(
  () => parentPort?.postMessage(undefined),
  (error: unknown) => parentPort?.postMessage(error instanceof Error ? error.message : String(error)),
);
