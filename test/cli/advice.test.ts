// What the command line says is next: a command, where the functions name events.
import { describe, expect, it } from 'vitest';
import { asTyped } from '../../cli/advice.ts';
import { commandFor } from '../../cli/asking.ts';
import { targetWords } from '../../cli/targets/options.ts';
import { Failure } from '../../lib/failure.ts';

const PROD = { words: targetWords({ stage: 'prod', region: 'eu-west-1' }) };
const HERE = { words: targetWords({ stage: undefined, region: undefined }) };
const to = 'see';

describe('15: what a report or a check advises to ask is a command for the same target', () => {
  it.each([
    ['status', { pipeline: 'orders', doctor: true }, 'penstock doctor orders'],
    ['status', { pipeline: 'orders' }, 'penstock status orders'],
    ['reconcile', { pipeline: 'orders' }, 'penstock reconcile orders'],
    [
      'redrive',
      { stream: 'shop', pipeline: 'orders', source: 'parked' },
      'penstock redrive shop --pipeline orders --source parked',
    ],
    [
      'redrive',
      { stream: 'shop', pipeline: 'orders', source: 'stream', where: { arrived: { from: 'a', to: 'b' } } },
      'penstock redrive shop --pipeline orders --source stream --from a --to b',
    ],
  ])('%s with %j', (name, event, command) => {
    const ask = { to, function: name, event };
    expect(commandFor(ask, HERE)).toBe(command);
    expect(commandFor(ask, PROD)).toBe(`${command} --stage prod --region eu-west-1`);
  });

  it('is none where no command asks it', () => {
    expect(commandFor({ to, function: 'cleanup', event: {} }, HERE)).toBeUndefined();
    expect(commandFor({ to, function: 'status', event: {} }, HERE)).toBeUndefined();
  });
});

describe('15: an error of a function tells what to type', () => {
  const typed = (command: string, file: string) => ({ command, given: { arguments: [file], options: {} } });

  it.each([
    ['PLAN_MOVED', 'apply', 'penstock plan a.json --stage prod --region eu-west-1'],
    ['MAPPING_INVALID', 'plan', 'penstock check a.json'],
    ['MANIFEST_INVALID', 'retire', 'penstock check a.json'],
  ] as const)('%s of %s', (code, command, expected) => {
    const error = asTyped(new Failure(code, 'what it is\n'), { ...typed(command, 'a.json'), target: PROD });
    expect(error).toMatchObject({ code, message: 'what it is' });
    expect((error as { next: string }).next.endsWith(`: ${expected}`)).toBe(true);
  });

  it('with the name of the file as a shell takes it', () => {
    const error = asTyped(new Failure('MANIFEST_INVALID', 'x'), {
      ...typed('plan', "my file's.json"),
      target: HERE,
    });
    expect(error).toMatchObject({ next: expect.stringContaining("penstock check 'my file'\\''s.json'") });
  });

  it.each([
    ['another code', new Failure('SECRET_MISSING', 'x'), 'plan'],
    ['a command without a file', new Failure('MANIFEST_INVALID', 'x'), 'import'],
    ['a defect', new TypeError('x'), 'plan'],
  ])('and stays as it is: %s', (_, error, command) => {
    expect(asTyped(error, { ...typed(command, 'a.json'), target: HERE })).toBe(error);
  });
});
