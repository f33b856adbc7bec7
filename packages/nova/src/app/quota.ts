import type { StoredLimits } from '../store/quota.ts';

/** The limit that holds for a project, and for one of its users: set values first, then the default class, then the configuration. */
export function effectiveLimit(stored: StoredLimits, defaults: Readonly<Record<string, number>>, resource: string, level: 'project' | 'user'): number {
  const project = stored.project[resource] ?? stored.defaultClass[resource] ?? defaults[resource] ?? -1;
  return level === 'project' ? project : (stored.user[resource] ?? project);
}
