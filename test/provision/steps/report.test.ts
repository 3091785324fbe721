// The run report: one document however an execution ended, small enough to keep, and what `status` tells of it.
import { describe, expect, it } from 'vitest';
import { RESOURCE_KEYS, Report } from '../../../lib/pipeline.ts';
import type { Status } from '../../../lib/provision/status.ts';
import { world } from '../../support/provisioning.ts';
import {
  changes,
  groupManifest,
  inletManifest,
  KINESIS,
  keep,
  PUBLISHED,
  position,
  pulledManifest,
  reportOf,
  richManifest,
  SECRETS,
  SERVICES,
  sandboxOf,
  sent,
  type World,
} from '../cases.ts';

const SOURCE = { kind: 'inlet', stream: 'customers', data: 'raw' };
const UPPER = [
  { source: 'id', destination: '_id' },
  { expression: 'upper(${first})', destination: 'person.name.firstName' },
];
const status = async (own: World, event: unknown) =>
  (await own.steps.status?.(event)) as unknown as Status | Status[];
const done = (report: Report) => Object.fromEntries(report.resources.map((one) => [one.resource, one.done]));

/** What every report has to hold, however the execution ended. */
function expectReport(report: unknown, outcome: string): Report {
  const read = Report.parse(report);
  expect(read).toEqual(report);
  expect(read).toMatchObject({ version: 2, pipeline: 'people', outcome });
  expect(read.summary).toMatch(/^people: \S/);
  expect(read.summary).not.toContain('\n');
  const { startedAt, endedAt } = read.execution;
  expect(Math.floor(read.durationMs)).toBe(Date.parse(endedAt) - Date.parse(startedAt));
  for (const { name, why, planned, done: is } of read.resources)
    for (const text of [name, why, planned, is]) expect(text).not.toBe('');
  expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThanOrEqual(65_536);
  return read;
}

describe('the same document', () => {
  it('after a success: what was made, under which ids, and what to do next', async () => {
    const own = world();
    const { document } = await own.run({ manifest: inletManifest() });
    const report = expectReport(document.report, 'succeeded');
    expect(report).toEqual(await reportOf(own));
    expect(report.execution).toMatchObject({ name: 'run-1', startedAt: '2026-01-01T00:00:00.000Z' });
    expect(report.resources.map(({ resource }) => resource).sort()).toEqual(
      [...RESOURCE_KEYS, 'trigger', 'publish'].sort(),
    );
    for (const { resource, id, done: is } of report.resources) {
      if (resource === 'publish' || is === 'none') continue;
      expect(is).toBe('created');
      expect(id).toBe(resource === 'trigger' ? 'trigger-1' : document.resources[resource as 'flow']?.id);
    }
    expect(done(report).publish).toBe('created');
    expect(report.summary).toMatch(/^people: created schema, .*dataset.*flow/);
    expect(report.verified).not.toEqual([]);
    expect(report.failure).toBeUndefined();
    expect(report.next).toEqual(['Ask the health check whether records arrive (events/doctor.json).']);
    expect(report.ask).toEqual([
      {
        to: 'see whether records arrive',
        function: 'status',
        event: { pipeline: 'people', doctor: true },
      },
    ]);
  });

  it('after a second run: nothing to do', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const { document } = await own.run({ manifest: inletManifest() });
    const report = expectReport(document.report, 'succeeded');
    expect(report.summary).toBe('people: nothing to do: all is as the manifest says');
    expect(new Set(Object.values(done(report)))).toEqual(new Set(['kept', 'none']));
  });

  it('after a plan, which is not kept', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const kept = await reportOf(own);
    const { document } = await own.run({ manifest: inletManifest({ mapping: UPPER }), mode: 'plan' });
    const report = expectReport(document.report, 'planned');
    expect(report.mode).toBe('plan');
    expect(report.resources.find(({ resource }) => resource === 'mapping')).toMatchObject({
      planned: 'replace',
      done: 'planned',
      differences: [
        { field: 'mapping person.name.firstName', found: expect.any(String), wanted: expect.any(String) },
      ],
    });
    expect(report.next).toEqual([expect.stringContaining('"mode": "plan"')]);
    expect(await reportOf(own)).toEqual(kept);
  });

  it('after a swap: what is new, and what of the old one was removed', async () => {
    const own = world();
    const first = await own.run({ manifest: inletManifest() });
    const { document } = await own.run({ manifest: inletManifest({ mapping: UPPER }) });
    const report = expectReport(document.report, 'succeeded');
    expect(done(report)).toMatchObject({
      schema: 'kept',
      mapping: 'created',
      flow: 'created',
      publish: 'updated',
    });
    expect(report.resources.find(({ resource }) => resource === 'flow')?.planned).toBe('replace');
    expect(report.summary).toContain(`flow ${first.document.resources.flow?.id}`);
    expect(report.summary).toContain('old ones removed');
  });

  it('after an update: what is updated', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const { document } = await own.run({ manifest: inletManifest({ dataset: { identity: true } }) });
    const report = expectReport(document.report, 'succeeded');
    expect(report.resources.find(({ resource }) => resource === 'dataset')).toMatchObject({
      planned: 'update',
      done: 'updated',
      differences: [{ field: 'tag unifiedIdentity', found: 'nothing', wanted: 'enabled:true' }],
    });
  });

  it('after a conflict: which, and that nothing was done', async () => {
    const own = world();
    await own.run({ manifest: inletManifest({ name: 'first', dataset: { name: 'Shared' } }) });
    const { error } = await own.run({ manifest: inletManifest({ dataset: { name: 'Shared' } }) });
    const report = expectReport(await reportOf(own), error ?? '');
    expect(report.resources.find(({ resource }) => resource === 'dataset')?.planned).toBe('conflict');
    expect(report.resources.filter(({ done: is }) => /^(created|updated|adopted|written)$/.test(is))).toEqual(
      [],
    );
    expect(report.failure?.cause).toContain('CONFLICT');
    expect(report.next).not.toEqual([]);
  });

  it('after a failure before anything was made', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 503, path: SERVICES.flows });
    const { error } = await own.run({ manifest: inletManifest() });
    const report = expectReport(await reportOf(own), error ?? '');
    expect(report.failure?.cause).toContain('AEP_UNAVAILABLE');
    expect(report.next).toEqual([expect.stringContaining('Wait')]);
  });

  it('after a failure that passes: what is kept, and that it can be started again', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 503, method: 'POST', path: SERVICES.flows });
    await own.run({ manifest: inletManifest() });
    const report = expectReport(await reportOf(own), 'Penstock.Resumable');
    expect(done(report)).toMatchObject({
      schema: 'created',
      mapping: 'created',
      flow: 'not reached',
      publish: 'not reached',
      trigger: 'not reached',
    });
    expect(report.failure?.cause).toContain('Start it again');
    expect(report.summary).toContain('Penstock.Resumable');
    expect(report.next.join(' ')).toMatch(/again/);
  });

  it('after a rollback: what was undone, what is left and why', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    own.platform.faults.add({
      kind: 'refuse',
      status: 403,
      method: 'DELETE',
      path: `${SERVICES.connections}/*`,
    });
    await own.run({ manifest: inletManifest() });
    const report = expectReport(await reportOf(own), 'Penstock.RolledBack');
    expect(done(report)).toMatchObject({
      schema: 'undone',
      dataset: 'undone',
      'base-connection': 'left',
      mapping: 'undone',
      'source-connection': 'undone',
      'target-connection': 'undone',
      flow: 'not reached',
      publish: 'not reached',
      trigger: 'not reached',
    });
    expect(report.failure?.cause).toMatch(/Left in place: base-connection \S+ \(.*403/);
  });

  it('after a rollback of what was published: that is undone, too', async () => {
    const own = world();
    const { error } = await own.run({ manifest: inletManifest() }, { fail: { trigger: 'PermanentFailure' } });
    expect(error).toBe('Penstock.RolledBack');
    expect(own.secrets.values.has(PUBLISHED)).toBe(false);
    const report = expectReport(await reportOf(own), 'Penstock.RolledBack');
    expect(done(report)).toMatchObject({ flow: 'undone', publish: 'undone', trigger: 'not reached' });
  });

  it('after retiring: what was removed and what stays', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    await own.run({ manifest: inletManifest(), mode: 'retire' });
    const report = expectReport(await reportOf(own), 'retired');
    expect(report.mode).toBe('retire');
    expect(done(report)).toEqual({
      schema: 'kept',
      identity: 'none',
      profile: 'none',
      dataset: 'kept',
      'identity-dataset': 'none',
      'base-connection': 'removed',
      mapping: 'removed',
      'source-connection': 'removed',
      'target-connection': 'removed',
      flow: 'removed',
      publish: 'removed',
      trigger: 'removed',
    });
    for (const { resource, id, done: is } of report.resources)
      if (is !== 'none' && resource !== 'publish') expect(id, resource).toMatch(/./);
  });

  // Until now there was none: only the Cause of the execution told, and `status` knew nothing.
  it.each<[string, Record<string, unknown>, string]>([
    ['a manifest with a mistake', { sandbox: 'No Such' }, 'sandbox: expected the name of a sandbox'],
    [
      'a stream that is not there',
      { source: { ...SOURCE, stream: 'custmers' } },
      'there is no Kinesis stream custmers',
    ],
    ['a time to come', { source: { ...SOURCE, startAt: '2030-01-01T00:00:00Z' } }, 'is in the future'],
  ])('C 2: after a failure in begin: %s', async (_, more, said) => {
    const own = world();
    const { error } = await own.run({ manifest: inletManifest(more), samples: [{ record: {}, xdm: {} }] });
    const report = expectReport(await reportOf(own), error ?? '');
    expect(report).toMatchObject({ mode: 'apply', resources: [], steps: [] });
    expect(report.execution).toMatchObject({ name: 'run-1', startedAt: '2026-01-01T00:00:00.000Z' });
    expect(report.failure?.cause).toContain(said);
    expect(report.next).toEqual([expect.stringMatching(/^(Correct|Create|Kinesis)/)]);
    expect(await status(own, { pipeline: 'people' })).toMatchObject({ applied: false, report });
    expect(own.logged.join('\n')).toContain('run report');
  });

  it('C 2: after a failure in begin of a pipeline that is there: what is in force and known stays', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const { report: _, ...before } = (await own.ledger.ledger.read('people')) ?? {};
    await own.run({ manifest: inletManifest({ sandbox: 'No Such' }) });
    const { report, ...after } = (await own.ledger.ledger.read('people')) ?? {};
    expect({ ...after, updatedAt: '' }).toEqual({ ...before, updatedAt: '' });
    expect(Report.parse(report).outcome).toBe('PermanentFailure');
    const { document } = await own.run({ manifest: inletManifest() });
    expectReport(document.report, 'succeeded');
  });

  it('C 2: after a failure in begin, and nothing kept: of a plan, of what has no name, of what another execution holds', async () => {
    const own = world();
    const bad = inletManifest({ sandbox: 'No Such' });
    await own.run({ manifest: bad, mode: 'plan' });
    for (const name of [undefined, '../x', 7]) await own.run({ manifest: { ...bad, name } });
    expect(own.ledger.items.size).toBe(0);
    expect(own.logged.filter((line) => line.includes('run report'))).toHaveLength(4);
    own.ledger.items.set('people', { pipeline: { S: 'people' }, owner: { S: 'another' } });
    await own.run({ manifest: bad });
    expect(await own.ledger.ledger.read('people')).toEqual({ pipeline: 'people', owner: 'another' });
  });

  it('C 2: with a request that leaves no room beside it, the report is there and the request is not', async () => {
    const own = world();
    const failure = { Error: 'PermanentFailure', Cause: 'TOO_LARGE:', code: 'TOO_LARGE', next: 'Less.' };
    const event = { manifest: { name: 'people', text: 'x'.repeat(262_000) }, failure };
    const answer = (await own.steps.report?.(event)) as { report?: unknown };
    expect(expectReport(answer.report, 'PermanentFailure').next).toEqual(['Less.']);
    expect(answer).not.toHaveProperty('manifest');
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(20_000);
  });
});

describe('what a report holds', () => {
  it.each([
    ['a first run', [] as object[], richManifest()],
    ['a swap', [inletManifest()], inletManifest({ mapping: UPPER })],
    ['an update', [inletManifest()], inletManifest({ dataset: { identity: true } })],
  ])("AEP's request ids of all changes: %s", async (_, before, manifest) => {
    const own = world();
    for (const one of before) await own.run({ manifest: one });
    const from = position(own);
    const { document } = await own.run({ manifest });
    const listed =
      document.report?.steps.flatMap(({ changes: all }) => all.map(({ requestId }) => requestId)) ?? [];
    const expected = sent(own, from)
      .filter(({ method, path }) => method !== 'GET' && !/\/(preview|validate)$/.test(path))
      .map(({ replyHeaders }) => replyHeaders['x-request-id']);
    expect(listed).toEqual(expected);
  });

  it("AEP's request ids of what retiring removes, however much it is", async () => {
    const own = world();
    const schema = { ...(richManifest().schema as object), profile: false };
    const manifest = richManifest({ schema, dataset: {} });
    await own.run({ manifest });
    const from = position(own);
    const { document } = await own.run({ manifest, mode: 'retire', deleteData: true });
    const listed = document.report?.steps.flatMap(({ changes: all }) => all) ?? [];
    expect(listed).toHaveLength(changes(own, from).length);
  });

  it("AEP's request ids of what was done in a step that then failed", async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.schemas });
    await own.run({ manifest: groupManifest() });
    const report = await reportOf(own);
    const made = sent(own).find(({ method, path }) => method === 'POST' && path === SERVICES.fieldGroups);
    expect(JSON.stringify(report)).toContain(made?.replyHeaders['x-request-id']);
  });

  it('the calls and the time of each step', async () => {
    const own = world();
    const { document, calls } = await own.run({ manifest: inletManifest() });
    const counted = document.report?.steps.reduce((sum, one) => sum + one.calls, 0);
    expect(counted).toBe(
      calls.filter(({ kind, label }) => kind === 'aep' && !label.includes('/ims/')).length,
    );
  });

  it('no address of an inlet, and no secret', async () => {
    const source = { kind: 'inlet', stream: 'customers', data: 'raw', authenticationRequired: false };
    const own = world();
    await own.run({ manifest: inletManifest({ source }) });
    const { inletUrl } = JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}') as { inletUrl: string };
    const { document } = await own.run({ manifest: inletManifest(), mode: 'plan' });
    const told = JSON.stringify([await reportOf(own), document, own.logged]);
    expect(told).not.toContain(inletUrl);
    expect(told).not.toContain(inletUrl.split('/').at(-1));
  });
});

describe('a manifest of 500 mappings', () => {
  const fields = Object.fromEntries(
    Array.from({ length: 500 }, (_, index) => [`f${index}`, { type: 'string' }]),
  );
  const mapped = (expression: (name: string) => string) =>
    groupManifest(fields, {
      mapping: Object.keys(fields).map((name) => ({
        expression: expression(name),
        destination: `{tenant}.${name}`,
      })),
    });
  const short = (name: string) => `upper(${name})`;
  const long = (name: string) => `concat(lower(${name}), "${'-'.repeat(70)}")`;
  const within = (value: unknown, most: number) =>
    expect(Buffer.byteLength(JSON.stringify(value))).toBeLessThanOrEqual(most);

  it.each([
    ['short ones', short],
    ['long ones', long],
  ])(
    '%s: made, changed and retired, with a report that fits and says what was done',
    async (_, expression) => {
      const own = world();
      const steps: [object, string][] = [
        [{ manifest: mapped(expression) }, 'succeeded'],
        [{ manifest: mapped((name) => `trim(${expression(name)})`), mode: 'plan' }, 'planned'],
        [{ manifest: mapped((name) => `trim(${expression(name)})`) }, 'succeeded'],
        [
          { manifest: mapped((name) => `trim(${expression(name)})`), mode: 'retire', deleteData: true },
          'retired',
        ],
      ];
      for (const [input, outcome] of steps) {
        const { cause, status: ended, document } = await own.run(input as Record<string, unknown>);
        expect(cause ?? ended).toBe('SUCCEEDED');
        expectReport(document.report, outcome);
        within(document, 262_144);
        expect(document.report?.resources.find(({ resource }) => resource === 'flow')?.done).not.toBe(
          'not reached',
        );
      }
    },
  );

  it('none of which compiles, is refused with a report that fits', async () => {
    const own = world();
    const { error } = await own.run({ manifest: mapped((name) => `no_such_function_of(${name})`) });
    expect(error).toBe('Penstock.RolledBack');
    expectReport(await reportOf(own), 'Penstock.RolledBack');
  });

  it('that conflict with 500 fields of another type, likewise', async () => {
    const own = world();
    await own.run({ manifest: mapped(short) });
    const numbers = Object.fromEntries(Object.keys(fields).map((name) => [name, { type: 'number' }]));
    const { error } = await own.run({
      manifest: {
        ...mapped(short),
        schema: { class: 'profile', fieldGroups: [{ name: 'loyalty', fields: numbers }] },
      },
    });
    const report = expectReport(await reportOf(own), error ?? '');
    expect(report.failure?.cause).toContain('CONFLICT');
  });
});

it('of a manifest of 29 own field groups, all of them in conflict, fits as well', async () => {
  const own = world();
  const deep = 'a'.repeat(90);
  const groups = (type: string) =>
    Array.from({ length: 29 }, (_, index) => {
      const inner = Object.fromEntries(Array.from({ length: 25 }, (_none, field) => [`f${field}`, { type }]));
      const fields = {
        [`g${index}`]: { type: 'object', properties: { [deep]: { type: 'object', properties: inner } } },
      };
      return { name: `group-${index}`, fields };
    });
  const manifest = (type: string) =>
    inletManifest({ schema: { class: 'profile', fieldGroups: ['profile-person-details', ...groups(type)] } });
  const made = await own.run({ manifest: manifest('string') });
  expect(made.cause ?? made.status).toBe('SUCCEEDED');
  const asked = await own.run({ manifest: manifest('number'), mode: 'plan' });
  expect(asked.cause ?? asked.status).toBe('SUCCEEDED');
  expectReport(asked.document.report, 'planned');
  const { error, cause } = await own.run({ manifest: manifest('number') });
  expect(cause).toContain('CONFLICT');
  const report = expectReport(await reportOf(own), error ?? '');
  expect(report.resources.filter(({ planned }) => planned === 'conflict')).toHaveLength(29);
});

describe('status', () => {
  it('tells the report of the last execution, and whether a manifest is in force', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    expect(await status(own, { pipeline: 'people' })).toEqual({
      pipeline: 'people',
      applied: true,
      report: await reportOf(own),
    });
    await own.run({ manifest: inletManifest(), mode: 'retire' });
    expect(await status(own, { pipeline: 'people' })).toMatchObject({
      applied: false,
      report: { outcome: 'retired' },
    });
  });

  it('tells of a first execution that failed that nothing is in force', async () => {
    const own = world();
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    await own.run({ manifest: inletManifest() });
    expect(await status(own, { pipeline: 'people' })).toMatchObject({
      applied: false,
      report: { outcome: 'Penstock.RolledBack' },
    });
  });

  it('tells of a change that failed that the manifest before it is in force', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    own.platform.faults.add({ kind: 'refuse', status: 400, method: 'POST', path: SERVICES.flows });
    await own.run({ manifest: inletManifest({ mapping: UPPER }) });
    expect(await status(own, { pipeline: 'people' })).toMatchObject({
      applied: true,
      report: { outcome: 'Penstock.RolledBack' },
    });
    expect((await own.runtime.ledger.read('people'))?.manifest).toMatchObject({
      mapping: inletManifest().mapping,
    });
  });

  it('tells who works on it now', async () => {
    const own = world();
    let seen: unknown;
    const intercept = async <T>(call: { label: string }, proceed: () => Promise<T>) => {
      if (call.label === `POST ${SERVICES.flows}`) seen = await status(own, { pipeline: 'people' });
      return proceed();
    };
    await own.run({ manifest: inletManifest() }, { intercept });
    expect(seen).toMatchObject({
      applied: false,
      running: { execution: expect.stringContaining('run-1'), since: '2026-01-01T00:00:00.000Z' },
    });
    expect(await status(own, { pipeline: 'people' })).not.toHaveProperty('running');
  });

  it('tells all of them, by name, and says of a stranger that it is one', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    await own.run({ manifest: inletManifest() });
    await own.run({ manifest: pulledManifest(KINESIS, { name: 'orders' }) });
    expect(await status(own, {})).toMatchObject([{ pipeline: 'orders' }, { pipeline: 'people' }]);
    await expect(status(own, { pipeline: 'stranger' })).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining('stranger'),
    });
    await expect(status(own, { pipeline: 'peopel' })).rejects.toMatchObject({
      what: 'status: no execution has worked on a pipeline peopel; did you mean "people"?',
    });
  });

  it.each([[{ pipeline: 5 }], [{ pipeline: '' }], ['people'], [[]]])(
    'asked with %j says what to ask',
    async (event) => {
      const own = world();
      await own.run({ manifest: inletManifest() });
      await expect(status(own, event)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    },
  );
});

it('a failed execution does not forget where things are: what was renamed by hand meanwhile is found', async () => {
  const own = world();
  const { document } = await own.run({ manifest: inletManifest() });
  const id = document.resources.dataset?.id ?? '';
  const dataset = sandboxOf(own).dataSets.get(id);
  if (dataset === undefined) throw new Error('no dataset');
  sandboxOf(own).dataSets.put(id, { ...dataset, body: { ...dataset.body, name: 'Renamed' } });
  own.platform.faults.add({ kind: 'refuse', status: 503, path: SERVICES.flows });
  expect((await own.run({ manifest: inletManifest() })).status).toBe('FAILED');
  own.platform.faults.clear();
  const from = position(own);
  const again = await own.run({ manifest: inletManifest() });
  expect(again.document.resources.dataset).toMatchObject({ id, name: 'Renamed' });
  expect(changes(own, from)).toEqual([]);
});
