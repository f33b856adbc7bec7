interface SchemaDetail {
  readonly keyword: string;
  /** JSON pointer of the value at fault. */
  readonly path: string;
  /** JSON pointer of the keyword within the schema, with a `#`. */
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

/** What breaks a schema, told with the place in the schema and in the value, as upstream's validator (jsonschema) does. Takes the detail of kit's ValidationError. */
export function schemaFault(from: unknown): string {
  const detail = from as SchemaDetail;
  const schemaPath = unpoint(detail.schemaPath.replace(/^#/, '')).slice(0, -1);
  const instance = JSON.stringify(detail.value) ?? '';
  return `${reasonOf(detail)}\n\nFailed validating '${detail.keyword}' in schema${indexed(schemaPath)}:\n    ${JSON.stringify(detail.schema)}\n\nOn instance${indexed(unpoint(detail.path))}:\n    ${instance.slice(0, 1_000)}`;
}

function reasonOf({ keyword, params, reason, schema }: SchemaDetail): string {
  const patterns = Object.keys((schema['patternProperties'] as object | undefined) ?? {});
  if (keyword !== 'additionalProperties' || patterns.length === 0) return reason;
  return `'${String(params['additionalProperty'])}' does not match any of the regexes: ${patterns
    .toSorted()
    .map((p) => `'${p}'`)
    .join(', ')}`;
}

// pointer parts are URI-encoded within schemas
const unpoint = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => decode(part).replaceAll('~1', '/').replaceAll('~0', '~'));
const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};
const indexed = (path: readonly string[]): string => path.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `['${part}']`)).join('');
