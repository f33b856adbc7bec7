import { isoSeconds } from '@cairn/kit/clock/clock';
import type { StandardColumns } from '../store/tables.ts';

let lastMs = Number.NaN;
let lastText = '';

/** Neutron's times are whole seconds. Rows of a page often share theirs, so the last one is kept. */
export function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastText = isoSeconds(ms);
    lastMs = ms;
  }
  return lastText;
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
