import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, rm, stat } from 'node:fs/promises';
import { start } from '../process/run.ts';

/**
 * Copies a file, without its holes, into nameless memory, and has the kernel refuse every change of it from then on, by whomever: a memfd
 * with all seals (memfd_create(2), fcntl(2)). perl is part of every Debian and most other systems, and the smallest program there that can ask
 * for that. Prints its process id and the file's number, and waits until that was opened.
 */
const SEAL = `
use strict;
my ($path) = @ARGV;
open(my $in, '<', $path) or die "open: $!";
my $name = "cairn-template";
my $fd = syscall(319, $name, 3);
die "memfd_create: $!" if $fd < 0;
open(my $out, '+<&=', $fd) or die "memfd: $!";
my $size = -s $in;
truncate($out, $size) or die "truncate: $!";
for (my $at = 0; $at < $size;) {
  my $data = sysseek($in, $at, 3);
  last unless defined $data;
  my $hole = sysseek($in, $data, 4);
  sysseek($in, $data, 0);
  sysseek($out, $data, 0);
  for (my $left = $hole - $data; $left > 0;) {
    my $read = sysread($in, my $bytes, $left > 1048576 ? 1048576 : $left);
    die "read: $!" unless $read;
    die "write: $!" unless syswrite($out, $bytes) == $read;
    $left -= $read;
  }
  $at = $hole;
}
fcntl($out, 1033, 15) or die "seal: $!";
syswrite(STDOUT, "$$ $fd\\n");
sysread(STDIN, my $end, 1);
`;
const SEAL_MS = 120_000;

/**
 * A template's memory as guests map it. QEMU must be able to open it for writing, though it maps it privately; a guest that has broken out
 * of QEMU, and in QEMU 7.2 also one that only gives memory back by its balloon, would then change what others start from. So it is sealed;
 * where that cannot be (no perl, another processor), each guest has a copy of its own.
 */
export class SealedMemory {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Undefined where this machine cannot seal memory. */
  static async of(path: string): Promise<SealedMemory | undefined> {
    if (process.arch !== 'x64' || process.platform !== 'linux') return undefined;
    const child = start('perl', ['-e', SEAL, path], { stdio: ['pipe', 'pipe', 'ignore'], dieWithParent: true });
    child.stdin?.on('error', () => {});
    const timer = setTimeout(() => child.kill('SIGKILL'), SEAL_MS);
    try {
      const said = await new Promise<string>((resolve, reject) => {
        let text = '';
        child.stdout?.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
          if (text.includes('\n')) resolve(text);
        });
        child.once('error', reject);
        child.once('close', () => reject(new Error('memory cannot be sealed here')));
      });
      const [, pid, fd] = /^(\d+) (\d+)\n/.exec(said) ?? [];
      if (pid === undefined || Number(pid) !== child.pid) return undefined;
      return new SealedMemory(await open(`/proc/${pid}/fd/${fd}`, 'r'));
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
      child.stdin?.end('\n');
      child.kill('SIGKILL');
    }
  }

  /** The file, to be handed to a process; it is open until `close`. */
  get fd(): number {
    return this.#file.fd;
  }

  /** Those who have it mapped keep it. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

/** A copy for one guest, whose process takes it with it. */
export async function copyMemory(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** What a file takes of the disk. */
export const usedBytes = (path: string): Promise<number> =>
  stat(path).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  );
