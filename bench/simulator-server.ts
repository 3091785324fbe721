// The simulated platform of `npm run bench:simulator`, a process of its own: one warm pipeline, and what it costs.
import { realClock } from '../local/aep/clock.ts';
import { startServer } from '../local/aep/server.ts';
import { caller, makePipeline } from '../test/local/aep/support.ts';

export interface Served {
  readonly origin: string;
  readonly inletId: string;
  readonly flowId: string;
}

/** What has been counted since the process began; times in ms, memory in bytes. */
export interface Cost {
  readonly processorMs: number;
  readonly heap: number;
  readonly resident: number;
  readonly counts: { readonly [name: string]: number };
}

const validation = process.argv[2] !== 'unchecked';
const user = await caller({ clock: realClock, warmUpMs: 0, validation });
const { inletId, flowId } = await makePipeline(user);
const { origin, platform } = await startServer({ port: 0, platform: user.platform });

function cost(): Cost {
  // Only what is held counts: node is started with --expose-gc.
  globalThis.gc?.();
  const { user: inCode, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  const counts = { ...platform.state.counts };
  return { processorMs: (inCode + system) / 1_000, heap: heapUsed, resident: rss, counts };
}

process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send?.(cost()));
process.send?.({ origin, inletId, flowId } satisfies Served);
