import { invalid } from '../errors.ts';

/** The names that endpoint URLs may be parametrised by; the last two belong to upstream's configuration and stand for nothing here. */
const KNOWN = new Set(['tenant_id', 'project_id', 'user_id', 'compute_host', 'public_endpoint']);
/** `%(project_id)s` or `$(project_id)s`; `%%` is a percent sign. */
const PARTS = /%%|[%$]\(([^)]*)\)s|[%]/g;

/** Refuses a URL that Python's formatting, as which upstream reads it, would not take. */
export function checkUrl(url: string): void {
  for (const [part, name] of url.matchAll(PARTS)) {
    if (part === '%' || (name !== undefined && !KNOWN.has(name))) throw invalid(`Cannot create an endpoint with an invalid URL: ${url}.`, 'url');
  }
  if (/\$\([^)]*\)(?!s)|\$\([^)]*$/.test(url)) throw invalid(`Cannot create an endpoint with an invalid URL: ${url}.`, 'url');
}

/** The URL for a scope; undefined where it needs what is not there, or is malformed. */
export function substituteUrl(url: string, scope: { readonly userId: string; readonly projectId: string | undefined }): string | undefined {
  if (!/[%$]/.test(url)) return url;
  let broken = false;
  const result = url.replace(PARTS, (part, name: string | undefined) => {
    if (part === '%%') return '%';
    const value = name === 'user_id' ? scope.userId : name === 'project_id' || name === 'tenant_id' ? scope.projectId : undefined;
    if (value === undefined) broken = true;
    return value ?? '';
  });
  return broken ? undefined : result;
}
