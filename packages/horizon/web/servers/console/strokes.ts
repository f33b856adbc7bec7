/** One key to press. */
export interface Stroke {
  /** X11's name of what the key means. */
  readonly keysym: number;
  /** The key's place on a US keyboard, as KeyboardEvent.code; null where that has none. */
  readonly code: string | null;
  readonly shift: boolean;
}

export const SHIFT = { keysym: 0xffe1, code: 'ShiftLeft' } as const;
const NAMED: Readonly<Record<string, { readonly keysym: number; readonly code: string }>> = {
  '\n': { keysym: 0xff0d, code: 'Enter' },
  '\t': { keysym: 0xff09, code: 'Tab' },
  ' ': { keysym: 0x20, code: 'Space' },
};
/** Keys beside letters: what each gives alone and with Shift. */
const KEYS: Readonly<Record<string, string>> = {
  Backquote: '`~',
  Digit1: '1!',
  Digit2: '2@',
  Digit3: '3#',
  Digit4: '4$',
  Digit5: '5%',
  Digit6: '6^',
  Digit7: '7&',
  Digit8: '8*',
  Digit9: '9(',
  Digit0: '0)',
  Minus: '-_',
  Equal: '=+',
  BracketLeft: '[{',
  BracketRight: ']}',
  Backslash: '\\|',
  Semicolon: ';:',
  Quote: `'"`,
  Comma: ',<',
  Period: '.>',
  Slash: '/?',
};
const PLACES: ReadonlyMap<string, Pick<Stroke, 'code' | 'shift'>> = new Map(
  Object.entries(KEYS).flatMap(([code, signs]) =>
    [...signs].map((sign, index): [string, Pick<Stroke, 'code' | 'shift'>] => [sign, { code, shift: index === 1 }]),
  ),
);

/** The keys of a US keyboard that type a text; what that has no key for goes by its meaning alone, which guests may or may not take. */
export function strokesOf(text: string): readonly Stroke[] {
  return [...text.replaceAll('\r\n', '\n')].flatMap((char): Stroke[] => {
    const named = NAMED[char];
    if (named !== undefined) return [{ ...named, shift: false }];
    const point = char.codePointAt(0) as number;
    // other control characters are no text
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return [];
    if (/^[a-z]$/i.test(char)) return [{ keysym: point, code: `Key${char.toUpperCase()}`, shift: char !== char.toLowerCase() }];
    const place = PLACES.get(char);
    // Latin-1 is as in Unicode; the rest is marked (X11 protocol, appendix A)
    return [{ keysym: point < 0x100 ? point : 0x0100_0000 | point, code: place?.code ?? null, shift: place?.shift ?? false }];
  });
}
