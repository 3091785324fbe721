import { existsSync, readdirSync, readFileSync } from 'node:fs';
import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { PERMANENT, TRANSIENT } from '../../../lib/failure.ts';
import { settingsFrom } from '../../../lib/settings.ts';
import { statesText } from '../../../scripts/states.ts';

const FOLDER = new URL('../../../functions/provision/', import.meta.url);
const text = readFileSync(new URL('states.asl.json', FOLDER), 'utf8');

interface State {
  Type: string;
  Resource?: { 'Fn::GetAtt': [string, string] } | string;
  Retry?: {
    IntervalSeconds?: number;
    ErrorEquals: string[];
    MaxDelaySeconds?: number;
    JitterStrategy?: string;
    BackoffRate?: number;
  }[];
  Catch?: { ErrorEquals: string[]; Next: string }[];
  TimeoutSeconds?: number;
}

const machine = JSON.parse(text) as { States: Record<string, State> };
const all = Object.entries(machine.States).filter(([, state]) => state.Type === 'Task');
/** Those that call a function; the others call DynamoDB and Step Functions themselves. */
const tasks = all.filter(([, { Resource }]) => typeof Resource === 'object');
const integrations = all.filter(([, { Resource }]) => typeof Resource === 'string');

describe('states.asl.json', () => {
  it('13 B 4: is what scripts/states.ts makes: it is changed there', () => {
    expect(text).toBe(statesText());
  });

  it('is valid', () => {
    const resolved = text
      .replace(
        /\{\s*"Fn::GetAtt":\s*\[\s*"(\w+)",\s*"Arn"\s*\]\s*\}/g,
        '"arn:aws:lambda:eu-west-1:123456789012:function:$1"',
      )
      .replace(/\{\s*"Ref":\s*"PipelineTable"\s*\}/g, '"penstock-dev-pipelines"');
    const { isValid, errorsText } = aslValidator(JSON.parse(resolved));
    expect(isValid, errorsText('\n')).toBe(true);
  });

  it('has a Task for every file beside it, and a file for every Task', () => {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts'));
    expect(tasks.map(([name]) => `${name}.ts`).sort()).toEqual(files.sort());
    for (const [name, { Resource }] of tasks) {
      const key = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      expect(Resource).toEqual({ 'Fn::GetAtt': [key, 'Arn'] });
      expect(existsSync(new URL(`${name}.ts`, FOLDER))).toBe(true);
    }
  });

  it.each(tasks)(
    '%s retries what passes, with jitter and a longest wait, and catches the rest',
    (name, state) => {
      const [passing, killed] = state.Retry ?? [];
      expect(state.Retry).toHaveLength(2);
      expect(passing).toMatchObject({
        ErrorEquals: [TRANSIENT, 'Lambda.TooManyRequestsException'],
        JitterStrategy: 'FULL',
        MaxDelaySeconds: 30,
      });
      // What died without a word may have made something that a list does not show yet.
      expect(killed?.ErrorEquals).toEqual(
        expect.arrayContaining(['Lambda.Unknown', 'Sandbox.Timedout', 'States.Timeout']),
      );
      expect(killed?.IntervalSeconds).toBeGreaterThan(settingsFrom({}).listDelaySeconds);
      expect(killed?.JitterStrategy).toBeUndefined();
      for (const retry of state.Retry ?? []) {
        expect(retry.BackoffRate).toBeGreaterThanOrEqual(1);
        expect(retry.ErrorEquals).not.toContain(PERMANENT);
        expect(retry.ErrorEquals).not.toContain('States.ALL');
      }
      const [caught] = state.Catch ?? [];
      expect(caught?.ErrorEquals).toEqual(['States.ALL']);
      // Nothing had been made yet; and what reports ends all the same.
      const next: Record<string, string> = {
        begin: 'report',
        plan: 'report',
        rollback: 'report',
        report: 'ending',
      };
      expect(caught?.Next).toBe(next[name] ?? 'rollback');
      // Longer than the function's own timeout, so that Lambda is the one to say that it took too long.
      expect(state.TimeoutSeconds).toBeGreaterThan(120);
    },
  );

  it.each(integrations)('%s is retried by named errors, and caught', (_, state) => {
    expect(state.Retry?.length).toBeGreaterThan(0);
    for (const { ErrorEquals, JitterStrategy, MaxDelaySeconds } of state.Retry ?? []) {
      for (const name of ErrorEquals) expect(name).toMatch(/^(DynamoDB|Sfn|States)\.[A-Z]\w+$/);
      expect(ErrorEquals).not.toContain('States.ALL');
      expect({ JitterStrategy, MaxDelaySeconds }).toEqual({ JitterStrategy: 'FULL', MaxDelaySeconds: 20 });
    }
    expect(state.Catch?.at(-1)?.ErrorEquals).toEqual(['States.ALL']);
    expect(state.TimeoutSeconds).toBe(30);
  });

  it('names no error of ours that is not one', () => {
    const named = all.flatMap(([, { Retry = [], Catch = [] }]) =>
      [...Retry, ...Catch].flatMap(({ ErrorEquals }) => ErrorEquals),
    );
    const ours = named.filter((name) => !/^(States|Lambda|Sandbox|Runtime|DynamoDB|Sfn)\./.test(name));
    expect([...new Set(ours)]).toEqual([TRANSIENT]);
    expect(all.length).toBe(tasks.length + integrations.length);
    expect(integrations.map(([name]) => name)).toEqual(['lease', 'holder', 'ask', 'take-over', 'release']);
  });
});
