// Kill anywhere (docs/promises.md, A 20), the way up: every call × every mode × both ways on, where there is nothing yet, or not ours.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { settingsFrom } from '../../lib/settings.ts';
import { adopt, conflict, fresh, freshLinking, freshPulled } from '../support/scenarios.ts';
import { goldenOf, singles, swept } from '../support/sweep.ts';
import { chosen, report } from '../support/sweep-report.ts';

const { tally, end } = report('sweep, the way up', [
  'adopted',
  'conflict',
  'in doubt, found',
  'in doubt, not found, made',
  'resumed',
  'taken over',
  'fenced writer',
]);

const scenarios = [fresh, freshLinking, freshPulled, await adopt(), await conflict()];

describe('kill anywhere, both ways on', () => {
  it.each(scenarios)('$name', async (scenario) => {
    expect(await swept(scenario, chosen(singles), tally)).toEqual([]);
  });
});

it('makes one of each kind, and nothing else', async () => {
  const { resources } = (await goldenOf(fresh)).end;
  expect(Object.keys(resources)).toEqual([
    '<connections loyalty-inlet>',
    '<dataSets Loyalty members>',
    '<descriptors /mobilePhone/number>',
    '<descriptors /personalEmail/address>',
    '<flows loyalty-flow>',
    '<mappingSets loyalty-mapping [penstock loyalty *]>',
    '<mixins Loyalty membership>',
    '<schemas loyalty-schema>',
    '<sourceConnections loyalty-source>',
    '<targetConnections loyalty-target>',
  ]);
});

it('no function outlives the wait for it: one that was given up between a check and its change is no more', () => {
  const text = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const { States } = JSON.parse(text('functions/provision/states.asl.json')) as {
    States: Record<string, { TimeoutSeconds?: number; Seconds?: number; Resource?: unknown }>;
  };
  // The default of all functions, and of those that the machine calls, none says otherwise.
  const lambda = Number(/^ {2}timeout: (\d+)$/m.exec(text('serverless.yml'))?.[1]);
  const tasks = Object.values(States).filter(({ Resource }) => typeof Resource === 'object');
  const waits = tasks.map(({ TimeoutSeconds }) => TimeoutSeconds ?? 0);
  expect(lambda).toBeGreaterThan(0);
  expect(Math.min(...waits)).toBeGreaterThan(lambda);
  expect(States.grace?.Seconds).toBeGreaterThanOrEqual(Math.max(...waits));
  expect(States.grace?.Seconds).toBeGreaterThan(settingsFrom({}).listDelaySeconds);
});

afterAll(() => end());
