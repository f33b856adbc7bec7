/** Does something when the browser has nothing else to do; where a browser cannot say so (Safari), soon. Returns the way to call it off. */
export function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback === 'undefined') {
    const wait = setTimeout(work, 50);
    return () => clearTimeout(wait);
  }
  const wait = requestIdleCallback(work);
  return () => cancelIdleCallback(wait);
}
