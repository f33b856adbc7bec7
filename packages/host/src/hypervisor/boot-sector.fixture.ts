/**
 * Guests of one sector: 16-bit programs that a firmware boots in well under a second, so that tests see what guests do (print, power off,
 * panic, let devices go, write to disk) without an operating system. The ports are those that SeaBIOS sets up on q35.
 */
export type Program =
  /** Waits for ever. */
  | 'idle'
  /** Powers off at once. */
  | 'powers off'
  /** Tells pvpanic. */
  | 'panics'
  /** Powers off when the power button is pressed. */
  | 'minds the button'
  /** Lets every device go that it is asked to. */
  | 'lets devices go'
  /** Prints a dot at each tick of the clock (18 a second). */
  | 'ticks'
  /** Writes a growing number to the third sector of its disk at each tick, and prints a dot. */
  | 'writes';

const code = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

const POWER_OFF = 'ba0406 b80020 ef'; // mov dx,0x604; mov ax,0x2000; out dx,ax
const HALT = 'f4 ebfd'; // hlt; jmp here
const DOT = 'baf803 b02e ee'; // mov dx,0x3f8; mov al,'.'; out dx,al

const PROGRAMS: Readonly<Record<Program, string>> = {
  idle: HALT,
  'powers off': POWER_OFF + HALT,
  panics: `ba0505 b001 ee ${HALT}`, // mov dx,0x505; mov al,1; out dx,al
  // mov dx,0x602; mov ax,0x100; out dx,ax (enable); mov dx,0x600; wait: hlt; in ax,dx; test ah,1; jz wait
  'minds the button': `ba0206 b80001 ef ba0006 f4 ed f6c401 74f9 ${POWER_OFF} ${HALT}`,
  // again: hlt; xor ecx,ecx; next: select bus ecx; read what shall go; write it to the eject register; inc cx; cmp cx,40; jb next; jmp again
  'lets devices go': 'f4 6631c9 6689c8 bad00c 66ef bac40c 66ed 6685c0 7405 bac80c 66ef 41 83f928 72e3 ebdd',
  // again: hlt; dot; jmp again
  ticks: `f4 ${DOT} ebf7`,
  // again: hlt; inc dword [0x7e00]; write 1 sector from 0:0x7e00 to cylinder 0, head 0, sector 3 of disk 0x80; dot; jmp again
  writes: `f4 66ff06007e b80103 bb007e b90300 ba8000 cd13 ${DOT} ebe4`,
};

/** A bootable disk of `sizeMb` whose program first prints `says` to the serial console. */
export function bootDisk(program: Program, says = 'hello', sizeMb = 1): Buffer {
  // xor ax,ax; mov ds,ax; mov es,ax; cld; sti; mov si,text; mov dx,0x3f8; print: lodsb; test al,al; jz done; out dx,al; jmp print
  const prologue = (text: number): Buffer =>
    Buffer.concat([code('31c0 8ed8 8ec0 fc fb be'), code(Buffer.from([text & 0xff, text >> 8]).toString('hex')), code('baf803 ac 84c0 7403 ee ebf8')]);
  const body = code(PROGRAMS[program]);
  const text = Buffer.from(`${says}\r\n\0`, 'latin1');
  const at = 0x7c00 + prologue(0).length + body.length;
  const sector = Buffer.concat([prologue(at), body, text]);
  if (sector.length > 510) throw new Error('the program does not fit into a sector');
  const disk = Buffer.alloc(sizeMb * 2 ** 20);
  sector.copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

/** What the program `writes` has written last. */
export const writtenNumber = (disk: Buffer): number => disk.readUInt32LE(1024);

/**
 * A kernel by the PC boot protocol (version 2.02): 1 sector of header, 4 sectors of real-mode setup, and a protected-mode part that is never
 * reached. The setup prints `says`, a blank and its command line to the serial console.
 */
export function bootKernel(says: string): Buffer {
  const image = Buffer.alloc(6 * 512);
  image.writeUInt8(4, 0x1f1); // sectors of setup
  image.writeUInt16LE(0xaa55, 0x1fe);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x0202, 0x206); // version: the command line's address is at 0x228
  image.writeUInt8(1, 0x211); // loaded high
  image.writeUInt32LE(0x100000, 0x214);
  // The entry is at 0x200, two bytes before the signature: jmp to 0x240.
  code('eb3e').copy(image, 0x200);
  // cli; push cs; pop ds; cld; mov si,text; print until 0; then the command line: lds si of (linear address >> 4) : (address & 15), print; halt.
  const print = 'ac 84c0 7403 ee ebf8'; // lodsb; test al,al; jz done; out dx,al; jmp print
  const text = 0x100;
  const body = [
    `fa 0e 1f fc be${hex16(text)} baf803`,
    print,
    // mov eax,[0x28] (header field 0x228, setup is loaded from 0x200 on); mov ebx,eax; shr eax,4; mov ds,ax; and bx,15; mov si,bx
    '66a12800 6689c3 66c1e804 8ed8 83e30f 89de',
    print,
    HALT,
  ].join(' ');
  code(body).copy(image, 0x240);
  image.write(`${says} \0`, 0x200 + text, 'latin1');
  return image;
}

const hex16 = (n: number): string => Buffer.from([n & 0xff, n >> 8]).toString('hex');
