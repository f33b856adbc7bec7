/** Metadata as it was typed; undefined where a key is missing or there twice. Rows that are empty throughout do not count. */
export function metadataOf(items: readonly { readonly key: string; readonly value: string }[]): Readonly<Record<string, string>> | undefined {
  const rows = items.map(({ key, value }) => [key.trim(), value] as const).filter(([key, value]) => key !== '' || value !== '');
  const keys = new Set(rows.map(([key]) => key));
  return keys.size < rows.length || keys.has('') ? undefined : Object.fromEntries(rows);
}

/** Tags as they were typed, between commas, each once. */
export const tagsOf = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
];
