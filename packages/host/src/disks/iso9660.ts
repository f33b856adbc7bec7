import { invalidInput } from '@cairn/kit/errors/errors';

/**
 * Writes small ISO 9660 images: config drives. The files are there three times by name, once by content: plain ISO 9660 names,
 * Rock Ridge names (Linux) and Joliet names (Windows). No time of day goes in, so the same files give the same bytes.
 * ECMA-119; SUSP 1.12, RRIP 1.09 (IEEE P1282); Joliet.
 */
const SECTOR = 2048;
const SYSTEM_AREA_SECTORS = 16;
const MAX_DEPTH = 8;
const MAX_NAME_BYTES = 110;
const MAX_JOLIET_UNITS = 64;
/** What a config drive may hold altogether (nova's own limit is 64 MiB for the image). */
export const MAX_ISO_BYTES = 64 * 1024 * 1024;
/** 1 January 2000, in the two forms of the format. */
const SHORT_DATE = Buffer.from([100, 1, 1, 0, 0, 0, 0]);
const LONG_DATE = Buffer.concat([Buffer.from('2000010100000000', 'latin1'), Buffer.from([0])]);
const NO_DATE = Buffer.concat([Buffer.from('0000000000000000', 'latin1'), Buffer.from([0])]);

interface FileNode {
  readonly kind: 'file';
  readonly name: string;
  readonly data: Buffer;
  sector: number;
}

interface DirectoryNode {
  readonly kind: 'directory';
  readonly name: string;
  readonly parent: DirectoryNode | undefined;
  readonly children: Map<string, Node>;
  /** Set while laying out, for each of the two trees. */
  readonly place: Record<TreeKind, { sector: number; bytes: number; number: number }>;
}

type Node = FileNode | DirectoryNode;
type TreeKind = 'plain' | 'joliet';

/**
 * Makes an image with volume label `label` of `files` (path → content). Refuses, as InvalidInput, paths that are empty, absolute, too
 * deep or long, or hold control characters.
 */
export function writeIso(label: string, files: ReadonlyMap<string, Buffer>): Buffer {
  if (!/^[\x20-\x7e]{1,16}$/.test(label)) throw invalidInput('The label of a disc has 1 to 16 printable ASCII characters.', { field: 'label' });
  const root = buildTree(files);
  const directories = breadthFirst(root);
  const trees: readonly TreeKind[] = ['plain', 'joliet'];

  let next = SYSTEM_AREA_SECTORS + 3;
  const take = (bytes: number): number => {
    const at = next;
    next += Math.max(1, Math.ceil(bytes / SECTOR));
    return at;
  };
  const continuation = take(SECTOR);
  const tables = Object.fromEntries(
    trees.map((tree) => {
      directories.forEach((directory, i) => {
        directory.place[tree].number = i + 1;
        directory.place[tree].bytes = Math.ceil(directoryBytes(directory, tree, continuation).length / SECTOR) * SECTOR;
      });
      const bytes = pathTable(directories, tree, 'LE').length;
      return [tree, { bytes, little: take(bytes), big: take(bytes) }];
    }),
  ) as Record<TreeKind, { bytes: number; little: number; big: number }>;
  for (const tree of trees) for (const directory of directories) directory.place[tree].sector = take(directory.place[tree].bytes);
  for (const directory of directories) {
    for (const child of sorted(directory)) if (child.kind === 'file') child.sector = child.data.length === 0 ? 0 : take(child.data.length);
  }
  if (next * SECTOR > MAX_ISO_BYTES) throw invalidInput(`The files are larger than a disc of ${MAX_ISO_BYTES / 2 ** 20} MiB can hold.`, { field: 'files' });

  const image = Buffer.alloc(next * SECTOR);
  const put = (sector: number, bytes: Buffer): void => void bytes.copy(image, sector * SECTOR);
  put(SYSTEM_AREA_SECTORS, volumeDescriptor('plain', label, next, root, tables.plain));
  put(SYSTEM_AREA_SECTORS + 1, volumeDescriptor('joliet', label, next, root, tables.joliet));
  put(SYSTEM_AREA_SECTORS + 2, Buffer.from('\xffCD001\x01', 'latin1'));
  put(continuation, extensionReference());
  for (const tree of trees) {
    put(tables[tree].little, pathTable(directories, tree, 'LE'));
    put(tables[tree].big, pathTable(directories, tree, 'BE'));
    for (const directory of directories) put(directory.place[tree].sector, directoryBytes(directory, tree, continuation));
  }
  for (const directory of directories) {
    for (const child of sorted(directory)) if (child.kind === 'file') put(child.sector, child.data);
  }
  return image;
}

const newDirectory = (name: string, parent: DirectoryNode | undefined): DirectoryNode => ({
  kind: 'directory',
  name,
  parent,
  children: new Map(),
  place: { plain: { sector: 0, bytes: SECTOR, number: 1 }, joliet: { sector: 0, bytes: SECTOR, number: 1 } },
});

function buildTree(files: ReadonlyMap<string, Buffer>): DirectoryNode {
  const root = newDirectory('', undefined);
  for (const [path, data] of files) {
    const parts = path.split('/');
    const bad = parts.some(
      (part) => part === '' || part === '.' || part === '..' || hasControls(part) || Buffer.byteLength(part) > MAX_NAME_BYTES || part.length > MAX_JOLIET_UNITS,
    );
    if (bad || parts.length > MAX_DEPTH) throw invalidInput('A file of the disc has a name that is not possible there.', { field: 'files' });
    let directory = root;
    for (const part of parts.slice(0, -1)) {
      const found = directory.children.get(part) ?? newDirectory(part, directory);
      if (found.kind === 'file') throw invalidInput('A file of the disc is also one of its directories.', { field: 'files' });
      directory.children.set(part, found);
      directory = found;
    }
    const name = parts.at(-1) as string;
    if (directory.children.has(name)) throw invalidInput('A file of the disc is there twice.', { field: 'files' });
    directory.children.set(name, { kind: 'file', name, data, sector: 0 });
  }
  return root;
}

const hasControls = (text: string): boolean => [...text].some((character) => (character.codePointAt(0) ?? 0) < 32 || character === '\x7f');

/** The order of the path table: by depth, then by parent. */
function breadthFirst(root: DirectoryNode): readonly DirectoryNode[] {
  const all = [root];
  for (let i = 0; i < all.length; i++) {
    for (const child of sorted(all[i] as DirectoryNode)) if (child.kind === 'directory') all.push(child);
  }
  return all;
}

/** One order for both trees, by name. */
const sorted = (directory: DirectoryNode): readonly Node[] => [...directory.children.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Names of one directory in the plain tree: capitals, digits and `_`, 30 characters, unique, `;1` after files. */
function plainNames(directory: DirectoryNode): ReadonlyMap<Node, string> {
  const names = new Map<Node, string>();
  const seen = new Set<string>();
  for (const child of sorted(directory)) {
    const dot = child.kind === 'file' ? child.name.lastIndexOf('.') : -1;
    const clean = (text: string): string => text.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
    const stem = clean(dot > 0 ? child.name.slice(0, dot) : child.name);
    const extension = dot > 0 ? clean(child.name.slice(dot + 1)).slice(0, 8) : '';
    for (let i = 0; ; i++) {
      const suffix = i === 0 ? '' : `_${i}`;
      const base = stem.slice(0, 20 - suffix.length) + suffix;
      const name = child.kind === 'file' ? `${base}.${extension};1` : base;
      if (seen.has(name)) continue;
      seen.add(name);
      names.set(child, name);
      break;
    }
  }
  return names;
}

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

const both32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value, 0);
  bytes.writeUInt32BE(value, 4);
  return bytes;
};
const both16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(value, 0);
  bytes.writeUInt16BE(value, 2);
  return bytes;
};

function directoryRecord(identifier: Buffer, target: Node, tree: TreeKind, extra: Buffer): Buffer {
  const isDirectory = target.kind === 'directory';
  const pad = identifier.length % 2 === 0 ? Buffer.alloc(1) : Buffer.alloc(0);
  const sector = isDirectory ? target.place[tree].sector : target.sector;
  const bytes = isDirectory ? target.place[tree].bytes : target.data.length;
  const body = Buffer.concat([
    both32(sector),
    both32(bytes),
    SHORT_DATE,
    Buffer.from([isDirectory ? 2 : 0, 0, 0]),
    both16(1),
    Buffer.from([identifier.length]),
    identifier,
    pad,
    extra,
  ]);
  const even = body.length % 2 === 0 ? body : Buffer.concat([body, Buffer.alloc(1)]);
  return Buffer.concat([Buffer.from([even.length + 2, 0]), even]);
}

/** Rock Ridge: type and permission (all may read, as every user of the guest may want its metadata), and the true name. */
function rockRidge(target: Node, name: string | undefined): Buffer {
  const isDirectory = target.kind === 'directory';
  const attributes = Buffer.concat([
    Buffer.from('PX\x24\x01', 'latin1'),
    both32(isDirectory ? 0o040555 : 0o100444),
    both32(isDirectory ? 2 : 1),
    both32(0),
    both32(0),
  ]);
  if (name === undefined) return attributes;
  const bytes = Buffer.from(name);
  return Buffer.concat([attributes, Buffer.from('NM', 'latin1'), Buffer.from([5 + bytes.length, 1, 0]), bytes]);
}

/** The root's own record says that Rock Ridge is in use, and where its name stands. */
function rootMarks(continuation: number): Buffer {
  return Buffer.concat([
    Buffer.from('SP\x07\x01\xbe\xef\x00', 'latin1'),
    Buffer.from('CE\x1c\x01', 'latin1'),
    both32(continuation),
    both32(0),
    both32(extensionReference().length),
  ]);
}

function extensionReference(): Buffer {
  const [id, description, source] = [
    'RRIP_1991A',
    'THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS',
    'PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.',
  ];
  const text = Buffer.from(id + description + source, 'latin1');
  return Buffer.concat([Buffer.from('ER', 'latin1'), Buffer.from([8 + text.length, 1, id.length, description.length, source.length, 1]), text]);
}

function directoryBytes(directory: DirectoryNode, tree: TreeKind, continuation: number): Buffer {
  const plain = tree === 'plain';
  const parent = directory.parent ?? directory;
  const own = plain
    ? directory.parent
      ? rockRidge(directory, undefined)
      : Buffer.concat([rootMarks(continuation), rockRidge(directory, undefined)])
    : Buffer.alloc(0);
  const records = [
    directoryRecord(Buffer.from([0]), directory, tree, own),
    directoryRecord(Buffer.from([1]), parent, tree, plain ? rockRidge(parent, undefined) : Buffer.alloc(0)),
  ];
  const names = plain ? plainNames(directory) : undefined;
  const entries = sorted(directory).map((child) => {
    const identifier = names ? Buffer.from(names.get(child) ?? '', 'latin1') : utf16be(child.name);
    return { identifier, record: directoryRecord(identifier, child, tree, plain ? rockRidge(child, child.name) : Buffer.alloc(0)) };
  });
  entries.sort((a, b) => Buffer.compare(a.identifier, b.identifier));
  // A record does not cross a sector's end.
  const sectors: Buffer[] = [];
  let length = 0;
  for (const record of [...records, ...entries.map((entry) => entry.record)]) {
    const room = SECTOR - (length % SECTOR);
    if (room < record.length) {
      sectors.push(Buffer.alloc(room));
      length += room;
    }
    sectors.push(record);
    length += record.length;
  }
  return Buffer.concat(sectors);
}

function pathTable(directories: readonly DirectoryNode[], tree: TreeKind, order: 'LE' | 'BE'): Buffer {
  const parts = directories.map((directory) => {
    const name =
      directory.parent === undefined
        ? Buffer.from([0])
        : tree === 'plain'
          ? Buffer.from(plainNames(directory.parent).get(directory) ?? '', 'latin1')
          : utf16be(directory.name);
    const entry = Buffer.alloc(8 + name.length + (name.length % 2));
    entry[0] = name.length;
    const parent = (directory.parent ?? directory).place[tree].number;
    if (order === 'LE') {
      entry.writeUInt32LE(directory.place[tree].sector, 2);
      entry.writeUInt16LE(parent, 6);
    } else {
      entry.writeUInt32BE(directory.place[tree].sector, 2);
      entry.writeUInt16BE(parent, 6);
    }
    name.copy(entry, 8);
    return entry;
  });
  return Buffer.concat(parts);
}

function volumeDescriptor(
  tree: TreeKind,
  label: string,
  sectors: number,
  root: DirectoryNode,
  table: { readonly bytes: number; readonly little: number; readonly big: number },
): Buffer {
  const plain = tree === 'plain';
  const text = (value: string, bytes: number): Buffer => {
    const field = plain ? Buffer.alloc(bytes, ' ') : utf16be(' '.repeat(bytes / 2));
    (plain ? Buffer.from(value, 'latin1') : utf16be(value)).copy(field);
    return field;
  };
  const descriptor = Buffer.alloc(SECTOR);
  const put = (at: number, bytes: Buffer): void => void bytes.copy(descriptor, at);
  put(0, Buffer.from(`${plain ? '\x01' : '\x02'}CD001\x01`, 'latin1'));
  put(8, text('LINUX', 32));
  put(40, text(label, 32));
  put(80, both32(sectors));
  // Joliet, level 3 of UCS-2.
  if (!plain) put(88, Buffer.from('%/E', 'latin1'));
  put(120, both16(1));
  put(124, both16(1));
  put(128, both16(SECTOR));
  put(132, both32(table.bytes));
  descriptor.writeUInt32LE(table.little, 140);
  descriptor.writeUInt32BE(table.big, 148);
  put(156, directoryRecord(Buffer.from([0]), root, tree, Buffer.alloc(0)));
  for (const at of [190, 318, 446, 574]) put(at, text(at === 574 ? 'CAIRN' : '', 128));
  for (const [at, bytes] of [
    [702, 37],
    [739, 37],
    [776, 37],
  ] as const)
    put(at, plain ? Buffer.alloc(bytes, ' ') : Buffer.concat([utf16be(' '.repeat(18)), Buffer.alloc(1)]));
  for (const [at, date] of [
    [813, LONG_DATE],
    [830, LONG_DATE],
    [847, NO_DATE],
    [864, NO_DATE],
  ] as const)
    put(at, date);
  descriptor[881] = 1;
  return descriptor;
}
