import { type CairnError, conflict } from '@cairn/kit/errors/errors';

/** Stable states (nova/compute/vm_states.py). */
export const VM_STATES = [
  'active',
  'building',
  'paused',
  'suspended',
  'stopped',
  'rescued',
  'resized',
  'soft-delete',
  'deleted',
  'error',
  'shelved',
  'shelved_offloaded',
] as const;
export type VmState = (typeof VM_STATES)[number];

/**
 * Transitional states that servers of this cloud pass through, with how long each may last before the reconciler settles it (hosts/settle.ts).
 * Every limit is longer than the deadlines of the saga behind it, undo included, so it only ever catches what has lost its saga.
 */
export const TASK_DEADLINE_MS = {
  scheduling: 3_600_000,
  networking: 3_600_000,
  block_device_mapping: 3_600_000,
  spawning: 3_600_000,
  image_snapshot_pending: 7_200_000,
  image_uploading: 7_200_000,
  rebooting: 900_000,
  rebooting_hard: 900_000,
  pausing: 600_000,
  unpausing: 600_000,
  suspending: 900_000,
  resuming: 900_000,
  resize_prep: 7_200_000,
  resize_migrating: 7_200_000,
  resize_finish: 7_200_000,
  resize_reverting: 3_600_000,
  migrating: 7_200_000,
  'powering-off': 900_000,
  'powering-on': 900_000,
  rescuing: 3_600_000,
  unrescuing: 900_000,
  rebuilding: 7_200_000,
  rebuild_block_device_mapping: 7_200_000,
  rebuild_spawning: 7_200_000,
  shelving: 7_200_000,
  shelving_image_uploading: 7_200_000,
  shelving_offloading: 7_200_000,
  unshelving: 3_600_000,
  image_backup: 7_200_000,
  'soft-deleting': 900_000,
  restoring: 900_000,
  updating_password: 300_000,
  deleting: 900_000,
} as const satisfies Readonly<Record<string, number>>;
export type TaskState = keyof typeof TASK_DEADLINE_MS;

/** Nova's numbers of power states (nova/compute/power_state.py). */
export const POWER = { nostate: 0, running: 1, paused: 3, shutdown: 4, crashed: 6, suspended: 7 } as const;

const REBUILD = { rebuilding: 'REBUILD', rebuild_block_device_mapping: 'REBUILD', rebuild_spawning: 'REBUILD' };
const RESIZE = { resize_prep: 'RESIZE', resize_migrating: 'RESIZE', resize_migrated: 'RESIZE', resize_finish: 'RESIZE' };

/** vm_state → task_state (or `default`) → the status that users see (nova/api/openstack/common.py, _STATE_MAP). */
const STATUS: Readonly<Record<VmState, Readonly<Record<string, string>>>> = {
  active: {
    default: 'ACTIVE',
    rebooting: 'REBOOT',
    reboot_pending: 'REBOOT',
    reboot_started: 'REBOOT',
    rebooting_hard: 'HARD_REBOOT',
    reboot_pending_hard: 'HARD_REBOOT',
    reboot_started_hard: 'HARD_REBOOT',
    updating_password: 'PASSWORD',
    migrating: 'MIGRATING',
    ...REBUILD,
    ...RESIZE,
  },
  building: { default: 'BUILD' },
  stopped: { default: 'SHUTOFF', ...RESIZE, ...REBUILD },
  resized: { default: 'VERIFY_RESIZE', resize_reverting: 'REVERT_RESIZE' },
  paused: { default: 'PAUSED', migrating: 'MIGRATING' },
  suspended: { default: 'SUSPENDED' },
  rescued: { default: 'RESCUE' },
  error: { default: 'ERROR', ...REBUILD },
  deleted: { default: 'DELETED' },
  'soft-delete': { default: 'SOFT_DELETED' },
  shelved: { default: 'SHELVED' },
  shelved_offloaded: { default: 'SHELVED_OFFLOADED' },
};

/** A server's `status`. A deleted server's states no longer matter. */
export function statusOf(server: { readonly vm_state: string; readonly task_state: string | null; readonly deleted: number }): string {
  if (server.deleted === 1) return 'DELETED';
  const byTask = STATUS[server.vm_state as VmState] as Readonly<Record<string, string>> | undefined;
  if (byTask === undefined) return 'UNKNOWN';
  return (server.task_state === null ? undefined : byTask[server.task_state]) ?? (byTask['default'] as string);
}

/** The states that have one of these statuses, any letter case, sorted; a task state `default` stands for those without one of their own. */
export function statesOfStatuses(statuses: readonly string[]): { readonly vmStates: string[]; readonly taskStates: string[] } {
  const wanted = new Set(statuses.map((status) => status.toLowerCase()));
  const vmStates = new Set<string>();
  const taskStates = new Set<string>();
  for (const [vmState, byTask] of Object.entries(STATUS)) {
    for (const [taskState, status] of Object.entries(byTask)) {
      if (!wanted.has(status.toLowerCase())) continue;
      vmStates.add(vmState);
      taskStates.add(taskState);
    }
  }
  return { vmStates: [...vmStates].sort(), taskStates: [...taskStates].sort() };
}

/** What an action asks of a server before it begins. */
export interface ActionRule {
  /** The word in the refusal: "Cannot 'stop' instance ... while it is in vm_state paused". */
  readonly verb: string;
  /** Any when absent. */
  readonly vmStates?: readonly VmState[];
  /** `[null]` when absent; 'any' does not look. */
  readonly taskStates?: readonly (string | null)[] | 'any';
  /** The server must have run once; default true. */
  readonly launched?: boolean;
  /** A lock keeps everybody but administrators off; default true. */
  readonly heedsLock?: boolean;
  /** It must be on a host, or be offloaded from a shelf where the action may find it so; default false. */
  readonly needsHost?: boolean;
}

const ALLOW_HARD_REBOOT: readonly (string | null)[] = [
  null,
  'rebooting',
  'reboot_pending',
  'reboot_started',
  'resuming',
  'rebooting_hard',
  'unpausing',
  'pausing',
  'suspending',
];

/** What each action asks (the decorators of nova/compute/api.py). */
export const ACTION_RULES = {
  softReboot: { verb: 'reboot', vmStates: ['active'] },
  hardReboot: { verb: 'reboot', vmStates: ['active', 'stopped', 'paused', 'suspended', 'error'], taskStates: ALLOW_HARD_REBOOT },
  // start and stop look at the task state when they write it, so the words are the same
  stop: { verb: 'stop', vmStates: ['active', 'error'], needsHost: true },
  start: { verb: 'start', vmStates: ['stopped'], needsHost: true },
  pause: { verb: 'pause', vmStates: ['active'] },
  unpause: { verb: 'unpause', vmStates: ['paused'] },
  suspend: { verb: 'suspend', vmStates: ['active'] },
  resume: { verb: 'resume', vmStates: ['suspended'] },
  createImage: { verb: 'createImage', vmStates: ['active', 'stopped', 'paused', 'suspended'], heedsLock: false },
  rebuild: { verb: 'rebuild', vmStates: ['active', 'stopped', 'error'] },
  rescue: { verb: 'rescue', vmStates: ['active', 'stopped', 'error'], needsHost: true },
  unrescue: { verb: 'unrescue', vmStates: ['rescued'] },
  shelve: { verb: 'shelve', vmStates: ['active', 'stopped', 'paused', 'suspended'] },
  shelveOffload: { verb: 'shelveOffload', vmStates: ['shelved'] },
  unshelve: { verb: 'unshelve', vmStates: ['shelved', 'shelved_offloaded'] },
  createBackup: { verb: 'createBackup', vmStates: ['active', 'stopped', 'paused', 'suspended'], heedsLock: false },
  changePassword: { verb: 'changePassword', vmStates: ['active'] },
  softDelete: { verb: 'delete' },
  triggerCrashDump: { verb: 'trigger_crash_dump', vmStates: ['active', 'paused', 'rescued', 'resized', 'error'], needsHost: true },
  delete: { verb: 'delete', taskStates: 'any', launched: false },
  forceDelete: { verb: 'forceDelete', taskStates: 'any', launched: false },
  resize: { verb: 'resize', vmStates: ['active', 'stopped'] },
  migrate: { verb: 'migrate', vmStates: ['active', 'stopped'] },
  confirmResize: { verb: 'confirmResize', vmStates: ['resized'] },
  revertResize: { verb: 'revertResize', vmStates: ['resized'] },
  migrateLive: { verb: 'os-migrateLive', vmStates: ['active', 'paused'] },
  forceComplete: { verb: 'force_complete', vmStates: ['active'], taskStates: ['migrating'] },
  abortLiveMigration: { verb: 'abort live migration', taskStates: ['migrating'] },
  evacuate: { verb: 'evacuate', vmStates: ['active', 'stopped', 'error'], taskStates: 'any', heedsLock: false },
  restore: { verb: 'restore', vmStates: ['soft-delete'] },
  attachVolume: { verb: 'attach_volume', vmStates: ['active', 'paused', 'stopped', 'resized', 'soft-delete', 'shelved', 'shelved_offloaded'] },
  swapVolume: { verb: 'swap_volume', vmStates: ['active', 'paused', 'resized'], needsHost: true },
  detachVolume: { verb: 'detach_volume', vmStates: ['active', 'paused', 'stopped', 'resized', 'soft-delete', 'shelved', 'shelved_offloaded'], needsHost: true },
  attachInterface: { verb: 'attach_interface', vmStates: ['active', 'paused', 'stopped'] },
  detachInterface: { verb: 'detach_interface', vmStates: ['active', 'paused', 'stopped'] },
  updateMetadata: { verb: 'update metadata', vmStates: ['active', 'paused', 'suspended', 'stopped'], taskStates: 'any' },
  deleteMetadata: { verb: 'delete metadata', vmStates: ['active', 'paused', 'suspended', 'stopped'], taskStates: 'any' },
  updateTag: { verb: 'update tag', vmStates: ['active', 'paused', 'suspended', 'stopped'], taskStates: 'any', launched: false, heedsLock: false },
  updateTags: { verb: 'update tags', vmStates: ['active', 'paused', 'suspended', 'stopped'], taskStates: 'any', launched: false, heedsLock: false },
  deleteTag: { verb: 'delete tag', vmStates: ['active', 'paused', 'suspended', 'stopped'], taskStates: 'any', launched: false, heedsLock: false },
  deleteTags: { verb: 'delete tags', vmStates: ['active', 'paused', 'suspended', 'stopped'], taskStates: 'any', launched: false, heedsLock: false },
} as const satisfies Readonly<Record<string, ActionRule>>;
export type ActionName = keyof typeof ACTION_RULES;

export interface StateFacts {
  readonly id: string;
  readonly vm_state: string;
  readonly task_state: string | null;
  readonly launched_at_ms: number | null;
  readonly host: string | null;
  readonly locked: number;
}

/** Throws upstream's 409 when the server is in no state for the action; checks in upstream's order: lock, host, vm_state, task_state, launched_at. */
export function checkAction(server: StateFacts, rule: ActionRule, admin: boolean): void {
  if (server.locked === 1 && !admin && rule.heedsLock !== false) throw conflict(`Instance ${server.id} is locked`);
  const mayBeOffloaded = server.vm_state === 'shelved_offloaded' && rule.vmStates?.includes('shelved_offloaded');
  if (rule.needsHost === true && server.host === null && !mayBeOffloaded) throw conflict(`Instance ${server.id} is not ready`);
  if (rule.vmStates !== undefined && !rule.vmStates.includes(server.vm_state as VmState)) throw invalidState(rule.verb, server.id, 'vm_state', server.vm_state);
  const taskStates = rule.taskStates ?? [null];
  if (taskStates !== 'any' && !taskStates.includes(server.task_state)) throw invalidState(rule.verb, server.id, 'task_state', server.task_state);
  // a missing attribute value has no words of its own upstream
  if (rule.launched !== false && server.launched_at_ms === null) throw conflict(`Instance ${server.id} is in an invalid state for '${rule.verb}'`);
}

/** "Cannot 'reboot' instance X while it is in task_state deleting". */
export function invalidState(verb: string, serverId: string, attribute: 'vm_state' | 'task_state', state: string | null): CairnError {
  return conflict(`Cannot '${verb}' instance ${serverId} while it is in ${attribute} ${state}`);
}
