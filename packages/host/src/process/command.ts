/** Who a process runs as. Numbers, so that no name service is asked and nothing is looked up twice. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; none by default. */
  readonly groups?: readonly number[];
}

/** How a process is fenced in; each part is one wrapper in front of the command. */
export interface Confinement {
  /** Runs in the network namespace `/run/netns/<name>`, or of that path when it is absolute. */
  readonly netns?: string | undefined;
  /** Runs as this user, without capabilities and unable to gain privileges. */
  readonly user?: ProcessUser | undefined;
  /** Runs as Cairn's own user, but without any of its capabilities. For root without another user to change to. */
  readonly powerless?: boolean | undefined;
  readonly limits?: ProcessLimits | undefined;
  /** The kernel kills it when the thread that started it ends, so nothing outlives a crash of Cairn. */
  readonly dieWithParent?: boolean | undefined;
}

/** Kernel limits (setrlimit) of the process; children have each the same. */
export interface ProcessLimits {
  readonly cpuSeconds?: number;
  /** Address space, not resident memory. */
  readonly memoryBytes?: number;
  /** The largest file it may write. */
  readonly fileBytes?: number;
  readonly openFiles?: number;
}

const wholeNumber = (what: string, value: number): string => {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${what} is not a whole number: ${value}`);
  return String(value);
};

/**
 * The argv that runs `command` inside of `confinement`: nsenter (needs root), then prlimit, then setpriv (gives root up), then
 * the command. The wrappers replace themselves (exec), so the process id is the command's own.
 */
export function confine(command: string, args: readonly string[], confinement: Confinement = {}): readonly [string, ...string[]] {
  const argv: string[] = [];
  const { netns, user, limits, dieWithParent, powerless } = confinement;
  if (netns !== undefined) argv.push('nsenter', `--net=${netnsPath(netns)}`, '--');
  if (limits) {
    const flags: string[] = [];
    // The hard limit one second later: SIGXCPU first, SIGKILL for who ignores it.
    if (limits.cpuSeconds !== undefined) flags.push(`--cpu=${wholeNumber('cpuSeconds', limits.cpuSeconds)}:${limits.cpuSeconds + 1}`);
    if (limits.memoryBytes !== undefined) flags.push(`--as=${wholeNumber('memoryBytes', limits.memoryBytes)}`);
    if (limits.fileBytes !== undefined) flags.push(`--fsize=${wholeNumber('fileBytes', limits.fileBytes)}`);
    if (limits.openFiles !== undefined) flags.push(`--nofile=${wholeNumber('openFiles', limits.openFiles)}`);
    if (flags.length) argv.push('prlimit', ...flags, '--core=0', '--');
  }
  if (user || powerless || dieWithParent) {
    argv.push('setpriv');
    if (user) {
      const groups = user.groups?.length ? `--groups=${user.groups.map((g) => wholeNumber('group', g)).join(',')}` : '--clear-groups';
      argv.push(`--reuid=${wholeNumber('uid', user.uid)}`, `--regid=${wholeNumber('gid', user.gid)}`, groups);
    }
    if (user || powerless) argv.push('--no-new-privs', '--bounding-set=-all', '--inh-caps=-all');
    if (dieWithParent) argv.push('--pdeathsig=KILL');
    argv.push('--');
  }
  argv.push(command, ...args);
  return argv as [string, ...string[]];
}

/** The file of a named network namespace. */
export function netnsPath(netns: string): string {
  if (netns.startsWith('/')) return netns;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(netns)) throw new Error(`not a name of a network namespace: ${JSON.stringify(netns)}`);
  return `/run/netns/${netns}`;
}

/** QEMU's key=value options end a value at a comma; a doubled one is a comma of the value. */
export const escapeOption = (value: string): string => value.replaceAll(',', ',,');
