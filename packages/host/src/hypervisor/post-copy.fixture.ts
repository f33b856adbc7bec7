import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Duplex, duplexPair, Transform } from 'node:stream';
import { run } from '../process/run.ts';

/**
 * Asks the kernel for no more of userfaultfd than what every process may have (faults of the guest's own code, and none of system calls on its
 * memory): enough for guests under emulation that do next to nothing. QEMU itself asks for all of it, which takes the sysctl.
 */
const SHIM = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
long syscall(long number, ...) {
  va_list list;
  long a[6];
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  if (number == SYS_userfaultfd) a[0] |= 1;
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
`;

/** A QEMU for which this kernel allows post-copy, or why there is none. */
export async function postCopyQemu(dir: string): Promise<{ readonly qemu: string } | { readonly why: string }> {
  const allowed = await readFile('/proc/sys/vm/unprivileged_userfaultfd', 'utf8').catch(() => 'none');
  if (allowed === 'none') return { why: 'this kernel has no userfaultfd' };
  if (allowed.trim() === '1') return { qemu: 'qemu-system-x86_64' };
  const [source, shim, qemu] = [join(dir, 'shim.c'), join(dir, 'shim.so'), join(dir, 'qemu')];
  await writeFile(source, SHIM);
  try {
    await run('cc', ['-shared', '-fPIC', '-O1', '-o', shim, source, '-ldl']);
  } catch {
    return { why: 'needs sysctl vm.unprivileged_userfaultfd=1, or a C compiler to do with less' };
  }
  await writeFile(qemu, `#!/bin/sh\nLD_PRELOAD=${shim} exec qemu-system-x86_64 "$@"\n`);
  await Promise.all([chmod(shim, 0o755), chmod(qemu, 0o755)]);
  return { qemu };
}

/** A way between two hosts that lets no more through than it is told to. */
export class Narrow {
  #left: number;
  #wake: () => void = () => {};
  #ends: Duplex[] = [];

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** What comes out at the other end of `way`. */
  through(way: Duplex): Duplex {
    const [mine, theirs] = duplexPair();
    const gate = new Transform({
      highWaterMark: 4096,
      transform: (chunk: Buffer, _encoding, done) => {
        this.#left -= chunk.length;
        const pass = (): void => {
          if (this.#left > 0) done(null, chunk);
          else this.#wake = pass;
        };
        pass();
      },
    });
    mine.pipe(gate).pipe(way).pipe(mine);
    this.#ends = [mine, theirs, gate, way];
    for (const end of this.#ends) end.on('error', () => this.cut());
    return theirs;
  }

  /** Lets a little more through. */
  allow(bytes: number): void {
    this.#left = bytes;
    const wake = this.#wake;
    this.#wake = () => {};
    wake();
  }

  cut(): void {
    for (const end of this.#ends) end.destroy();
  }
}
