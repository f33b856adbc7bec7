/** Pairs of a name and a value, one on each line as `name=value`; undefined when a line is none, or a name stands twice. */
export function propertiesOf(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = new Map<string, string>();
  for (const line of text.split('\n').map((words) => words.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    const name = line.slice(0, at).trim();
    if (at < 1 || name === '' || pairs.has(name)) return undefined;
    pairs.set(name, line.slice(at + 1).trim());
  }
  return Object.fromEntries(pairs);
}

/** The same the other way round. */
export const propertiesText = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

/** What has to be said to make one set of properties into another: null takes one away, as compute's aggregates want it. */
export function propertyChange(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Readonly<Record<string, string | null>> {
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const set = Object.entries(after).filter(([name, value]) => before[name] !== value);
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...Object.fromEntries(set) };
}
