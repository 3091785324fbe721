// What a file of sweeps says at its end, once: how much was run, which trouble was made, and which ways were gone.
import { expect } from 'vitest';
import { MODES, Tally } from './chaos.ts';

/** Sweeps of one file, counted together. */
export function report(name: string, ways: readonly string[]) {
  const tally = new Tally();
  const before = process.cpuUsage();
  return {
    tally,
    /** Prints it, and fails where a mode was injected too rarely or a way was never gone. */
    end(least = 50): void {
      const modes = MODES.map((mode) => `${mode} ${tally.get(`fault ${mode}`)}`);
      const gone = ways.map((way) => `${way} ${tally.get(`way ${way}`)}`);
      // What a run costs where nothing else is running.
      const { user, system } = process.cpuUsage(before);
      const seconds = `${((user + system) / 1e6).toFixed(0)} s of a processor`;
      console.log(
        `${name}: ${tally.lines()[0]}, ${seconds}\n  faults: ${modes.join(', ')}\n  ways: ${gone.join(', ')}`,
      );
      expect(MODES.filter((mode) => tally.get(`fault ${mode}`) < least)).toEqual([]);
      expect(ways.filter((way) => tally.get(`way ${way}`) === 0)).toEqual([]);
    },
  };
}
