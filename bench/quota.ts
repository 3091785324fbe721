// A slice of a processor for one process: the kernel's quota where this user may set one, else by stopping and continuing it.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Quota {
  /** How it was done, for the report. */
  readonly how: string;
  release(): void;
}

/** Lambda's own period, in µs. */
const PERIOD = 20_000;
const COARSE_PERIOD_MS = 100;

/** `share` of one processor for the process and its threads. */
export function limit(pid: number, share: number): Quota {
  return cgroup(pid, share) ?? dutyCycle(pid, share);
}

function cgroup(pid: number, share: number): Quota | undefined {
  const quota = Math.round(share * PERIOD);
  const second = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const root = second ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu';
  const group = join(root, `penstock-bench-${pid}`);
  try {
    mkdirSync(group);
    const limits = second
      ? { 'cpu.max': `${quota} ${PERIOD}` }
      : { 'cpu.cfs_period_us': PERIOD, 'cpu.cfs_quota_us': quota };
    for (const [name, value] of Object.entries(limits)) writeFileSync(join(group, name), String(value));
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
  } catch {
    remove(group);
    return undefined;
  }
  return {
    how: `a cgroup quota of ${quota} in ${PERIOD} µs`,
    release() {
      writeFileSync(join(root, 'cgroup.procs'), String(pid));
      remove(group);
    },
  };
}

function remove(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // It was not made, or the kernel is not done with it; an empty group does no harm.
  }
}

function dutyCycle(pid: number, share: number): Quota {
  let stopping: NodeJS.Timeout | undefined;
  const go = () => {
    process.kill(pid, 'SIGCONT');
    stopping = setTimeout(() => process.kill(pid, 'SIGSTOP'), share * COARSE_PERIOD_MS);
  };
  go();
  const period = setInterval(go, COARSE_PERIOD_MS);
  return {
    how: `stopped and continued every ${COARSE_PERIOD_MS} ms: no cgroup could be made`,
    release() {
      clearInterval(period);
      clearTimeout(stopping);
      process.kill(pid, 'SIGCONT');
    },
  };
}
