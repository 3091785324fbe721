// How a plan and a run are told: each thing once, and no line wider than the terminal.

import { describe, expect, it } from 'vitest';
import type { Report } from '../../lib/pipeline.ts';
import { columnsOf } from '../../terminal/columns.ts';
import { showPlan, showRun } from '../../terminal/report.ts';
import { RunFailedError, runFailed } from '../../terminal/run-failed.ts';
import { shown } from '../support/shown.ts';

const NEXT = 'Correct the mapping, or the samples beside the manifest.';
const WHAT = "mapping.10 (person.name.suffix): unknown function 'nope'";
const EXECUTION = 'arn:aws:states:eu-west-1:123456789012:execution:penstock-dev-provision:e1';

const resource = (name: string, planned: string, done: string) => ({
  resource: name,
  planned,
  done,
  name: `customer-profiles-${name}`,
  id: `https://ns.adobe.com/acmelab/${name}s/f2e921c5fa5629bb636b1e1a66b75306a85582528813137c`,
  why: 'made by an earlier execution; what differs is not changed in place',
});

const REPORT: Report = {
  version: 2,
  pipeline: 'customer-profiles',
  mode: 'apply',
  execution: {
    id: EXECUTION,
    name: 'e1',
    startedAt: '2026-11-29T07:00:00Z',
    endedAt: '2026-11-29T07:00:10Z',
  },
  outcome: 'Penstock.RolledBack',
  summary: `customer-profiles: failed (${WHAT})`,
  durationMs: 10_000,
  resources: [
    resource('schema', 'create', 'undone'),
    resource('mapping', 'replace', 'created'),
    resource('dataset', 'keep', 'kept'),
    resource('flow', 'create', 'not reached'),
    resource('descriptor', 'none', 'none'),
  ],
  warnings: [],
  verified: [],
  steps: [{ step: 'mapping', calls: 3, changes: [{ call: 'POST /mappingSets' }] }] as Report['steps'],
  failure: {
    error: 'Penstock.RolledBack',
    code: 'MAPPING_INVALID',
    cause: `mapping: ${WHAT} | Next: ${NEXT} | Undone: schema customer-profiles-schema`,
  },
  next: [NEXT],
};

const timesIn = (text: string, part: string) => text.replaceAll(/\s+/g, ' ').split(part).length - 1;

describe('15: an execution that has failed', () => {
  const failed = () => runFailed({ status: 'FAILED', error: 'Penstock.RolledBack', cause: '{}' }, REPORT);
  const told = (columns?: number) =>
    shown(async (output) => {
      await showRun(output, REPORT, { isError: true });
      output.error(failed());
    }, columns);

  it.each([60, 80, 120, undefined])(
    'says its cause and its advice once, with %s columns',
    async (columns) => {
      const text = await told(columns);
      expect(timesIn(text, "unknown function 'nope'")).toBe(1);
      expect(timesIn(text, 'Correct the mapping')).toBe(1);
      expect(text).toMatch(/^error MAPPING_INVALID {2}mapping:/m);
      expect(text).toMatch(/\nnext {3}Correct the mapping/);
      expect(timesIn(text, 'Undone: schema')).toBe(1);
    },
  );

  it('is an error with the code and the advice of its report, or of its cause where it left none', () => {
    expect(failed()).toBeInstanceOf(RunFailedError);
    expect(failed()).toMatchObject({ code: 'MAPPING_INVALID', next: NEXT, report: REPORT });
    const errorMessage = 'LEASE_TAKEN: another execution runs | Next: Wait for it.';
    const trace = [JSON.stringify({ code: 'LEASE_TAKEN', next: 'Wait for it.' })];
    const cause = JSON.stringify({ errorMessage, trace });
    expect(runFailed({ status: 'FAILED', error: 'Penstock.Refused', cause }, undefined)).toMatchObject({
      code: 'LEASE_TAKEN',
      message: 'another execution runs',
      next: 'Wait for it.',
    });
    expect(runFailed({ status: 'ABORTED' }, undefined)).toMatchObject({ code: 'EXECUTION_FAILED' });
  });
});

describe('15: a report', () => {
  it('of a failure, looked at later, says its cause once and without the name of its error', async () => {
    const text = await shown((output) => showRun(output, REPORT));
    expect(timesIn(text, "unknown function 'nope'")).toBe(1);
    expect(timesIn(text, 'Correct the mapping')).toBe(1);
    expect(text).toContain('customer-profiles: MAPPING_INVALID: mapping: ');
  });

  it('advises by commands where whoever reads it has one for each call, and by its own words otherwise', async () => {
    const health = { to: 'see whether records arrive', function: 'status', event: { pipeline: 'a' } };
    const { failure: _, ...well } = REPORT;
    const report: Report = { ...well, next: ['Ask the health check.'], ask: [health] };
    const withCommands = await shown((output) => showRun(output, report, { commandFor: () => 'penstock x' }));
    expect(withCommands).toContain('next  to see whether records arrive: penstock x\n');
    expect(withCommands).not.toContain('Ask the health check');
    for (const showing of [{}, { commandFor: () => undefined }]) {
      const text = await shown((output) => showRun(output, report, showing));
      expect(text).toContain('next  Ask the health check.');
    }
  });

  it('tells of each resource what became of it, in one word', async () => {
    const rows = (await shown((output) => showRun(output, REPORT))).split('\n');
    const deed = (name: string) => rows.find((row) => row.startsWith(name))?.split(/ {2,}/)[1];
    expect(['schema', 'mapping', 'dataset', 'flow'].map(deed)).toEqual([
      'undone',
      'replaced',
      'kept',
      'not reached',
    ]);
    expect(rows.join('\n')).not.toContain('descriptor');
  });

  it.each([40, 60, 80, 120])('has no line wider than a terminal of %i columns', async (columns) => {
    const text = await shown(async (output) => {
      await showRun(output, REPORT);
      await showPlan(output, { ...REPORT, outcome: 'planned' });
    }, columns);
    expect(Math.max(...text.split('\n').map(columnsOf))).toBeLessThanOrEqual(columns);
  });
});
