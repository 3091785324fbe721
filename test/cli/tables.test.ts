// What the tables of `penstock doctor` and `penstock where` say: each thing once, and the command that is next.
import { createColors } from 'picocolors';
import { expect, it } from 'vitest';
import { doctor } from '../../cli/commands/doctor.ts';
import { where } from '../../cli/commands/where.ts';
import type { Context } from '../../cli/context.ts';
import type { Command, Given } from '../../cli/words.ts';

/** Runs a command whose function answers so, and returns its rows and lines. */
async function shown(command: Command, given: Given, answer: object) {
  const rows: string[][] = [];
  const lines: string[] = [];
  const context = {
    target: { words: ['--stage', 'prod'], invoke: () => Promise.resolve(answer) },
    output: {
      colours: createColors(false),
      work: async () => ({ done: () => undefined, failed: () => undefined }),
      table: async (_: string[], told: string[][]) => void rows.push(...told),
      line: (text = '') => void lines.push(text),
      json: () => undefined,
    },
    signal: new AbortController().signal,
  } as unknown as Context;
  return { code: await command.run(context, given), rows, lines };
}

it('doctor tells what to do of a check that is not ok, and the command that does it', async () => {
  const ask = { to: 'read its report', function: 'status', event: { pipeline: 'orders' } };
  const checks = [
    { check: 'runs', state: 'not ok', found: 'it failed', next: 'Look why.', ask },
    { check: 'other', state: 'not ok', found: 'odd', next: 'Wait.', ask: { ...ask, function: 'nobody' } },
    { check: 'clock', state: 'ok', found: 'the same' },
  ];
  const said = { pipeline: 'orders', ok: false, says: 'orders: not ok: runs, other', checks };
  const { code, rows, lines } = await shown(doctor, { arguments: ['orders'], options: {} }, said);
  expect(code).toBe(2);
  expect(rows).toEqual([
    [
      'runs',
      'not ok',
      'it failed\nnext: Look why.\nnext: to read its report: penstock status orders --stage prod',
    ],
    // No command asks that.
    ['other', 'not ok', 'odd\nnext: Wait.'],
    ['clock', 'ok', 'the same'],
  ]);
  expect(lines).toEqual(['orders: not ok: runs, other']);
});

it('where --stream tells each route once, in a row of its own', async () => {
  const route = (pipeline: string, place: string) => ({
    pipeline,
    place,
    says: `${pipeline} has said it`,
    batches: [],
    searched: { objects: 0, complete: true },
  });
  const answer = { stream: 'shop', routes: [route('orders', 'delivered'), route('people', 'filtered')] };
  const given = { arguments: [], options: { stream: 'shop', id: 'a' } };
  const { rows, lines } = await shown(where, given, answer);
  expect(rows).toEqual([
    ['orders', 'delivered', 'orders has said it'],
    ['people', 'filtered', 'people has said it'],
  ]);
  expect(lines).toEqual([]);
});
