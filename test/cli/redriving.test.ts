// The command `penstock redrive`: what its table and its progress tell of a dry run.
import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { redrive } from '../../cli/commands/redrive.ts';
import type { Context } from '../../cli/context.ts';
import { MistakeError } from '../../terminal/mistake.ts';

const ANSWER = {
  stream: 'arn:aws:kinesis:eu-west-1:123456789012:stream/customers',
  pipeline: 'customer-profiles',
  source: 'rejected',
  dryRun: true,
  complete: true,
  documents: 3,
  chosen: 9,
  delivered: 0,
  rejectedAgain: 4,
  filtered: 3,
  left: 2,
  withheld: 0,
  lost: { records: 0, ranges: [] },
  skipped: {},
  skippedObjects: [],
};

describe('redrive: the command', () => {
  it.each([{}, { 'dry-run': true } as const])('names the sandbox in the dry run too: %j', async (more) => {
    const events: unknown[] = [];
    const wrong = new MistakeError('WRONG_SANDBOX', 'another one');
    const context = {
      target: {
        invoke: (_: string, event: unknown) => {
          events.push(event);
          return Promise.reject(wrong);
        },
      },
      output: { work: () => Promise.resolve({ failed: () => undefined }) },
      signal: new AbortController().signal,
    } as unknown as Context;
    const given = { arguments: ['customers'], options: { sandbox: 'other', ...more } };
    // Nothing to send is no reason to let a wrong name pass.
    await expect(redrive.run(context, given)).rejects.toBe(wrong);
    expect(events).toEqual([expect.objectContaining({ sandbox: 'other', dryRun: true })]);
  });

  it('puts every chosen message of a dry run into a row', async () => {
    const tables: string[][][] = [];
    const ends: string[] = [];
    const context = {
      target: { invoke: () => Promise.resolve(ANSWER) },
      output: {
        colours: createColors(false),
        line: () => undefined,
        json: () => undefined,
        table: (_: string[], rows: string[][]) => void tables.push(rows),
        work: () => Promise.resolve({ done: (text: string) => void ends.push(text) }),
      },
      signal: new AbortController().signal,
    } as unknown as Context;
    const code = await redrive.run(context, { arguments: ['customers'], options: { 'dry-run': true } });
    expect(code).toBe(0);
    const counts = Object.fromEntries(tables[0] ?? []) as Record<string, string>;
    expect(counts).toMatchObject({
      chosen: '9',
      'would be rejected again': '4',
      'would be filtered': '3',
      'would be sent': '2',
    });
    // A dry run delivers nothing.
    expect(counts).not.toHaveProperty('delivered');
    expect(ends).toEqual(['9 chosen, 2 would be sent']);
  });
});
