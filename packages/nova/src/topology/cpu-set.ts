import { invalidInput } from '@cairn/kit/errors/errors';

/** Reads `0-3,8,^2`: the named numbers without those behind a `^`, in order. Throws InvalidInput. */
export function parseCpuSet(text: string): readonly number[] {
  const chosen = new Set<number>();
  const excluded = new Set<number>();
  for (const part of text.split(',')) {
    const rule = part.trim();
    if (rule === '') continue;
    const match = /^(\^?)(\d{1,5})(?:-(\d{1,5}))?$/.exec(rule);
    if (!match) throw invalidInput(`Invalid inclusion expression '${rule}'`);
    const [, not, first = '', last = first] = match;
    if (Number(first) > Number(last)) throw invalidInput(`Invalid range expression '${rule}'`);
    for (let cpu = Number(first); cpu <= Number(last); cpu += 1) (not === '^' ? excluded : chosen).add(cpu);
  }
  return [...chosen].filter((cpu) => !excluded.has(cpu)).sort((a, b) => a - b);
}

/** A mask among a server's processors; one that begins with `^` is of all but those. */
export const parseMask = (text: string, vcpus: number): readonly number[] => parseCpuSet(text.trim().startsWith('^') ? `0-${vcpus - 1},${text}` : text);
