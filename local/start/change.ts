// A pipeline changed while its records come: the second half of them waits for the change, but does not stand still.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Manifest } from '../../lib/manifest.ts';
import type { Pipeline, Report } from '../../lib/pipeline.ts';
import type { Samples } from '../../lib/samples.ts';
import { provision } from './journey.ts';
import type { Line } from './records.ts';
import type { Stack } from './stack.ts';

/** What is old is kept for longer than a forwarder on this machine goes by it; one that is at work is waited for besides. */
const DRAIN_SECONDS = 2;
/** So often records are put while the change is under way. */
const TICK_MS = 200;
/** The change takes about so many of these; the records are spread over them. */
const TICKS = 60;

interface Change {
  readonly manifest: Manifest;
  readonly samples: Samples | undefined;
  readonly warmUpSeconds: number;
  /** Records there will be. */
  readonly total: number;
}

export function changeMeanwhile(stack: Stack, { manifest, samples, warmUpSeconds, total }: Change) {
  const options = { warmUpSeconds, drainSeconds: DRAIN_SECONDS, samples };
  let changing: Promise<Pipeline> | undefined;
  let over = false;
  const start = () => {
    changing ??= provision(stack, manifest, options);
    const end = () => {
      over = true;
    };
    // Whoever asks for it hears of a failure; the records go on.
    changing.then(end, end);
    return changing;
  };
  return {
    /** What the change would do. */
    plan: async (): Promise<Report> =>
      (await provision(stack, manifest, { ...options, mode: 'plan' })).report as Report,

    /** The lines: one half at once, then the change is started, and the others follow bit by bit. */
    async *during(lines: AsyncIterable<Line> | Iterable<Line>): AsyncGenerator<Line> {
      const half = Math.ceil(total / 2);
      const atOnce = Math.max(1, Math.ceil((total - half) / TICKS));
      let count = 0;
      for await (const line of lines) {
        if (++count > half && !over) {
          void start();
          if (count % atOnce === 0) await sleep(TICK_MS);
        }
        yield line;
      }
    },

    /** The pipeline as changed. @throws JourneyError */
    done: start,
  };
}
