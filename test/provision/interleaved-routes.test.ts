// Pipelines of one stream that publish, change and retire at once, with deaths in between: 2,000 seeded orders in the deep tests.
import { afterAll, expect, it } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { longRuns } from '../support/depth.ts';
import { type Outcome, SharedStream, type Wish } from '../support/interleaved-routes.ts';

const RUNS = longRuns(2_000);
const PART = 100;
const SECRETS = 'penstock/dev/streams/customers/';
const seen = { turns: 0, deaths: 0, conflicts: 0, joined: 0, emptied: 0 };

afterAll(() => console.log(`interleaved routes: ${JSON.stringify(seen)}`));

/** Two to four pipelines, with one to three wishes each; mostly they agree on what they share. */
function wishesOf(random: () => number): Record<string, Wish[]> {
  const one = (): Wish =>
    random() < 0.35
      ? { mode: 'retire' }
      : {
          mode: 'apply',
          compression: random() < 0.2 ? 'gzip' : 'none',
          order: random() < 0.5 ? 'key' : 'strict',
        };
  const names = ['a', 'b', 'c', 'd'].slice(0, 2 + Math.floor(random() * 3));
  return Object.fromEntries(
    names.map((name) => [name, Array.from({ length: 1 + Math.floor(random() * 3) }, one)]),
  );
}

/** What the pipeline is to be in the end: a conflict has changed nothing. */
function lastOf(wishes: readonly Wish[], outcomes: readonly Outcome[]): Wish {
  return wishes.findLast((_, index) => outcomes[index] === 'done') ?? { mode: 'retire' };
}

async function tried(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const wishes = wishesOf(random);
  const stream = new SharedStream(random, seed % 2 === 0 ? 0 : 0.04);
  const outcomes = await stream.drive(wishes);
  const list = stream.list();
  const about = `seed ${seed}: ${JSON.stringify({ wishes, outcomes })}`;
  expect(stream.wrong, about).toEqual([]);
  const wanted = Object.entries(wishes)
    .map(([name, own]) => [name, lastOf(own, outcomes[name] ?? [])] as const)
    .filter(([, { mode }]) => mode === 'apply');
  const names = wanted.map(([name]) => name);
  // No route is lost, and none is left over; the trigger is there where there are routes.
  expect(Object.keys(list?.routes ?? {}).sort(), about).toEqual(names);
  // What was stopped, and met a conflict when it was run again, may have left a document that is on no list.
  const left = Object.keys(wishes).filter((name) => outcomes[name]?.at(-1) === 'conflict');
  const secrets = [...stream.secrets.keys()].map((id) => id.slice(SECRETS.length));
  expect(
    names.filter((name) => !secrets.includes(name)),
    about,
  ).toEqual([]);
  expect(
    secrets.filter((name) => !names.includes(name) && !left.includes(name)),
    about,
  ).toEqual([]);
  expect(
    [...stream.triggers.values()].map(({ state }) => state),
    about,
  ).toEqual(names.length > 0 ? ['on'] : []);
  expect(list?.closing, about).toBeUndefined();
  if (names.length === 0) expect(list, about).toBeUndefined();
  for (const [name, wish] of wanted) {
    const { order = 'key', compression } = stream.document(name) ?? {};
    expect({ mode: 'apply', compression, order }, about).toEqual(wish);
  }
  seen.turns += stream.turns;
  seen.deaths += stream.deaths;
  seen.conflicts += Object.values(outcomes)
    .flat()
    .filter((one) => one === 'conflict').length;
  seen.joined += names.length > 1 ? 1 : 0;
  seen.emptied += names.length === 0 ? 1 : 0;
}

it.each(Array.from({ length: RUNS / PART }, (_, part) => part * PART))(
  `issue 14 A 2: ${PART} orders of executions from seed %i on lose no route, leave none, and never mix the stream settings`,
  async (first) => {
    for (let seed = first; seed < first + PART; seed++) await tried(seed);
  },
);
