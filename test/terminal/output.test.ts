// What is shown on a terminal, in a pipe and on a terminal that can do little.

import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../terminal/columns.ts';
import { createOutput } from '../../terminal/create-output.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { keptStream } from '../support/kept-stream.ts';

const ESCAPE = String.fromCharCode(27);

function outputOn(columns: number | undefined, env: Readonly<Record<string, string>> = { TERM: 'xterm' }) {
  const [out, err] = [keptStream(columns), keptStream(columns)];
  const stdin = {} as NodeJS.ReadStream;
  const output = createOutput({ isJson: false, stdout: out.stream, stderr: err.stream, stdin, env });
  return { output, out: out.text, err: err.text };
}

describe('15: a line', () => {
  const prose = `  created ${'field-group:origin, '.repeat(8)}flow`;

  it('is broken between words on a terminal, and stays one in a pipe', () => {
    const [narrow, pipe] = [outputOn(60), outputOn(undefined)];
    narrow.output.line(prose);
    pipe.output.line(prose);
    const lines = narrow.out().trimEnd().split('\n');
    expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(60);
    expect(lines.slice(1).every((line) => line.startsWith('    field-group'))).toBe(true);
    expect(lines.map((line) => line.trim()).join(' ')).toBe(prose.trim());
    expect(pipe.out()).toBe(`${prose}\n`);
  });

  it('that is to be copied is never broken', () => {
    const { output, out } = outputOn(40);
    output.whole(prose);
    expect(out()).toBe(`${prose}\n`);
  });
});

describe('15: an error', () => {
  const error = new MistakeError('CONFLICT', 'a cause '.repeat(20).trim(), `penstock plan ${'x'.repeat(60)}`);

  it('has its code, its cause broken between words, and the next command whole', () => {
    const { output, err } = outputOn(60, { TERM: 'dumb' });
    output.error(error);
    const lines = err().trimEnd().split('\n');
    expect(lines[0]).toMatch(/^error CONFLICT {2}a cause/);
    expect(Math.max(...lines.slice(0, -1).map(columnsOf))).toBeLessThanOrEqual(60);
    expect(lines.at(-1)).toBe(`next   ${error.next}`);
  });

  it('breaks advice that is a sentence between words', () => {
    const { output, err } = outputOn(40, { TERM: 'dumb' });
    output.error(
      new MistakeError('PRODUCTION', 'a cause', 'Add --sandbox prod, if you really mean that sandbox.'),
    );
    expect(err()).toBe(
      'error PRODUCTION  a cause\nnext   Add --sandbox prod, if you\n  really mean that sandbox.\n',
    );
  });
});

describe('15: progress', () => {
  /** What a terminal shows in the end: what comes after the last return to the first column. */
  const lastOf = (text: string) =>
    stripVTControlCharacters(text.slice(text.lastIndexOf(`${ESCAPE}[1G`))).trimEnd();

  it('with a total is a bar that reaches its end', async () => {
    const { output, err } = outputOn(60);
    const work = await output.work('Forward', 10_000);
    work.to('', 4_000);
    work.done();
    expect(lastOf(err())).toBe(`✓ Forward ${'█'.repeat(30)} 10,000/10,000`);
  });

  it('that fails stays where it was, and hears of nothing later', async () => {
    const { output, err } = outputOn(60);
    const work = await output.work('Provision', 18);
    work.to('schema', 9);
    output.stop();
    const before = err();
    expect(lastOf(before)).toBe(`✗ Provision ${'█'.repeat(15)}${'░'.repeat(15)} 9/18`);
    work.to('dataset', 10);
    work.done();
    output.stop();
    expect(err()).toBe(before);
    expect(before.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(before.lastIndexOf(`${ESCAPE}[?25l`));
  });

  it.each([
    [40, 'xterm'],
    [60, 'xterm'],
    [80, 'xterm'],
    [40, 'dumb'],
  ])('is no wider than a terminal of %i columns (%s)', async (columns, TERM) => {
    const { output, err } = outputOn(columns, { TERM });
    const bar = await output.work('Provision customer-profiles-of-a-long-name', 18);
    bar.to('warm-up, 300 s at most, and some more words', 9);
    bar.done('with some more words about it');
    const line = await output.work('Applying customer-profiles-of-a-long-name');
    line.to('step 9: warm-up, 300 s at most, and some more words');
    line.failed();
    const shown = err()
      .split(new RegExp(`\\n|${ESCAPE}\\[1G`))
      .map((one) => columnsOf(stripVTControlCharacters(one)));
    expect(Math.max(...shown)).toBeLessThan(columns);
  });

  it.each([
    ['in a pipe', undefined, { TERM: 'xterm' }],
    ['on a terminal that cannot move', 80, { TERM: 'dumb' }],
  ])('is plain lines %s: every new word, every tenth of the way, and the end', async (_, columns, env) => {
    const { output, err } = outputOn(columns, env);
    const work = await output.work('Forward', 1_000);
    for (let done = 0; done <= 1_000; done += 5) work.to('', done);
    work.done();
    const lines = err().trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    expect(lines[3]).toBe('Forward: 400/1,000');
    expect(lines.at(-1)).toBe('Forward: done');
    expect(err()).not.toContain(ESCAPE);
  });
});

describe('15: colours', () => {
  it.each([
    ['on a terminal', 80, {}, true],
    ['not in a pipe', undefined, {}, false],
    ['not with NO_COLOR', 80, { NO_COLOR: '1' }, false],
    ['also with an empty NO_COLOR', 80, { NO_COLOR: '' }, true],
    ['not on a terminal that can do little', 80, { TERM: 'dumb' }, false],
    ['in a pipe where FORCE_COLOR asks for them', undefined, { FORCE_COLOR: '1' }, true],
    ['not where both are asked for', 80, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('are there %s', (_, columns, env, isColoured) => {
    const { output } = outputOn(columns, env);
    expect(output.colours.red('x') !== 'x').toBe(isColoured);
  });
});
