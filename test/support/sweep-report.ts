// What a file of sweeps runs, and what it says at its end in one line: which trouble was made, and which ways were gone.
import { expect } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { type Made, MODES, Tally } from './chaos.ts';
import { deep } from './depth.ts';
import type { Case, Golden } from './sweep.ts';

const SEED = 20_261_128;

/** All of these cases in the deep tests; else every change whose answer is lost or whose function is killed, and a tenth of the rest. */
export function chosen(casesOf: (golden: Golden) => Case[]): (golden: Golden) => Case[] {
  if (deep) return casesOf;
  return (golden) => {
    const random = seededRandom(SEED);
    return casesOf(golden).filter((one) => isLossOfChange(one, golden.calls) || random() < 0.1);
  };
}

function isLossOfChange({ faults: [first = []] }: Case, calls: readonly Made[]): boolean {
  return first.some(({ kind = 'aep', k, mode }) => {
    const call = calls.find((one) => one.kind === kind && one.index === k);
    return call?.change === true && (mode === 'lost' || mode === 'killed');
  });
}

/** How often each mode has to be injected for a sweep to mean something. */
const LEAST = deep ? 50 : 3;

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
