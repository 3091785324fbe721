// A world as another one was left, with a life of its own: what a sweep begins each of its runs with, made only once.
import type { PlatformOptions } from '../../local/aep/options.ts';
import { world } from './provisioning.ts';

export type World = ReturnType<typeof world>;

/** Lists are as old as asked for: what was there at the branching is in every one of them that is not older than this. */
const SETTLED_MS = 3_600_000;

/** The same world, as it is at this moment. */
export function copyOf(from: World): World {
  return world({}, from);
}

/** All that is remembered, and none of the history: executions are over, and nothing is on its way. */
export function branch(from: World, options: PlatformOptions = {}): World {
  const own = world(options, from);
  own.platform.journal.clear();
  own.platform.faults.clear();
  own.logged.length = 0;
  own.time.now += SETTLED_MS;
  return own;
}
