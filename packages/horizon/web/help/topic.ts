/** Which text belongs to a page, by the parts of its path: `servers/new` is the launch, a thing's own page is helped by that of its list. */
export function topicOf(crumbs: readonly string[], texts: object): string {
  const [first = 'overview', second] = crumbs;
  if (first === 'servers' && second === 'new') return 'launch';
  return first in texts ? first : 'general';
}
