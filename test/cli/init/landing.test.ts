// What init writes passes the check and lands every sound record, over data sets of many kinds.
import { describe, expect, it } from 'vitest';
import { filesOf } from '../../../cli/init/files.ts';
import { DATA_SETS } from './data-sets.ts';
import { inferred, landed } from './landing.ts';

describe('15 init: what it wrote passes check and lands every sound record without touching it', () => {
  it('there are more than twenty kinds', () => {
    expect(new Set(DATA_SETS.map(({ name }) => name)).size).toBeGreaterThan(20);
  });

  it.each(DATA_SETS)('$name', async ({ lines, broken = [], messages }) => {
    const found = await inferred(lines);
    const { mistakes, takers } = await landed(found, lines);
    expect(mistakes).toEqual([]);
    // Each message of a sound line lands in one pipeline, and those of the broken ones are told by line.
    const sound = takers.filter((_, index) => !broken.includes(index + 1)).flat();
    const passed = found.report.filtered;
    expect(sound.filter((count) => count === 1)).toHaveLength(messages ?? sound.length - passed);
    expect(sound.filter((count) => count !== 1)).toHaveLength(passed);
    expect(found.report.broken.flatMap((one) => one.lines).toSorted((a, b) => a - b)).toEqual(broken);
  });
});

describe('15 init: a second init of the same file is the same', () => {
  it.each(DATA_SETS)('$name', async ({ lines }) => {
    const texts = async () => (await inferred(lines)).pipelines.flatMap(filesOf);
    expect(await texts()).toEqual(await texts());
  });
});
