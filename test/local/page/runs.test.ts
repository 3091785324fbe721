// Runs as the server tells them: which states there were, what was asked meanwhile, what became of each resource.
import { describe, expect, it } from 'vitest';
import type { Pipeline, Report } from '../../../lib/pipeline.ts';
import type { Execution } from '../../../local/aws/executions.ts';
import type { StateEvent } from '../../../local/aws/state-machine.ts';
import { runDetail, runFeed, runsFeed } from '../../../local/page/areas/runs.ts';
import { createStore } from '../../../local/page/store.ts';
import { executionOf, manifestOf, ORIGIN, succeeded, toldStack } from '../../support/watched.ts';

const event = (type: StateEvent['type'], state: string, at: number, more: object = {}): StateEvent => ({
  type,
  state,
  stateType: 'Task',
  at,
  durationMs: 0,
  ...more,
});

const PLAN: Pipeline['plan'] = [
  { resource: 'schema', action: 'update', name: 'orders-schema', reason: 'a field group more', id: 'S' },
  {
    resource: 'mapping',
    action: 'replace',
    name: 'orders-mapping',
    reason: 'another expression',
    differences: [{ field: 'mapping _id', found: 'id', wanted: 'upper(id)' }],
    irreversible: 'identities stay',
    readTwice: true,
  },
  { resource: 'profile', action: 'none', name: 'schema in Profile', reason: 'not asked for' },
];

/** A pipeline's document between two states. */
function documentOf(more: object = {}): object {
  const { output } = succeeded(manifestOf('orders'));
  return { ...(output as object), plan: PLAN, resources: {}, ...more };
}

const lookedAt = (stack: ReturnType<typeof toldStack>) => ({
  watched: stack,
  store: createStore('/nowhere'),
});

describe('a run', () => {
  it('has each state that did something, as often as it was entered, with its tries', () => {
    const execution: Execution = {
      ...executionOf(manifestOf('orders')),
      document: documentOf({ waitSeconds: 300 }),
      events: [
        event('entered', 'plan', 10),
        event('failed', 'plan', 20, { error: 'TransientFailure', cause: '{}' }),
        event('retried', 'plan', 30, { attempt: 1 }),
        event('exited', 'plan', 40),
        event('entered', 'planned', 40, { stateType: 'Choice' }),
        event('exited', 'planned', 40, { stateType: 'Choice' }),
        event('entered', 'warm-up', 50, { stateType: 'Wait' }),
      ],
    };
    const { states } = runDetail(toldStack(), execution);
    expect(states).toEqual([
      {
        state: 'plan',
        at: 10,
        ms: 30,
        health: 'good',
        tries: 2,
        failures: ['TransientFailure'],
        requests: [],
      },
      { state: 'warm-up', at: 50, health: 'busy', tries: 1, failures: [], until: 300_050, requests: [] },
    ]);
  });

  it('tells of each resource what the plan says of it, and what it has come to', () => {
    const created = { id: 'M', name: 'orders-mapping', how: 'created' };
    const execution = {
      ...executionOf(manifestOf('orders')),
      document: documentOf({ resources: { mapping: created } }),
    };
    expect(runDetail(toldStack(), execution).resources).toEqual([
      {
        resource: 'schema',
        planned: 'update',
        plan: 'change in place',
        done: 'not reached',
        name: 'orders-schema',
        id: 'S',
        why: 'a field group more',
        differences: [],
        isReadTwice: false,
      },
      {
        resource: 'mapping',
        planned: 'replace',
        plan: 'replace',
        done: 'replaced',
        name: 'orders-mapping',
        id: 'M',
        why: 'another expression',
        differences: PLAN[1]?.differences,
        irreversible: 'identities stay',
        isReadTwice: true,
      },
    ]);
  });

  it('that has failed says where, why and what to do next, by its own report', () => {
    const report: Partial<Report> = {
      version: 2,
      pipeline: 'orders',
      mode: 'apply',
      execution: { id: 'arn:orders', name: 'one', startedAt: 'then', endedAt: 'now' },
      outcome: 'Penstock.RolledBack',
      summary: 'failed',
      durationMs: 1,
      resources: [],
      warnings: ['one'],
      verified: [],
      steps: [],
      failure: {
        error: 'PermanentFailure',
        code: 'MAPPING_INVALID',
        cause: 'MAPPING_INVALID: no nope | Next: Mend it.',
      },
      next: ['Mend it.'],
    };
    const execution: Execution = {
      ...executionOf(manifestOf('orders')),
      status: 'FAILED',
      stopDate: new Date(90),
      error: 'Penstock.RolledBack',
      cause: 'a cause without a code',
      document: documentOf({ report }),
      events: [
        event('entered', 'mapping', 10),
        event('caught', 'mapping', 60, { error: 'PermanentFailure', cause: '{}' }),
        event('entered', 'rollback', 60),
        event('exited', 'rollback', 80),
      ],
    };
    const detail = runDetail(toldStack(), execution);
    expect(detail).toMatchObject({
      health: 'bad',
      says: 'failed at mapping: MAPPING_INVALID',
      failure: {
        state: 'mapping',
        code: 'MAPPING_INVALID',
        what: 'no nope',
        next: 'Mend it.',
      },
      next: [],
      warnings: ['one'],
    });
    expect(detail.states.map(({ state, health, ms }) => [state, health, ms])).toEqual([
      ['mapping', 'bad', 50],
      ['rollback', 'good', 20],
    ]);
  });

  it('has what the platform was asked while it was in a state, by its clock, and nothing of other sandboxes', async () => {
    const stack = toldStack();
    const { platform } = stack.platform;
    const ask = (path: string, sandbox?: string) =>
      platform.fetch(
        new Request(`${ORIGIN}${path}`, {
          headers: sandbox === undefined ? {} : { 'x-sandbox-name': sandbox },
        }),
      );
    platform.clock.advance(86_400_000);
    await ask('/before');
    platform.clock.advance(1_000);
    const start = platform.clock.now();
    const lead = start - 10;
    await ask('/own', 'dev1');
    await ask('/other', 'prod');
    await ask('/ims');
    await ask('/collection/inlet', 'dev1');
    platform.clock.advance(60_000);
    await ask('/later');
    const [own] = platform.journal.entries({ path: '/own' });
    const requestId = String(own?.replyHeaders['x-request-id']);
    const trail = [{ step: 'schema', ms: 1, calls: 1, changes: [{ call: 'GET /own', requestId }] }];
    const execution = {
      ...executionOf(manifestOf('orders')),
      document: documentOf({ trail }),
      events: [
        event('entered', 'schema', 10),
        event('exited', 'schema', 60_000),
        event('entered', 'mapping', 60_000),
      ],
    };
    const moved = { ...stack, platformTimeOf: ({ at }: StateEvent) => at + lead };
    const [schema, mapping] = runDetail(moved, execution).states;
    expect(schema?.requests?.map(({ path, isChange }) => [path, isChange])).toEqual([
      ['/own', true],
      ['/ims', false],
    ]);
    expect(mapping?.requests?.map(({ path }) => path)).toEqual(['/later']);
  });

  it('that has ended keeps its requests when the journal is emptied', async () => {
    const stack = toldStack();
    await stack.platform.platform.fetch(new Request(`${ORIGIN}/asked`));
    const execution: Execution = {
      ...executionOf(manifestOf('orders')),
      status: 'SUCCEEDED',
      stopDate: new Date(),
      events: [event('entered', 'plan', 0), event('exited', 'plan', Date.now() + 60_000)],
    };
    const before = runDetail(stack, execution);
    stack.platform.platform.journal.clear();
    expect(before.states[0]?.requests).toHaveLength(1);
    expect(runDetail(stack, execution)).toEqual(before);
  });
});

describe('what the page follows of runs', () => {
  it('is each run once, plans and manifests that are none among them', async () => {
    const stack = toldStack();
    const numbered = (execution: Execution, name: string) => ({ ...execution, name });
    stack.told.push(
      numbered(succeeded(manifestOf('made')), 'a'),
      numbered(executionOf(manifestOf('asked'), 'plan'), 'b'),
      numbered(executionOf({ name: 'half' }), 'c'),
      numbered(executionOf('no manifest'), 'd'),
    );
    const feed = runsFeed(lookedAt(stack));
    const news = (await feed()) as { set: { pipeline: string; mode: string; health: string }[] };
    expect(news.set.map(({ pipeline, mode, health }) => [pipeline, mode, health])).toEqual([
      ['made', 'apply', 'good'],
      ['asked', 'plan', 'busy'],
      ['half', 'apply', 'busy'],
      ['', 'apply', 'busy'],
    ]);
    expect(await feed()).toBeUndefined();
  });

  it('is one run again whenever it has moved, and that there is no such run', () => {
    const stack = toldStack();
    const events = [event('entered', 'plan', 10)];
    stack.told.push({ ...executionOf(manifestOf('orders')), events });
    const feed = runFeed(lookedAt(stack), 'one');
    expect(feed()).toMatchObject({ says: 'at plan', states: [{ state: 'plan', health: 'busy' }] });
    expect(feed()).toBeUndefined();
    events.push(event('exited', 'plan', 30), event('entered', 'schema', 30));
    expect(feed()).toMatchObject({ says: 'at schema', states: [{ ms: 20 }, { state: 'schema' }] });
    expect(runFeed(lookedAt(stack), 'another')()).toBe('gone');
  });
});
