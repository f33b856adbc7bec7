const GOOD = new Set(['active', 'available', 'in-use', 'up', 'completed', 'confirmed', 'succeeded', 'success', 'accepted']);
const BUSY = new Set([
  'build',
  'reboot',
  'hard_reboot',
  'rebuild',
  'resize',
  'verify_resize',
  'revert_resize',
  'migrating',
  'password',
  'creating',
  'downloading',
  'attaching',
  'detaching',
  'deleting',
  'extending',
  'reserved',
  'uploading',
  'queued',
  'saving',
  'importing',
  'backing-up',
  'restoring-backup',
  'restoring',
  'reverting',
  'retyping',
  'awaiting-transfer',
  'maintenance',
  'pending',
  'processing',
]);
const OFF = new Set(['shutoff', 'paused', 'suspended', 'shelved', 'shelved_offloaded', 'rescue', 'soft_deleted', 'deleted', 'down', 'deactivated', 'killed']);

/** What a state of servers, ports, volumes or images means to people. */
export function kindOfStatus(status: string): 'good' | 'bad' | 'busy' | 'off' | 'unknown' {
  const name = status.toLowerCase();
  if (name.startsWith('error') || name === 'failure') return 'bad';
  if (GOOD.has(name)) return 'good';
  if (BUSY.has(name)) return 'busy';
  return OFF.has(name) ? 'off' : 'unknown';
}
