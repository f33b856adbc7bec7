/** The type check of the project: what runs in Node, then what runs in browsers, which has other globals. Exits 1 when one of them finds something. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const tsc = join(root, 'node_modules', '.bin', 'tsc');
const codes = ['.', 'packages/horizon/web'].map((project) => spawnSync(tsc, ['--pretty', 'false', '-p', project], { cwd: root, stdio: 'inherit' }).status);
process.exit(codes.every((code) => code === 0) ? 0 : 1);
