import { existsSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessUser } from '../process/command.ts';
import { ProcessError, run } from '../process/run.ts';

export interface KvmVerdict {
  readonly usable: boolean;
  /** For people: why not, or how it was proved. */
  readonly why: string;
}

/** Exit status of the probe's guest when it came through: isa-debug-exit gives (value << 1) | 1, and the ROM writes 0x10. */
const PROVED = 33;
/** Where KVM works or refuses, 0.2 s are enough on an idle machine; where it hangs, it hangs for ever. */
const PROBE_MS = 2500;
/** On a CPU whose own virtualisation is not in use (neither kvm_intel nor kvm_amd is there), little is to be hoped for. */
const FORLORN_PROBE_MS = 1000;

/**
 * Whether guests can really run under KVM. The device's presence says little: some hosts offer one that aborts or hangs. So a
 * 64 KiB ROM goes from the reset vector through protected mode and paging to 64-bit mode, as every guest does, and tells by its
 * exit status. Runs as the guests' user, who must be allowed to open the device.
 */
export async function probeKvm(qemu: string, scratchDir: string, user: ProcessUser | undefined, accelerator: 'kvm' | 'tcg' = 'kvm'): Promise<KvmVerdict> {
  if (accelerator === 'kvm') {
    const problem = await cannotOpen('/dev/kvm');
    if (problem) return { usable: false, why: problem };
  }
  const rom = join(scratchDir, `kvm-probe-${process.pid}-${accelerator}.rom`);
  await writeFile(rom, probeRom(), { mode: 0o644 });
  try {
    const args = [
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-machine',
      'q35',
      '-accel',
      accelerator,
      '-cpu',
      accelerator === 'kvm' ? 'host' : 'max',
      '-m',
      '16',
      '-bios',
      rom,
      '-device',
      'isa-debug-exit,iobase=0xf4,iosize=1',
    ];
    const hope = accelerator === 'tcg' || existsSync('/sys/module/kvm_intel') || existsSync('/sys/module/kvm_amd');
    const { code, stderr } = await run(qemu, args, { timeoutMs: hope ? PROBE_MS : FORLORN_PROBE_MS, user, okCodes: [PROVED], dieWithParent: true });
    if (code === PROVED) return { usable: true, why: 'a probe guest reached 64-bit mode' };
    return { usable: false, why: `a probe guest did not come through: ${firstLine(stderr) || `QEMU ended with status ${code}`}` };
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    if (error.reason === 'timeout') return { usable: false, why: 'a probe guest hung' };
    return { usable: false, why: `a probe guest failed: ${firstLine(error.stderr) || error.signal || `QEMU ended with status ${error.code}`}` };
  } finally {
    await rm(rom, { force: true });
  }
}

async function cannotOpen(path: string): Promise<string | undefined> {
  try {
    await (await open(path, 'r+')).close();
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `there is no ${path}` : `${path} cannot be opened (${code})`;
  }
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

/** The ROM: x86 machine code by hand, mapped at 0xf0000 and below 4 GiB. */
export function probeRom(): Buffer {
  const rom = Buffer.alloc(65_536, 0x90);
  const base = 0xf0000;
  const u16 = (n: number): Buffer => {
    const b = Buffer.alloc(2);
    b.writeUInt16LE(n);
    return b;
  };
  const u32 = (n: number): Buffer => {
    const b = Buffer.alloc(4);
    b.writeUInt32LE(n);
    return b;
  };
  const code = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const put = (offset: number, ...parts: readonly Buffer[]): void => {
    Buffer.concat(parts).copy(rom, offset);
  };
  // Real mode: cli; lgdt cs:[0x200]; set CR0.PE; far jump to 32-bit code.
  put(0, code('fa 2e660f0116'), u16(0x200), code('0f20c0 6683c801 0f22c0 66ea'), u32(base + 0x100), u16(8));
  // 32-bit: data segments; clear 12 KiB at 64 KiB; page tables with one 2 MiB page; CR3, CR4.PAE, EFER.LME, CR0.PG; far jump to 64-bit code.
  put(
    0x100,
    code('66b81000 8ed8 8ec0 8ed0 bf'),
    u32(0x10000),
    code('31c0 b9'),
    u32(0xc00),
    code('f3ab c705'),
    u32(0x10000),
    u32(0x11003),
    code('c705'),
    u32(0x11000),
    u32(0x12003),
    code('c705'),
    u32(0x12000),
    u32(0x83),
    code('b8'),
    u32(0x10000),
    code('0f22d8 0f20e0 83c820 0f22e0 b9'),
    u32(0xc0000080),
    code('0f32 0d00010000 0f30 0f20c0 0d00000080 0f22c0 ea'),
    u32(base + 0x300),
    u16(0x18),
  );
  // The descriptor table: null, 32-bit code, data, 64-bit code.
  put(0x200, u16(31), u32(base + 0x210));
  for (const [i, descriptor] of [0n, 0x00cf9a000000ffffn, 0x00cf92000000ffffn, 0x00af9a000000ffffn].entries()) rom.writeBigUInt64LE(descriptor, 0x210 + 8 * i);
  // 64-bit: proves the mode by a 64-bit shift (its low byte becomes part of the status), writes it to port 0xf4, halts.
  put(0x300, code('48b8 8967452301000000 48c1e820 040f 66baf400 ee f4 ebfd'));
  // The reset vector: far jump to f000:0000.
  put(0xfff0, code('ea 0000 00f0'));
  return rom;
}
