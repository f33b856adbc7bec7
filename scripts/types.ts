/**
 * The type check of the project: what runs in Node, then what runs in browsers, which has other globals. Exits 1 when one of them finds
 * something. What did not change since the last check is not checked again.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const tsc = join(root, 'node_modules', '.bin', 'tsc');
const check = ([project, memory]: readonly [string, string]): number | null =>
  spawnSync(tsc, ['--pretty', 'false', '-p', project, '--incremental', '--tsBuildInfoFile', join(root, 'node_modules', '.cache', memory)], {
    cwd: root,
    stdio: 'inherit',
  }).status;
const codes = (
  [
    ['.', 'types-node.json'],
    ['packages/horizon/web', 'types-web.json'],
  ] as const
).map(check);
process.exit(codes.every((code) => code === 0) ? 0 : 1);
