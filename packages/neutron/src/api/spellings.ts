/** What can be done to one of a collection is no collection, and has one name. */
const ACTION = /^(?:add|remove|get|onboard)_/;

/**
 * Other spellings of a path (`/v2.0/local_ips/:id/port_associations`): upstream finds a collection whether the words of its name are joined by `-` or by
 * `_` (neutron/manager.py get_controller_for_resource), and clients make use of that.
 */
export function spellings(path: string): readonly string[] {
  let paths = [''];
  for (const part of path.split('/').slice(1)) {
    const words = part.startsWith(':') || ACTION.test(part) ? [part] : [...new Set([part, part.replaceAll('-', '_'), part.replaceAll('_', '-')])];
    paths = paths.flatMap((before) => words.map((word) => `${before}/${word}`));
  }
  return paths.filter((other) => other !== path);
}
