import { isoSeconds } from '@cairn/kit/clock/clock';
import type { StandardColumns } from '../store/tables.ts';

/** Texts of seconds that were asked for lately: the rows of a page share many. */
const texts = new Map<number, string>();
const KEPT = 1_000;

/** Neutron's times are whole seconds. */
export function timeText(ms: number): string {
  const second = Math.floor(ms / 1_000);
  let text = texts.get(second);
  if (text === undefined) {
    if (texts.size >= KEPT) texts.clear();
    text = isoSeconds(ms);
    texts.set(second, text);
  }
  return text;
}

/** `2026-01-31 12:00:00`: the times of agents. */
export const plainTime = (ms: number): string => isoSeconds(ms).slice(0, 19).replace('T', ' ');

/** The standard attributes of a view. */
export const standardView = (row: StandardColumns): Record<string, unknown> => ({
  id: row.id,
  tenant_id: row.project_id,
  project_id: row.project_id,
  description: row.description,
  created_at: timeText(row.created_at_ms),
  updated_at: timeText(row.updated_at_ms),
  revision_number: row.revision_number,
});
