// What the product does on journeys of every kind, told in codes, fields and counts: no text for people is in it.
import { isFailure } from '../../../lib/failure.ts';
import { type ImportAnswer, importing } from '../../../lib/import/import.ts';
import type { Pipeline } from '../../../lib/pipeline.ts';
import { drift } from '../../../lib/provision/plan/drift.ts';
import { STEPS } from '../../../lib/provision/resources/resources.ts';
import { plainStep } from '../../../lib/provision/steps/step.ts';
import type { FaultSpec } from '../../../local/aep/fault-kinds.ts';
import { sendBatch, WARM_UP } from '../../local/aep/support.ts';
import {
  EVENT_HUBS,
  inletManifest,
  KINESIS,
  keep,
  pulledManifest,
  richManifest,
  SECRETS,
  sandboxOf,
} from '../../provision/cases.ts';
import { ask, surroundings } from '../../support/doctoring.ts';
import { world as forwarding, type RecordInput } from '../../support/forwarding.ts';
import { BUNDLE, bodyOf, busEvent, fromGithub, hookWorld, request, standard } from '../../support/hooks.ts';
import { type Answer, acknowledgeAll, acknowledgeBut, fakeInlet, json } from '../../support/inlet.ts';
import { type RunOptions, world } from '../../support/provisioning.ts';
import { reconciling, xdmMessage } from '../../support/reconciling.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  redriveWorld,
  streamRecord,
} from '../../support/redriving.ts';

type Own = ReturnType<typeof world>;

/** Outcomes, by the name of what was done. */
export type Outcomes = Record<string, unknown>;

/** @param say what an inlet that is scripted here says in its texts */
export async function journeys(say: string): Promise<Outcomes> {
  return {
    ...(await provisionings()),
    ...(await troubles()),
    ...(await others()),
    ...(await forwardings(say)),
    ...(await redrives(say)),
    ...(await reconciles()),
    ...(await deliveries()),
    ...(await diagnoses()),
  };
}

async function ran(own: Own, input: Record<string, unknown>, options: RunOptions = {}) {
  const { status, error, states, document: ended, calls } = await own.run(input, options);
  return { status, error, states, calls: calls.length, changes: own.mutations().length, ...told(ended, own) };
}

/** Of the document, and of the report that is kept. */
function told(ended: Pipeline | undefined, own: Own) {
  const kept = [...own.ledger.items.values()].map(({ report }) => JSON.parse(report?.S ?? '{}'));
  return {
    ...(ended !== undefined && {
      fates: ended.fates,
      left: ended.left?.length,
      removed: ended.removed?.length,
      code: ended.failure?.code,
    }),
    reports: kept.map(({ outcome, resources = [], warnings = [], failure, next = [] }) => ({
      outcome,
      resources: resources.map(({ resource, planned, done }: Record<string, unknown>) => [
        resource,
        planned,
        done,
      ]),
      warnings: warnings.length,
      code: failure?.code,
      next: next.length,
    })),
  };
}

const UPPER = {
  mapping: [
    { source: 'id', destination: '_id' },
    { source: 'last', destination: 'person.name.lastName' },
  ],
};

async function provisionings(): Promise<Outcomes> {
  const own = world();
  const told_: Outcomes = {};
  const steps: [string, Record<string, unknown>][] = [
    ['planned first', { manifest: inletManifest(), mode: 'plan' }],
    ['made', { manifest: inletManifest() }],
    ['unchanged', { manifest: inletManifest() }],
    ['changed', { manifest: inletManifest(UPPER) }],
    ['in another sandbox', { manifest: inletManifest({ sandbox: 'prod' }) }],
    ['of another name', { manifest: inletManifest({ name: 'others' }) }],
    ['retired', { manifest: inletManifest(UPPER), mode: 'retire' }],
    ['retired with its data', { manifest: inletManifest(UPPER), mode: 'retire', deleteData: true }],
    ['not a manifest', { manifest: { version: 1, name: 'people' } }],
    ['no manifest at all', { manifest: 7 }],
  ];
  for (const [name, input] of steps) told_[`provision: ${name}`] = await ran(own, input);
  told_['provision: rich'] = await ran(world(), { manifest: richManifest() });
  for (const [name, before, after] of [
    ['stream', KINESIS, { ...KINESIS, stream: 'others' }],
    ['region', KINESIS, { ...KINESIS, region: 'us-west-2' }],
    ['event hub', EVENT_HUBS, { ...EVENT_HUBS, eventHub: 'others' }],
    ['way in alone', EVENT_HUBS, { ...EVENT_HUBS, auth: 'event-hub' }],
  ] as const) {
    const pulled = world();
    keep(pulled, SECRETS[before.kind]);
    told_[`provision: pulled, ${name}`] = await ran(pulled, { manifest: pulledManifest(before) });
    told_[`provision: pulled, another ${name}`] = await ran(pulled, { manifest: pulledManifest(after) });
  }
  return told_;
}

const STATES = [...Object.keys(STEPS), 'verify', 'publish', 'trigger', 'retire'];

/** Every state fails in three ways; AEP and IMS refuse with every status at every kind of call. */
async function troubles(): Promise<Outcomes> {
  const found: Outcomes = {};
  for (const state of STATES)
    for (const error of ['PermanentFailure', 'TransientFailure', 'TypeError']) {
      const own = world();
      found[`${state} fails: ${error}`] = await ran(
        own,
        { manifest: inletManifest() },
        { fail: { [state]: error } },
      );
      found[`${state} fails: ${error}, and after that`] = await ran(own, { manifest: inletManifest() });
    }
  const faults: readonly Pick<FaultSpec, 'method' | 'path'>[] = [
    { path: '/ims/**' },
    { method: 'POST', path: '/data/foundation/schemaregistry/**' },
    { method: 'POST', path: '/data/foundation/catalog/**' },
    { method: 'POST', path: '/data/foundation/conversion/**' },
    { method: 'POST', path: '/data/foundation/flowservice/flows' },
    { method: 'GET', path: '/data/foundation/flowservice/**' },
  ];
  for (const fault of faults)
    for (const status of [400, 401, 403, 404, 409, 412, 429, 500]) {
      const own = world();
      own.platform.faults.add({ kind: 'refuse', status, ...fault, after: fault.method === 'GET' ? 3 : 0 });
      const name = `${fault.method ?? 'ANY'} ${fault.path} answers ${status}`;
      found[name] = await ran(own, { manifest: inletManifest() });
    }
  // The platform's own refusals, as it words them.
  for (const [name, manifest] of Object.entries({
    'an expression that does not compile': inletManifest({
      mapping: [{ expression: 'nope(', destination: '_id' }],
    }),
    'a destination that is not there': inletManifest({
      mapping: [{ source: 'id', destination: 'no.such.field' }],
    }),
    'a namespace that is not there': inletManifest({
      schema: {
        class: 'profile',
        fieldGroups: ['profile-personal-details'],
        identities: [{ path: 'personalEmail.address', namespace: 'Nope', primary: true }],
      },
    }),
    'a schema that is not there': inletManifest({
      schema: { id: 'https://ns.adobe.com/acmelab/schemas/nope' },
    }),
  }))
    found[`provision: ${name}`] = await ran(world(), { manifest });
  const changed = world();
  await changed.run({ manifest: inletManifest() });
  const { flows } = sandboxOf(changed);
  for (const flow of [...flows.values()]) flows.put(flow.id, { ...flow, state: 'disabled' });
  found['provision: a flow that was disabled'] = await ran(changed, { manifest: inletManifest() });
  return found;
}

async function others(): Promise<Outcomes> {
  const own = world();
  await own.run({ manifest: inletManifest() });
  const { flows } = sandboxOf(own);
  for (const flow of [...flows.values()]) flows.put(flow.id, { ...flow, state: 'disabled' });
  const runtime = () => own.runtime;
  const { moved, checked } = (await plainStep('drift', runtime, drift)({})) as {
    moved: number;
    checked: number;
  };
  const all = { sandbox: 'dev1', all: true };
  const imported = (await plainStep('import', runtime, importing)(all)) as ImportAnswer;
  return {
    import: imported.imported.map(({ complete, findings }) => [
      complete,
      ...findings.map(({ path, effect }) => [path, effect]),
    ]),
    'import: refused': await codeOf(() => plainStep('import', runtime, importing)({ all: true })),
    drift: { moved, checked },
    'drift: refused': await codeOf(() => plainStep('drift', runtime, drift)({ pipeline: 7 })),
  };
}

async function codeOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return 'nothing';
  } catch (error) {
    return isFailure(error) ? [error.name, error.code, error.retryable, error.status] : (error as Error).name;
  }
}

const GOOD: RecordInput = { data: '{"v":"good"}' };

async function forwardings(say: string): Promise<Outcomes> {
  const found: Outcomes = {};
  const run = async (name: string, answer: Answer, records: readonly RecordInput[], more: object = {}) => {
    const own = forwarding({ inlet: fakeInlet(answer), ...more });
    const answers = [];
    for (let again = 0; again < 2; again++)
      answers.push(
        await own.run(records).catch((error: unknown) => (isFailure(error) ? error.code : String(error))),
      );
    found[`forward: ${name}`] = {
      answers,
      reasons: own.reasons(),
      counted: own.counted,
      requests: own.inlet.requests.length,
      lines: own.lines.map(({ level, fields }) => [
        level,
        fields.event,
        fields.code,
        fields.stopped,
        fields.class,
      ]),
    };
  };
  const bad: readonly RecordInput[] = [
    GOOD,
    { data: '{"broken' },
    { data: '' },
    { base64: '*' },
    { data: '7' },
    { data: `{"v":"${'x'.repeat(1_100_000)}"}` },
    GOOD,
  ];
  await run('good records', acknowledgeAll, [GOOD, GOOD]);
  await run('records of every kind', acknowledgeAll, bad);
  await run('records of every kind, packed', acknowledgeAll, bad, { published: { compression: 'gzip' } });
  await run('transformed', acknowledgeAll, [GOOD, { data: '{"v":"bad","mail":"a@b.c"}' }], {
    published: {
      records: { where: [{ field: '/v', equals: 'bad' }], redact: [{ field: '/mail', action: 'hash' }] },
    },
  });
  for (const status of [400, 401, 403, 404, 408, 413, 429, 500, 503]) {
    await run(
      `a request that is answered ${status}`,
      () => json(status, { title: say, detail: say, report: { message: say } }),
      [GOOD, GOOD],
    );
    await run(
      `a message that is answered ${status}`,
      acknowledgeBut((text) => (text.includes('bad') ? { status, message: say } : undefined)),
      [GOOD, { data: '{"v":"bad"}' }, GOOD],
    );
  }
  await run('nothing that is understood', () => json(200, { message: say }), [GOOD]);
  return found;
}

async function redrives(say: string): Promise<Outcomes> {
  const found: Outcomes = {};
  const refusing = acknowledgeBut((text) =>
    text.includes('bad') ? { status: 400, message: say } : undefined,
  );
  const kinds = [
    'refused',
    'refused-later',
    'not-json',
    'not-base64',
    'too-large',
    'redacted-otherwise',
  ] as const;
  const own = redriveWorld({ inlet: fakeInlet(refusing) });
  for (const [index, reason] of kinds.entries())
    await own.store(
      document([
        entry(10 * index, '{"v":"good"}', { reason, message: say }),
        entry(10 * index + 1, '{"v":"bad"}', { reason, message: say }),
      ]),
    );
  for (const request_ of [{ dryRun: true }, {}, { where: { reasons: ['not-json'] } }]) {
    const { next: _, ...answer } = await own.runAll({ source: 'rejected', ...request_ });
    found[`redrive: ${JSON.stringify(request_)}`] = countsOf(answer);
  }
  found['redrive: what stays'] = [...own.documents().values()].map(({ entries }) =>
    entries.map(({ reason }) => reason),
  );
  for (const trimmed of [0, 2]) {
    const stream = redriveWorld({ inlet: fakeInlet(refusing) });
    const records = [0, 1, 2].map((n) => streamRecord(n, `{"n":${n}}`));
    stream.stream.records.push(...records);
    stream.stream.trimmed = trimmed;
    stream.s3.objects.set(
      ON_FAILURE_KEY,
      onFailureDocument({ records: records.map((_, n) => `{"n":${n}}`), payload: 'none' }),
    );
    found[`redrive: on-failure, ${trimmed} are gone`] = countsOf(await stream.run({ source: 'on-failure' }));
  }
  found['redrive: refused'] = await codeOf(() => own.run({ source: 'nowhere' }));
  return found;
}

/** Numbers, codes and whether it is complete; `next` and the texts of ends are for people. */
function countsOf(answer: object): Outcomes {
  const kept = Object.entries(answer).filter(
    ([, value]) => typeof value === 'number' || typeof value === 'boolean',
  );
  return Object.fromEntries([...kept, ['code', (answer as { code?: unknown }).code]]);
}

async function reconciles(): Promise<Outcomes> {
  const own = await reconciling();
  own.with_.clock.advance(WARM_UP);
  const found: Outcomes = {};
  for (const [index, person] of [{ gender: 'female!' }, { birthYear: 'x' }, { nope: 1 }].entries()) {
    await sendBatch(own.with_, own.made, [xdmMessage(own, { _id: `${index}`, person })]);
    own.with_.clock.advance(1_000);
    const { batches, stored, complete } = (await own.run()) as unknown as Outcomes;
    found[`reconcile: ${index}`] = {
      batches,
      stored,
      complete,
      reasons: own.entries().map(({ reason }) => reason),
    };
  }
  for (const status of [401, 403, 404, 429, 500]) {
    const refused: typeof own.runtime.fetch = async (url, init) =>
      new URL(url).pathname.endsWith('/batches')
        ? json(status, { title: 'x' })
        : own.runtime.fetch(url, init);
    found[`reconcile: batches are answered ${status}`] = await codeOf(() => own.run({ fetch: refused }));
  }
  return found;
}

async function deliveries(): Promise<Outcomes> {
  const found: Outcomes = {};
  const own = hookWorld({ environment: { PENSTOCK_HOOK_PIPELINE: 'clicks' } });
  const events: Record<string, unknown> = {
    'a push': fromGithub({ ref: 'refs/heads/main', repository: { default_branch: 'main' } }),
    'a push to another branch': fromGithub({ ref: 'refs/heads/x', repository: { default_branch: 'main' } }),
    'of another key': fromGithub({ ref: 'refs/heads/main' }, { key: 'another' }),
    'no sender': request('{}', {}),
    'a pipeline': standard({ pipeline: 'clicks' }),
    'the same again': standard({ pipeline: 'clicks' }),
    'a pipeline that is not there': standard({ pipeline: 'nope' }),
    'a manifest that is none': standard({ manifest: { version: 1 } }),
    'no JSON': standard('{"a":'),
    'a member twice': standard('{"pipeline":"clicks","pipeline":"clicks"}'),
    'a GET': request(undefined, {}, { method: 'GET' }),
  };
  for (const [name, event] of Object.entries(events)) {
    const answer = await own.send(event);
    const body = answer.body === undefined ? {} : bodyOf(answer);
    found[`hook: ${name}`] = {
      status: answer.statusCode,
      started: (body.executions as { name: string }[] | undefined)?.map((one) => one.name.length),
      all: own.executions.all.size,
    };
  }
  const bus = busEvent('aws.codedeploy', 'CodeDeploy Deployment State-change Notification', {
    state: 'SUCCESS',
  });
  found['hook: CodeDeploy'] = await codeOf(() => own.hook(bus));
  found['hook: a pipeline of the bus that is not there'] = await codeOf(() =>
    own.hook(busEvent('mine', 'penstock', { pipeline: 'nope' })),
  );
  found['hook: started'] = own.executions.all.size;
  found['hook: nothing in the bundle'] = (
    await hookWorld({ bundle: {} }).send(standard({ pipeline: 'all' }))
  ).statusCode;
  found['hook: the bundle'] = Object.keys(BUNDLE);
  return found;
}

async function diagnoses(): Promise<Outcomes> {
  const found: Outcomes = {};
  const faults: Record<string, (all: Awaited<ReturnType<typeof surroundings>>) => void> = {
    sound: () => undefined,
    'the forwarder fails': ({ trigger }) => Object.assign(trigger, { lastFailed: true }),
    'IMS is away': ({ dead }) => void dead.add('http://127.0.0.1:4030'),
    'the flow is disabled': ({ own }) => {
      const { flows } = sandboxOf(own);
      for (const flow of [...flows.values()]) flows.put(flow.id, { ...flow, state: 'disabled' });
    },
  };
  for (const [name, spoil] of Object.entries(faults)) {
    const all = await surroundings();
    spoil(all);
    found[`doctor: ${name}`] = (await ask(all)).checks.map(({ check, state }) => [check, state]);
  }
  return found;
}
