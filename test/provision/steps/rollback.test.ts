// What a rollback says, and what it takes away: begun again and again at the moment at which an execution has failed, with a document that tells another story.
import { describe, expect, it } from 'vitest';
import type { Pipeline } from '../../../lib/pipeline.ts';
import { STEPS } from '../../../lib/provision/resources/resources.ts';
import { copyOf } from '../../support/branch.ts';
import { type Entered, type RunOptions, STREAM_ARN, world } from '../../support/provisioning.ts';
import {
  inletManifest,
  KINESIS,
  type Manifest,
  PUBLISHED,
  pulledManifest,
  SECRET_ID,
  SECRETS,
  type World,
} from '../cases.ts';

type Document = { -readonly [Name in keyof Pipeline]: Pipeline[Name] };

/** An execution that has come to its rollback; from there it goes on as often as asked, each time in a copy of its world. */
async function failing(own: World, manifest: Manifest, options: RunOptions) {
  let at: { world: World; entered: Entered } | undefined;
  const onEnter = (entered: Entered) => {
    if (entered.state === 'rollback') at ??= { world: copyOf(own), entered };
  };
  await own.run({ manifest }, { ...options, onEnter });
  if (at === undefined) throw new Error('it did not come to a rollback');
  const { world: before, entered } = at;
  return async (change: (document: Document, copy: World) => void = () => {}) => {
    const copy = copyOf(before);
    const document = structuredClone(entered.input) as Document;
    change(document, copy);
    const { error, cause = '' } = await copy.run({}, { from: { ...entered, input: document } });
    if (cause.includes('EVENT_INVALID')) throw new Error(cause);
    return { error, cause, copy, document };
  };
}

const REFUSED = { fail: { verify: 'PermanentFailure' } };

const anInlet = () => failing(world(), inletManifest(), REFUSED);

const flows = (own: World) =>
  [...(own.platform.state.sandboxes.get('dev1')?.flows.values() ?? [])].map(({ id, state }) => ({
    id,
    state,
  }));

const INLET = {
  kind: 'inlet',
  stream: 'customers',
  startAt: 'now',
  data: 'raw',
  compression: 'none',
  unrouted: 'count',
  order: 'key',
  authenticationRequired: true,
} as const;

/** As Step Functions has it of a step that failed. */
const causeOf = (errorMessage: string, code?: string) =>
  JSON.stringify({
    errorType: 'PermanentFailure',
    errorMessage,
    trace: code === undefined ? [] : ['at x', JSON.stringify({ code, next: 'Do as it says.' })],
  });

/** Text after the first `|`. */
const done = (cause: string) => cause.slice(cause.indexOf(' | ') + 3);

describe('what it says of what failed', () => {
  const order = ['plan', ...Object.keys(STEPS), 'verify', 'publish', 'trigger', 'retire'];
  const trailTo = (names: readonly string[]) => names.map((step) => ({ step, ms: 1, calls: 0, changes: [] }));

  it('names the step after the last that ended, where a function died without a word', async () => {
    const rollBack = await anInlet();
    for (const [index, step] of order.entries()) {
      const { cause } = await rollBack((document) => {
        document.trail = trailTo(order.slice(0, index));
        document.failure = { Error: 'Sandbox.Timedout', Cause: '' };
      });
      expect(cause).toMatch(new RegExp(`^${step}: Sandbox.Timedout: Sandbox.Timedout \\| Kept: `));
    }
    const { cause } = await rollBack((document) => {
      document.trail = trailTo(order);
      document.failure = { Error: 'Sandbox.Timedout', Cause: '' };
    });
    expect(cause).toMatch(/^the last step: Sandbox.Timedout/);
  });

  it('in a retirement there are three', async () => {
    const rollBack = await anInlet();
    const retirement = ['plan', 'stop', 'retire'];
    for (const [index, step] of [...retirement, 'the last step'].entries()) {
      const { error, cause } = await rollBack((document) => {
        document.mode = 'retire';
        document.trail = trailTo(retirement.slice(0, index));
        document.failure = { Error: 'States.TaskFailed', Cause: 'no JSON' };
      });
      expect(error).toBe('Penstock.Resumable');
      expect(cause).toMatch(
        new RegExp(`^${step}: States.TaskFailed: .* \\| Nothing is put back\\. Correct the fault, `),
      );
    }
  });

  it('issue 13 B 3: leaves a failure that came with its code as it is, and only that, whatever its text', async () => {
    const rollBack = await anInlet();
    const told = async (errorMessage: string, code?: string) =>
      (
        await rollBack((document) => {
          document.failure = { Error: 'PermanentFailure', Cause: causeOf(errorMessage, code) };
        })
      ).cause;
    expect(await told('plan: no', 'AEP_REFUSED')).toMatch(/^plan: no \| Undone: /);
    expect(await told('AEP_REFUSED: no')).toMatch(/^verify: PermanentFailure: AEP_REFUSED: no \| /);
    expect(await told('', 'AEP_REFUSED')).toMatch(/^PermanentFailure \| /);
  });

  it('issue 13 B 3: what to do next goes on in a field of its own, and not in the text alone', async () => {
    const rollBack = await anInlet();
    const { copy } = await rollBack((document) => {
      document.failure = { Error: 'PermanentFailure', Cause: causeOf('x | Next: Nothing.', 'AEP_REFUSED') };
    });
    expect((await copy.ledger.ledger.read('people'))?.report).toMatchObject({
      failure: { code: 'AEP_REFUSED' },
      next: ['Do as it says.'],
    });
  });

  it('of nothing at all, it is unknown', async () => {
    const rollBack = await anInlet();
    const { error, cause } = await rollBack((document) => {
      document.failure = undefined;
    });
    expect(error).toBe('Penstock.RolledBack');
    expect(cause).toMatch(/^verify: Unknown: Unknown \| Undone: /);
  });
});

describe('what passes', () => {
  it.each([
    'TransientFailure',
    'States.Timeout',
    'States.HeartbeatTimeout',
    'Lambda.Unknown',
    'Sandbox.Timedout',
    'Runtime.ExitError',
    'Extension.Crash',
  ])('%s: what was made is kept for the next execution', async (name) => {
    const rollBack = await anInlet();
    const { error, cause, copy } = await rollBack((document) => {
      document.failure = { Error: name, Cause: '' };
    });
    expect(error).toBe('Penstock.Resumable');
    expect(done(cause)).toMatch(/^Kept: .*\. Start it again: it goes on from here\.$/);
    expect(flows(copy)).toHaveLength(1);
  });

  it.each([
    'PermanentFailure',
    'States.TaskFailed',
    'XStates.Timeout',
    'States.Timeouts',
    'Lambda',
    'Sandboxes.x',
    'TransientFailures',
  ])('%s does not', async (name) => {
    const rollBack = await anInlet();
    const { error, copy } = await rollBack((document) => {
      document.failure = { Error: name, Cause: '' };
    });
    expect(error).toBe('Penstock.RolledBack');
    expect(flows(copy)).toEqual([]);
  });

  it('somebody else was faster: that passes as well', async () => {
    const rollBack = await anInlet();
    const { error } = await rollBack((document) => {
      document.failure = {
        Error: 'PermanentFailure',
        Cause: causeOf('the flow has changed meanwhile', 'AEP_CHANGED'),
      };
    });
    expect(error).toBe('Penstock.Resumable');
  });

  it('issue 13 B 3: a text that speaks of it is not it', async () => {
    const rollBack = await anInlet();
    const { error } = await rollBack((document) => {
      document.failure = { Error: 'PermanentFailure', Cause: causeOf('not AEP_CHANGED: so', 'AEP_REFUSED') };
    });
    expect(error).toBe('Penstock.RolledBack');
  });

  it('what is kept is named, or that there is nothing', async () => {
    const rollBack = await anInlet();
    const kept = async (change: (document: Document) => void) => {
      const { cause } = await rollBack((document) => {
        document.failure = { Error: 'TransientFailure', Cause: '' };
        change(document);
      });
      return done(cause).replace(' Start it again: it goes on from here.', '');
    };
    expect(await kept((document) => (document.resources = {}))).toBe('Nothing had been made.');
    expect(
      await kept((document) => {
        document.resources = {
          schema: { id: 's-1', name: 'n', how: 'kept' },
          dataset: { id: 'd-1', name: 'n', how: 'created' },
        };
        // Of an inlet nothing is read by a flow.
        document.old = [{ resource: 'flow', id: 'f-0', running: true }];
      }),
    ).toBe('Kept: schema s-1, dataset d-1.');
  });

  it('of a source that AEP reads, the flows that may be stopped are named', async () => {
    const own = world();
    own.secrets.values.set(SECRET_ID, JSON.stringify(SECRETS.kinesis));
    const rollBack = await failing(own, pulledManifest(KINESIS), REFUSED);
    const kept = async (old: Pipeline['old']) => {
      const { cause } = await rollBack((document) => {
        document.failure = { Error: 'TransientFailure', Cause: '' };
        document.resources = {};
        document.old = old;
      });
      return done(cause).replace(' Start it again: it goes on from here.', '');
    };
    expect(
      await kept([
        { resource: 'flow', id: 'f-1', running: true },
        { resource: 'flow', id: 'f-2' },
        { resource: 'flow', id: 'f-3', running: false },
        { resource: 'source-connection', id: 's-1', running: true },
        { resource: 'flow', id: 'f-4', running: true },
      ]),
    ).toBe('Nothing had been made. Until then the flow f-1, f-4 may be stopped, and nothing read.');
    expect(await kept([{ resource: 'flow', id: 'f-2' }])).toBe('Nothing had been made.');
  });
});

describe('what it says of what it did', () => {
  it('all of it, each in its sentence', async () => {
    const rollBack = await anInlet();
    const { cause, document } = await rollBack((document) => {
      const { flow, dataset } = document.resources;
      document.resources = {
        schema: { id: 's-1', name: 'n', how: 'kept' },
        mapping: { id: 'm-1', name: 'n', how: 'updated' },
        'base-connection': { id: 'b-1', name: 'n', how: 'adopted' },
        'target-connection': { id: 't-1', name: 'n', how: 'updated', pending: true },
        'source-connection': { id: 'c-1', name: 'n', how: 'given' },
        ...(flow && { flow }),
        ...(dataset && { dataset }),
      };
      document.execution = { ...document.execution, name: 'another' };
      document.old = [
        { resource: 'flow', id: 'f-0' },
        { resource: 'mapping', id: 'm-0' },
      ];
    });
    const { flow, dataset } = document.resources;
    expect(done(cause)).toBe(
      [
        `Undone: flow ${flow?.id}, dataset ${dataset?.id}.`,
        'Changed or adopted, and it stays so: mapping m-1, base-connection b-1.',
        'To be removed after a successful change, and still there: flow f-0, mapping m-0.',
        'Made by earlier executions, and it stays: schema s-1.',
      ].join(' '),
    );
  });

  it('that there was nothing to undo, and no more', async () => {
    const rollBack = await anInlet();
    const { cause, copy } = await rollBack((document) => {
      document.resources = {};
      document.execution = { ...document.execution, name: 'another' };
    });
    expect(done(cause)).toBe('Nothing had to be undone.');
    expect(flows(copy)).toHaveLength(1);
  });

  it('that something was left, and why', async () => {
    const rollBack = await anInlet();
    const { cause } = await rollBack((document, copy) => {
      document.resources = {};
      document.execution = { ...document.execution, name: 'another' };
      copy.platform.faults.add({
        kind: 'refuse',
        status: 400,
        method: 'GET',
        path: '/data/foundation/flowservice/flows',
      });
    });
    expect(done(cause)).toMatch(/^Left in place: perhaps a flow \([^)]*400[^)]*\)\.$/);
  });
});

describe('what is its own', () => {
  it('what the document says that it made, under whatever name; and nothing that an earlier one made', async () => {
    const rollBack = await anInlet();
    for (const how of ['created', 'kept', 'adopted', 'updated', 'given'] as const) {
      const { copy } = await rollBack((document) => {
        const { flow } = document.resources;
        document.resources = flow === undefined ? {} : { flow: { ...flow, how } };
        document.execution = { ...document.execution, name: 'another' };
      });
      expect(flows(copy), how).toHaveLength(how === 'created' ? 0 : 1);
    }
  });

  it('what bears its ownership tag, though its document does not know it', async () => {
    const rollBack = await anInlet();
    const { copy } = await rollBack((document) => {
      document.resources = {};
    });
    expect(flows(copy)).toEqual([]);
  });

  it('nothing that bears the ownership tag of another pipeline', async () => {
    const rollBack = await anInlet();
    const { copy } = await rollBack((document) => {
      document.resources = {};
      document.manifest = { ...document.manifest, name: 'others' };
    });
    expect(flows(copy)).toHaveLength(1);
  });

  it('nothing that is to go after a change which did not come to be, and is of that kind', async () => {
    const rollBack = await anInlet();
    const { copy } = await rollBack((document) => {
      document.old = [{ resource: 'flow', id: document.resources.flow?.id ?? '' }];
    });
    expect(flows(copy)).toHaveLength(1);
    const other = await rollBack((document) => {
      document.old = [{ resource: 'mapping', id: document.resources.flow?.id ?? '' }];
    });
    expect(flows(other.copy)).toEqual([]);
  });

  it('nothing that the manifest names, or that the pipeline does not need', async () => {
    const rollBack = await anInlet();
    const { cause, document } = await rollBack((document) => {
      document.manifest = { ...document.manifest, schema: { id: document.resources.schema?.id ?? '' } };
    });
    expect(cause).toContain('Undone: flow ');
    expect(cause).not.toContain(`schema ${document.resources.schema?.id}`);
    const other = await rollBack((document) => {
      document.resources = { ...document.resources, profile: { id: 'p-1', name: 'n', how: 'created' } };
    });
    expect(other.cause).not.toContain('p-1');
  });
});

describe('the trigger', () => {
  const published = () => failing(world(), inletManifest(), { fail: { trigger: 'PermanentFailure' } });
  const triggers = (own: World) => [...own.triggers.all.keys()];

  it('goes where this execution made it, or the plan knew that there was none', async () => {
    const rollBack = await published();
    const noted = await rollBack((document, copy) => {
      void copy.triggers.create(STREAM_ARN, 'earliest');
      document.trigger = { id: 'trigger-1', how: 'created', startAt: 'earliest' };
    });
    expect(done(noted.cause)).toMatch(/^Undone: trigger, published pipeline, flow /);
    expect(triggers(noted.copy)).toEqual([]);
    const unsaid = await rollBack((document, copy) => {
      void copy.triggers.create(STREAM_ARN, 'earliest');
      document.trigger = undefined;
    });
    expect(triggers(unsaid.copy)).toEqual([]);
    expect(unsaid.copy.secrets.values.has(PUBLISHED)).toBe(false);
  });

  it('stays where it was kept, or the plan had found one', async () => {
    const rollBack = await published();
    const kept = await rollBack((document, copy) => {
      void copy.triggers.create(STREAM_ARN, 'earliest');
      document.trigger = { id: 'trigger-1', how: 'kept', startAt: 'earliest' };
    });
    expect(triggers(kept.copy)).toEqual(['trigger-1']);
    const planned = await rollBack((document, copy) => {
      void copy.triggers.create(STREAM_ARN, 'earliest');
      document.trigger = undefined;
      document.plan = document.plan.map((one) =>
        one.resource === 'trigger' ? { ...one, action: 'keep' } : one,
      );
    });
    expect(triggers(planned.copy)).toEqual(['trigger-1']);
  });

  it('that was never made is nothing to undo', async () => {
    const rollBack = await published();
    const { cause } = await rollBack();
    expect(done(cause)).toMatch(/^Undone: published pipeline, flow /);
    expect(cause).not.toContain('trigger (');
  });

  it('is not looked at where this execution has published nothing', async () => {
    const rollBack = await anInlet();
    const { copy } = await rollBack((document, copy) => {
      void copy.triggers.create(STREAM_ARN, 'earliest');
      document.trigger = undefined;
    });
    expect(triggers(copy)).toEqual(['trigger-1']);
  });
});

describe('a source that AEP reads', () => {
  /** A second flow in place of the first has been made, and is refused. */
  async function swapped() {
    const own = world();
    own.secrets.values.set(SECRET_ID, JSON.stringify(SECRETS.kinesis));
    await own.run({ manifest: pulledManifest(KINESIS) });
    const [old] = flows(own);
    const rollBack = await failing(own, pulledManifest({ ...KINESIS, stream: 'others' }), REFUSED);
    return { rollBack, old: old?.id ?? '' };
  }
  const stateOf = (own: World, id: string) => flows(own).find((one) => one.id === id)?.state;

  it('is read again by the flow that was stopped for another', async () => {
    const { rollBack, old } = await swapped();
    const { copy } = await rollBack((document, own) => {
      stop(own, old);
      document.old = [{ resource: 'flow', id: old, running: true }];
    });
    expect(stateOf(copy, old)).toBe('enabled');
  });

  it('is not read by two, or by one that did not read before', async () => {
    const { rollBack, old } = await swapped();
    for (const change of [
      (document: Document) => (document.old = [{ resource: 'flow', id: old, running: false }]),
      (document: Document) => (document.old = [{ resource: 'source-connection', id: old, running: true }]),
      (document: Document) => (document.old = []),
      (document: Document) => {
        document.manifest = { ...document.manifest, source: INLET };
        document.old = [{ resource: 'flow', id: old, running: true }];
      },
    ]) {
      const { copy } = await rollBack((document, own) => {
        stop(own, old);
        change(document);
      });
      expect(stateOf(copy, old)).toBe('disabled');
    }
  });

  it('is not read by the old one where its successor stays and reads', async () => {
    const { rollBack, old } = await swapped();
    const { copy } = await rollBack((document, own) => {
      stop(own, old);
      document.old = [{ resource: 'flow', id: old, running: true }];
      const { flow } = document.resources;
      if (flow === undefined) throw new Error('no flow');
      document.resources = { ...document.resources, flow: { ...flow, how: 'kept' } };
      document.execution = { ...document.execution, name: 'another' };
      const made = own.platform.state.sandboxes.get('dev1')?.flows.get(flow.id);
      if (made !== undefined) Object.assign(made, { state: 'enabled' });
    });
    expect(stateOf(copy, old)).toBe('disabled');
  });

  it('that cannot be read again is told', async () => {
    const { rollBack, old } = await swapped();
    const { cause } = await rollBack((document, own) => {
      stop(own, old);
      document.old = [{ resource: 'flow', id: old, running: true }];
      own.platform.faults.add({
        kind: 'refuse',
        status: 400,
        method: 'POST',
        path: `/data/foundation/flowservice/flows/${old}/action`,
      });
    });
    expect(cause).toMatch(new RegExp(`flow ${old}, stopped: nothing reads the source \\([^)]+\\)`));
  });

  function stop(own: World, id: string): void {
    const found = own.platform.state.sandboxes.get('dev1')?.flows.get(id);
    if (found === undefined) throw new Error('no flow');
    Object.assign(found, { state: 'disabled' });
  }
});
