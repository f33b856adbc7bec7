/**
 * Python's `re.match(pattern, text)`: a match at the start. Understands what the two languages spell differently: `(?P<name>...)`, `(?P=name)`,
 * `\A`, `\Z`, and flags at the start. undefined for a pattern that is none.
 */
export function compilePythonRegex(pattern: string): ((text: string) => boolean) | undefined {
  let source = pattern;
  let flags = '';
  const inline = /^\(\?([aimsux]+)\)/.exec(source);
  if (inline) {
    source = source.slice(inline[0].length);
    for (const flag of ['i', 'm', 's']) if (inline[1]?.includes(flag)) flags += flag;
    if (inline[1]?.includes('x')) return undefined;
  }
  source = source
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/(?<!\\)((?:\\\\)*)\\A/g, '$1^')
    .replace(/(?<!\\)((?:\\\\)*)\\Z/g, '$1$');
  for (const unicode of ['u', '']) {
    try {
      const regex = new RegExp(source, `${flags}${unicode}y`);
      return (text) => {
        regex.lastIndex = 0;
        return regex.test(text);
      };
    } catch {
      // without the strict reading of escapes, once more
    }
  }
  return undefined;
}
