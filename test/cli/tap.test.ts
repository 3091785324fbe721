// The command `penstock tap`: how it asks the function again and again, what it prints, and when it ends.
import { createColors } from 'picocolors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tap } from '../../cli/commands/tap.ts';
import type { Context } from '../../cli/context.ts';
import { tapping } from '../tap/tapping.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

type Own = Awaited<ReturnType<typeof tapping>>;

/** Runs the command with the function itself behind it, until it ends. `onAsked` is told the number of each call. */
async function command(
  own: Own,
  take: string | undefined,
  onAsked: (call: number, abort: () => void) => void = () => undefined,
) {
  const kept = { lines: [] as string[], documents: [] as unknown[], calls: 0 };
  const interrupt = new AbortController();
  const context = {
    target: {
      invoke: async (name: string, event: unknown) => {
        if (name !== 'tap') throw new Error(`${name} was asked`);
        onAsked(kept.calls++, () => interrupt.abort());
        return JSON.parse(JSON.stringify(await own.step(event)));
      },
    },
    output: {
      colours: createColors(false),
      line: (text = '') => void kept.lines.push(text),
      whole: (text: string) => void kept.lines.push(text),
      json: (value: unknown) => void kept.documents.push(value),
    },
    signal: interrupt.signal,
  } as unknown as Context;
  const options = take === undefined ? {} : { take };
  let code: number | undefined;
  let failure: unknown;
  void tap.run(context, { arguments: ['customer-profiles'], options }).then(
    (done) => {
      code = done;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  for (let turns = 0; turns < 1_000 && code === undefined && failure === undefined; turns++) {
    await vi.advanceTimersByTimeAsync(500);
    await new Promise(setImmediate);
  }
  if (failure !== undefined) throw failure;
  return { ...kept, code, text: kept.lines.join('\n'), document: kept.documents[0] };
}

describe('15 tap: the command', () => {
  it('prints each message with what came, what would be sent and what is mapped, and ends after N', async () => {
    const own = await tapping();
    await own.provision();
    const done = await command(own, '3', (call) => {
      if (call === 1) own.put('{"id":"c-1","firstName":"Ana"}');
      if (call === 3) for (const data of ['not json', '{"id":"c-2"}', '{"id":"c-3"}']) own.put(data);
    });
    expect(done.code).toBe(0);
    expect(done.text).toMatch(/^Looks at arn:aws:kinesis:.* for a minute at most\. Nothing is sent\.$/m);
    expect(done.text).toContain('  came   {"id":"c-1","firstName":"Ana"}');
    expect(done.text).toMatch(/^ {2}sends {2}\{.*"id":"c-1"/m);
    expect(done.text).toMatch(/^ {2}maps {3}\{.*"personID":"c-1"/m);
    expect(done.text).toContain('  why    not-json: ');
    expect(done.text).not.toContain('c-3');
    expect(done.text).toContain('3 messages looked at. Nothing was sent.');
    // `--json` has the same as one document.
    expect(done.document).toMatchObject({
      pipeline: 'customer-profiles',
      redacts: false,
      messages: [{ outcome: 'sent' }, { outcome: 'rejected', reason: 'not-json' }, { outcome: 'sent' }],
    });
    expect(own.sentToInlet()).toEqual([]);
  });

  it('ends after a minute in which nothing came', async () => {
    const own = await tapping();
    await own.provision();
    const done = await command(own, undefined);
    expect(done.code).toBe(0);
    expect(done.text).toContain('No record came within a minute.');
    expect(done.calls).toBeGreaterThan(30);
    expect(done.calls).toBeLessThanOrEqual(62);
    expect(done.document).toMatchObject({ messages: [] });
  });

  it('ends at Ctrl-C with what came until then', async () => {
    const own = await tapping();
    await own.provision();
    const done = await command(own, undefined, (call, abort) => {
      if (call === 1) own.put('{"id":"c-1"}');
      if (call === 2) abort();
    });
    expect([done.code, done.calls]).toEqual([130, 3]);
    expect(done.document).toMatchObject({ messages: [{ outcome: 'sent' }] });
  });

  it('says that a pipeline of the stream redacts, and a record cannot move the cursor of the terminal', async () => {
    const own = await tapping();
    const redact = [{ field: '/lastName', action: 'drop' }];
    await own.provision({ records: { redact, derive: ['_id'] } });
    const done = await command(own, '1', (call) => {
      if (call === 1) own.put('{"id":"c-1\u009b2J","lastName":"Reis"}');
    });
    expect(done.text).toContain('A pipeline of this stream redacts');
    expect(done.text).not.toContain('Reis');
    expect(done.text).toContain('c-1\\u009b2J');
    expect(JSON.stringify(done.document)).not.toContain('Reis');
  });

  it.each(['0', '1001', 'x'])('--take %s is refused before anything is asked', async (take) => {
    const own = await tapping();
    await expect(command(own, take)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
