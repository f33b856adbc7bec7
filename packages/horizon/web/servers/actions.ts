/** What decides whether an action can be done. */
export interface ServerFacts {
  readonly status: string;
  readonly locked: boolean;
  readonly locked_reason?: string | null;
  readonly 'OS-EXT-STS:task_state': string | null;
  readonly 'OS-EXT-STS:vm_state': string;
}

/** Who asks: locks do not hold administrators, and some actions are theirs alone. */
export interface Asker {
  readonly roles: readonly string[];
}

/** The actions that need nothing but a click, with their request bodies. */
export const ACTIONS = {
  start: { 'os-start': null },
  stop: { 'os-stop': null },
  rebootSoft: { reboot: { type: 'SOFT' } },
  rebootHard: { reboot: { type: 'HARD' } },
  crashDump: { trigger_crash_dump: null },
  pause: { pause: null },
  unpause: { unpause: null },
  suspend: { suspend: null },
  resume: { resume: null },
  unrescue: { unrescue: null },
  shelve: { shelve: null },
  shelveOffload: { shelveOffload: null },
  unshelve: { unshelve: null },
  confirmResize: { confirmResize: null },
  revertResize: { revertResize: null },
  restore: { restore: null },
  unlock: { unlock: null },
} as const;
export type PlainAction = keyof typeof ACTIONS;

/** The actions that ask for more in a dialog, of one server at a time. */
const FORMS = [
  'rename',
  'resize',
  'metadata',
  'tags',
  'securityGroups',
  'attachVolume',
  'detachVolume',
  'attachInterface',
  'detachInterface',
  'rescue',
  'rebuild',
  'createImage',
  'createBackup',
  'changePassword',
  'getPassword',
  'lock',
  'migrate',
  'migrateLive',
  'evacuate',
  'resetState',
] as const;
export type FormAction = (typeof FORMS)[number];
export type ServerAction = PlainAction | FormAction;
export const isForm = (action: ServerAction): action is FormAction => (FORMS as readonly string[]).includes(action);

interface Rule {
  /** The vm_states from which nova lets it begin; any when absent. */
  readonly from?: readonly string[];
  /** It may begin while another task runs. */
  readonly anyTask?: boolean;
  /** A lock does not hinder it. */
  readonly anyLock?: boolean;
  /** Roles of which one is needed, when a member of the project may not. */
  readonly roles?: readonly string[];
}

const RUNS = ['active', 'stopped', 'paused', 'suspended'] as const;
const ATTACH = ['active', 'paused', 'stopped', 'resized', 'shelved', 'shelved_offloaded'] as const;
const ADMIN = ['admin'] as const;
const MANAGER = ['admin', 'manager'] as const;

/** What nova asks before each (ACTION_RULES and policies of packages/nova). */
const RULES: Readonly<Record<ServerAction, Rule>> = {
  start: { from: ['stopped'] },
  stop: { from: ['active', 'error'] },
  rebootSoft: { from: ['active'] },
  // it mends, so that it may begin from almost all
  rebootHard: { from: ['active', 'stopped', 'paused', 'suspended', 'error'], anyTask: true },
  crashDump: { from: ['active', 'paused', 'rescued', 'resized', 'error'] },
  pause: { from: ['active'] },
  unpause: { from: ['paused'] },
  suspend: { from: ['active'] },
  resume: { from: ['suspended'] },
  rescue: { from: ['active', 'stopped', 'error'] },
  unrescue: { from: ['rescued'] },
  shelve: { from: RUNS },
  shelveOffload: { from: ['shelved'], roles: ADMIN },
  unshelve: { from: ['shelved', 'shelved_offloaded'] },
  resize: { from: ['active', 'stopped'] },
  confirmResize: { from: ['resized'] },
  revertResize: { from: ['resized'] },
  rebuild: { from: ['active', 'stopped', 'error'] },
  createImage: { from: RUNS, anyLock: true },
  createBackup: { from: RUNS, anyLock: true },
  changePassword: { from: ['active'] },
  getPassword: { anyTask: true, anyLock: true },
  rename: { anyTask: true, anyLock: true },
  metadata: { from: RUNS, anyTask: true },
  tags: { from: RUNS, anyTask: true, anyLock: true },
  securityGroups: { from: ['active', 'stopped', 'paused', 'suspended', 'resized', 'rescued'], anyTask: true, anyLock: true },
  attachVolume: { from: ATTACH },
  detachVolume: { from: ATTACH },
  attachInterface: { from: ['active', 'paused', 'stopped'] },
  detachInterface: { from: ['active', 'paused', 'stopped'] },
  migrate: { from: ['active', 'stopped'], roles: MANAGER },
  migrateLive: { from: ['active', 'paused'], roles: MANAGER },
  evacuate: { from: ['active', 'stopped', 'error'], anyTask: true, anyLock: true, roles: ADMIN },
  resetState: { anyTask: true, anyLock: true, roles: ADMIN },
  restore: { from: ['soft-delete'] },
  lock: { anyTask: true, anyLock: true },
  unlock: { anyTask: true, anyLock: true },
};

/** Why an action cannot be done now; undefined when it can. */
export type Hindrance =
  | { readonly why: 'busy'; readonly task: string }
  | { readonly why: 'state'; readonly needs: readonly string[] }
  | { readonly why: 'role'; readonly needs: readonly string[] }
  | { readonly why: 'locked'; readonly reason: string }
  | { readonly why: 'notLocked' | 'isLocked' | 'single' };

export function hindranceOf(action: ServerAction, server: ServerFacts, asker: Asker): Hindrance | undefined {
  const { from, anyTask = false, anyLock = false, roles } = RULES[action];
  const task = server['OS-EXT-STS:task_state'];
  if (roles !== undefined && !roles.some((role) => asker.roles.includes(role))) return { why: 'role', needs: roles };
  if (action === 'lock' && server.locked) return { why: 'isLocked' };
  if (action === 'unlock' && !server.locked) return { why: 'notLocked' };
  if (from !== undefined && !from.includes(server['OS-EXT-STS:vm_state'])) return { why: 'state', needs: from };
  if (server.locked && !anyLock && !asker.roles.includes('admin')) return { why: 'locked', reason: server.locked_reason ?? '' };
  if (task !== null && !anyTask) return { why: 'busy', task };
  return undefined;
}

/** Why it cannot be done with several at once: the first hindrance of any. */
export const hindranceOfAll = (action: ServerAction, servers: readonly ServerFacts[], asker: Asker): Hindrance | undefined => {
  if (isForm(action) && servers.length > 1) return { why: 'single' };
  for (const server of servers) {
    const hindrance = hindranceOf(action, server, asker);
    if (hindrance !== undefined) return hindrance;
  }
  return undefined;
};

/** Why a server cannot be deleted: a lock protects it, from all but administrators. */
export const hindranceOfDeletion = (servers: readonly ServerFacts[], asker: Asker): Hindrance | undefined => {
  const locked = asker.roles.includes('admin') ? undefined : servers.find((server) => server.locked);
  return locked === undefined ? undefined : { why: 'locked', reason: locked.locked_reason ?? '' };
};
