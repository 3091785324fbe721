// What a file of sweeps runs, and what it says at its end in one line: which trouble was made, and which ways were gone.
import { expect } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { type Made, MODES, Tally } from './chaos.ts';
import { type Depth, depth, ofToday } from './depth.ts';
import type { Case, Golden } from './sweep.ts';

const SEED = 20_261_128;

/** Of the changes whose answer is lost or whose function is killed, and of all other faults: one in so many. */
const ONE_IN: Readonly<Record<Depth, { readonly losses: number; readonly others: number }>> = {
  quick: { losses: 3, others: 40 },
  deep: { losses: 1, others: 8 },
  whole: { losses: 1, others: 1 },
};

/** The cases that the depth asks for. */
export function chosen(casesOf: (golden: Golden) => Case[]): (golden: Golden) => Case[] {
  return (golden) => {
    const random = seededRandom(SEED);
    const { losses = [], others = [] } = Object.groupBy(casesOf(golden), (one) =>
      isLossOfChange(one, golden.calls) ? 'losses' : 'others',
    );
    return [...oneIn(ONE_IN[depth].losses, losses, random), ...oneIn(ONE_IN[depth].others, others, random)];
  };
}

/** One in so many of each mode and each way on, spread over the execution. */
function oneIn(size: number, cases: readonly Case[], random: () => number): Case[] {
  const alike = Map.groupBy(cases, ({ faults, release }) => {
    const [first] = faults[0] ?? [];
    return [first?.mode, first?.after, release].join();
  });
  return [...alike.values()].flatMap((those) =>
    Array.from({ length: Math.ceil(those.length / size) }, (_, part) => {
      const among = those.slice(part * size, (part + 1) * size);
      return among[ofToday(Math.floor(random() * among.length), among.length)] as Case;
    }),
  );
}

function isLossOfChange({ faults: [first = []] }: Case, calls: readonly Made[]): boolean {
  return first.some(({ kind = 'aep', k, mode }) => {
    const call = calls.find((one) => one.kind === kind && one.index === k);
    return call?.change === true && (mode === 'lost' || mode === 'killed');
  });
}

/** How often each mode has to be injected for a sweep to mean something. */
const LEAST: number = { quick: 3, deep: 20, whole: 30 }[depth];

/** Sweeps of one file, counted together. */
export function report(name: string, ways: readonly string[]) {
  const tally = new Tally();
  const before = process.cpuUsage();
  return {
    tally,
    /** Prints it, and fails where a mode was injected too rarely or a way was never gone. */
    end(least = LEAST): void {
      const modes = MODES.map((mode) => `${mode} ${tally.get(`fault ${mode}`)}`);
      const gone = ways.map((way) => `${way} ${tally.get(`way ${way}`)}`);
      // What a run costs where nothing else is running.
      const { user, system } = process.cpuUsage(before);
      const seconds = `${((user + system) / 1e6).toFixed(0)} s of a processor`;
      console.log(
        `${name}: ${tally.summary()}, ${seconds}; injected: ${modes.join(', ')}; ways: ${gone.join(', ')}`,
      );
      expect(MODES.filter((mode) => tally.get(`fault ${mode}`) < least)).toEqual([]);
      expect(ways.filter((way) => tally.get(`way ${way}`) === 0)).toEqual([]);
    },
  };
}
