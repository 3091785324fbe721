// A 5 of docs/promises.md: however long everything went wrong, once it is over a record is acknowledged soon. In virtual time.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../local/aep/ids.ts';
import { longRuns } from '../support/depth.ts';
import { AMBIGUOUS, answerOf, Load, REFUSALS, textAnswer } from '../support/load.ts';

const SEED = 20_261_124;
const text = (n: number) => `{"n":${n}}`;

describe('A 5: after faults', () => {
  const ways = Object.entries({
    ...REFUSALS,
    ...AMBIGUOUS,
    '401': () => answerOf(401, {}),
    '403 without a word': () => textAnswer(403, ''),
    '404': () => answerOf(404, {}),
  });

  const SEEDS = 50;

  it.each(Array.from({ length: longRuns(1_000) / SEEDS }, (_, part) => part * SEEDS))(
    `a probe is acknowledged within 60 s, whatever went wrong before: ${SEEDS} of ${SEEDS} seeds from %i on`,
    async (first) => {
      const late: number[] = [];
      for (let seed = first; seed < first + SEEDS; seed++) {
        const random = seededRandom(SEED + seed);
        let healthy = false;
        const [, way] = ways[seed % ways.length] as (typeof ways)[number];
        const broken = (share: number) => !healthy && random() < share;
        const load = new Load({
          random,
          latencyMs: 20,
          published: { authenticationRequired: true },
          trouble: () => (broken(0.9) ? way : undefined),
          storeFails: () => broken(0.5),
          ims: () => (broken(0.3) ? answerOf(random() < 0.5 ? 503 : 400, { error: 'x' }) : undefined),
        });
        for (let n = 0; n < 20; n++) load.produce(`key-${n % 5}`, text, n % 7 === 0 ? 'refused' : 'sound');
        await load.drain(() => 1 + Math.floor(random() * 20), 20_000 + random() * 100_000);
        healthy = true;
        const probe = load.produce('probe', text);
        const healed = load.time.now;
        await load.drain();
        expect(load.wrong, `seed ${seed}`).toEqual([]);
        expect(load.lost, `seed ${seed}`).toEqual([]);
        if (!load.taken.has(probe) || load.time.now - healed > 60_000) late.push(seed);
      }
      expect(late).toEqual([]);
    },
  );
});
