/**
 * A program for the guest, as an x86-64 ELF file of some 200 bytes: `reseed < BYTES > /dev/random` has the kernel mix up to 256 bytes into its
 * pool and draw a new seed from it at once. Writing alone is not enough: what the kernel gives goes on from the old seed, for a minute and
 * more, and would be the same in all machines that were started from one memory. No program of the packages makes this call
 * (RNDRESEEDCRNG, random(4)).
 */
export function reseedProgram(): Buffer {
  const code = Buffer.from(
    [
      '4881ec00010000', // sub rsp, 256
      '31c0 31ff 4889e6 ba00010000 0f05', // read(0, rsp, 256)
      '4885c0 7e2f', // nothing read: fail
      '4889c2 b801000000 bf01000000 0f05', // write(1, rsp, what was read)
      '4885c0 7e1b', // not written: fail
      'b810000000 bf01000000 be07520000 31d2 0f05', // ioctl(1, RNDRESEEDCRNG, 0)
      '85c0 7504', // refused: fail
      '31ff eb05', // status 0
      'bf01000000', // fail: status 1
      'b83c000000 0f05', // exit(status)
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
  const headers = 64 + 56;
  const base = 0x400000;
  const file = Buffer.alloc(headers + code.length);
  // ELF header: 64 bits, little-endian, executable, x86-64, entry, one program header behind this one
  file.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(62, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(base + headers), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  // program header: load the whole file, readable and executable
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(BigInt(base), 80);
  file.writeBigUInt64LE(BigInt(base), 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  code.copy(file, headers);
  return file;
}
