/** What an ELF program or library needs to run: its loader and the names of its libraries. */
export interface ElfNeeds {
  readonly interpreter?: string;
  readonly libraries: readonly string[];
  /** Directories to look in first. */
  readonly runPath: readonly string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_RPATH = 15n;
const DT_RUNPATH = 29n;

/** Reads the dynamic section of a 64-bit little-endian ELF file; undefined for anything else (scripts, static data). Runs nothing, unlike ldd. */
export function elfNeeds(file: Buffer): ElfNeeds | undefined {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) return undefined;
  const at = (offset: bigint | number): number => Number(offset);
  const segments = Array.from({ length: file.readUInt16LE(56) }, (_, i) => {
    const header = at(file.readBigUInt64LE(32)) + i * file.readUInt16LE(54);
    return {
      type: file.readUInt32LE(header),
      offset: file.readBigUInt64LE(header + 8),
      address: file.readBigUInt64LE(header + 16),
      bytes: file.readBigUInt64LE(header + 32),
    };
  });
  const text = (offset: number): string => file.toString('latin1', offset, file.indexOf(0, offset));
  const interpreterSegment = segments.find((s) => s.type === PT_INTERP);
  const interpreter = interpreterSegment && text(at(interpreterSegment.offset));
  const dynamic = segments.find((s) => s.type === PT_DYNAMIC);
  const entries: { tag: bigint; value: bigint }[] = [];
  if (dynamic) {
    for (let i = at(dynamic.offset); i < at(dynamic.offset + dynamic.bytes); i += 16)
      entries.push({ tag: file.readBigUInt64LE(i), value: file.readBigUInt64LE(i + 8) });
  }
  const strings = entries.find((e) => e.tag === DT_STRTAB)?.value;
  const home = segments.find((s) => s.type === PT_LOAD && strings !== undefined && strings >= s.address && strings < s.address + s.bytes);
  const names = (...tags: bigint[]): string[] =>
    home && strings !== undefined ? entries.filter((e) => tags.includes(e.tag)).map((e) => text(at(strings - home.address + home.offset + e.value))) : [];
  return {
    ...(interpreter === undefined ? {} : { interpreter }),
    libraries: names(DT_NEEDED),
    runPath: names(DT_RPATH, DT_RUNPATH)
      .flatMap((path) => path.split(':'))
      .filter((path) => path.startsWith('/')),
  };
}
