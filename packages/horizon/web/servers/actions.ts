/** What decides whether an action can be done. */
export interface ServerFacts {
  readonly status: string;
  readonly locked: boolean;
  readonly 'OS-EXT-STS:task_state': string | null;
  readonly 'OS-EXT-STS:vm_state': string;
}

/** The actions that the console offers, with their request bodies. */
export const ACTIONS = {
  start: { 'os-start': null },
  stop: { 'os-stop': null },
  rebootSoft: { reboot: { type: 'SOFT' } },
  rebootHard: { reboot: { type: 'HARD' } },
  pause: { pause: null },
  unpause: { unpause: null },
  suspend: { suspend: null },
  resume: { resume: null },
  rescue: { rescue: null },
  unrescue: { unrescue: null },
  shelve: { shelve: null },
  unshelve: { unshelve: null },
  confirmResize: { confirmResize: null },
  revertResize: { revertResize: null },
  lock: { lock: null },
  unlock: { unlock: null },
} as const;
export type ServerAction = keyof typeof ACTIONS;

/** The vm_states from which nova lets each begin; any when absent. Hard reboot mends, so it may begin from almost all. */
const FROM: Readonly<Record<ServerAction, readonly string[] | undefined>> = {
  start: ['stopped'],
  stop: ['active', 'error'],
  rebootSoft: ['active'],
  rebootHard: ['active', 'stopped', 'paused', 'suspended', 'error'],
  pause: ['active'],
  unpause: ['paused'],
  suspend: ['active'],
  resume: ['suspended'],
  rescue: ['active', 'stopped', 'error'],
  unrescue: ['rescued'],
  shelve: ['active', 'stopped', 'paused', 'suspended'],
  unshelve: ['shelved', 'shelved_offloaded'],
  confirmResize: ['resized'],
  revertResize: ['resized'],
  lock: undefined,
  unlock: undefined,
};
/** Those that may begin while another task runs. */
const ANY_TASK = new Set<ServerAction>(['lock', 'unlock', 'rebootHard']);

/** Why an action cannot be done now; undefined when it can. */
export type Hindrance =
  | { readonly why: 'busy'; readonly task: string }
  | { readonly why: 'state'; readonly needs: readonly string[] }
  | { readonly why: 'locked' | 'notLocked' | 'isLocked' };

export function hindranceOf(action: ServerAction, server: ServerFacts): Hindrance | undefined {
  const task = server['OS-EXT-STS:task_state'];
  if (action === 'lock') return server.locked ? { why: 'isLocked' } : undefined;
  if (action === 'unlock') return server.locked ? undefined : { why: 'notLocked' };
  const from = FROM[action];
  if (from !== undefined && !from.includes(server['OS-EXT-STS:vm_state'])) return { why: 'state', needs: from };
  if (server.locked) return { why: 'locked' };
  if (task !== null && !ANY_TASK.has(action)) return { why: 'busy', task };
  return undefined;
}

/** Why it cannot be done with several at once: the first hindrance of any. */
export const hindranceOfAll = (action: ServerAction, servers: readonly ServerFacts[]): Hindrance | undefined => {
  for (const server of servers) {
    const hindrance = hindranceOf(action, server);
    if (hindrance !== undefined) return hindrance;
  }
  return undefined;
};
