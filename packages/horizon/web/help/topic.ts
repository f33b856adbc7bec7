/** Which text belongs to a page, by the parts of its path: `servers/new` is the launch, a thing's own page is helped by that of its list, and lists of all projects have one text. */
export function topicOf(crumbs: readonly string[], texts: object): string {
  const [first = 'overview', second] = crumbs;
  if (first === 'servers' && second === 'new') return 'launch';
  if (first.startsWith('all-')) return 'all';
  return Object.hasOwn(texts, first) ? first : 'general';
}
