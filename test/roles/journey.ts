// A journey on which every function makes the calls it is made for: pipelines of each kind, from the hook to the removal of the stack.
import { createHmac } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createConsumers } from '../../lib/aws/consumers.ts';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import { createTableCall } from '../../lib/aws/dynamodb.ts';
import { createFunctions } from '../../lib/aws/functions.ts';
import { createMarks } from '../../lib/aws/marks.ts';
import { createTriggers } from '../../lib/aws/triggers.ts';
import { type Manifest, parseManifest } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import type { Marks } from '../../lib/runtime.ts';
import { accessKeyOf, type Call, createCalls } from '../../local/aws/calls.ts';
import type { StateEvent } from '../../local/aws/state-machine.ts';
import { functionName } from '../../local/start/functions.ts';
import { prepareSource, provision } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { RunFailedError } from '../../terminal/run-failed.ts';
import { EXAMPLES } from '../support/hooks.ts';
import { byKey } from './resolve.ts';

const TIMES = { warmUpSeconds: 1, drainSeconds: 1 };
const KEY = 'fake-journey-key-0123456789';
const STREAM = 'customers-xdm';
const NAME = 'customer-profiles-xdm';

/** Every kind of call there was, by function. */
export async function journey(): Promise<readonly Call[]> {
  const started = new Date().toISOString();
  const calls: Call[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const stack = await startStack({
    warmUpSeconds: 1,
    seed: 21,
    sandboxes: ['dev1'],
    folder,
    store: 's3',
    pipelines: EXAMPLES,
    calls: createCalls((call) => void calls.push(call)),
  });
  try {
    await hooked(stack);
    const pipeline = await carrying(stack);
    await meeting(stack);
    await looking(stack, folder);
    await joining(stack, folder);
    await sendingAgain(stack, folder, started);
    await sendingParked(stack, folder, pipeline);
    await pulling(stack);
    await linking(stack);
    await failing(stack);
    await failingToPull(stack);
    await retiring(stack, pipeline);
    await byHand(stack, pipeline);
    await fanningOut(stack);
    await marking(stack);
    await removing(stack);
  } finally {
    await stack.close();
    await rm(folder, { recursive: true });
  }
  return calls.map(byKey);
}

async function sample(file: string): Promise<Manifest> {
  const text = await readFile(new URL(`../../examples/${file}.json`, import.meta.url), 'utf8');
  return parseManifest(JSON.parse(text));
}

async function call(stack: Stack, name: string, event: object): Promise<Record<string, unknown>> {
  const result = await stack.aws.functions.invoke(functionName(name), event);
  if ('error' in result) throw new Error(`${name}: ${JSON.stringify(result)}`);
  return result.ok as Record<string, unknown>;
}

/** A delivery starts an execution, once; who comes again is told of the same one. */
async function hooked(stack: Stack): Promise<void> {
  await prepareSource(stack, await sample(NAME), 1);
  const deliver = async (id = 'build-1') => {
    const body = JSON.stringify({ pipeline: NAME, id });
    const signature = `sha256=${createHmac('sha256', KEY).update(body).digest('hex')}`;
    const headers = { 'content-type': 'application/json', 'X-Hub-Signature-256': signature };
    return (await fetch(stack.hookUrl, { method: 'POST', headers, body })).status;
  };
  // The secret is not made yet; and who found none looks again.
  expectStatus(await deliver(), 500, 401, 503);
  await stack.createSecret('penstock/dev/hook', { github: { key: KEY } });
  await until('the hook has found its secret', async () => (await deliver()) === 202);
  expectStatus(await deliver(), 202);
  await Promise.all(stack.executions.all.map(({ result }) => result));
  expectStatus(await deliver(), 202);
  // One whose run has failed asks the ledger whether a newer one has succeeded.
  expectStatus(await deliver('build-2'), 202);
  const stopped = stack.executions.all.at(-1);
  stack.executions.stop(stopped?.executionArn ?? '');
  await stopped?.result;
  expectStatus(await deliver('build-2'), 202);
  await Promise.all(stack.executions.all.map(({ result }) => result));
}

function expectStatus(status: number, ...wanted: number[]): void {
  if (!wanted.includes(status)) throw new Error(`the hook answered ${status}`);
}

async function carrying(stack: Stack): Promise<Pipeline> {
  const manifest = await sample(NAME);
  await provision(stack, manifest, { ...TIMES, mode: 'plan' });
  return provision(stack, manifest, TIMES);
}

/** Another pipeline of that name, on a stream of that name. */
async function another(stack: Stack, name: string): Promise<Manifest> {
  const manifest = await sample(NAME);
  const own = { ...manifest, name, source: { ...manifest.source, stream: name } } as Manifest;
  await prepareSource(stack, own, 1);
  return own;
}

/** Two executions at a time: the second one finds the pipeline taken, and asks who has it. */
async function meeting(stack: Stack): Promise<void> {
  const manifest = await another(stack, 'held');
  const { promise: waiting, resolve: waits } = Promise.withResolvers<void>();
  const first = stack.executions.start({ manifest, warmUpSeconds: 900 }, undefined, ({ type, state }) => {
    if (type === 'entered' && state === 'warm-up') waits();
  });
  await waiting;
  const error: unknown = await provision(stack, manifest, TIMES).catch((thrown: unknown) => thrown);
  stack.executions.stop(first.executionArn);
  if (!String(error).includes('Penstock.Busy')) throw new Error(`the two did not meet: ${String(error)}`);
}

async function put(
  stack: Stack,
  data: string,
  stream = STREAM,
): Promise<{ shardId: string; sequenceNumber: string }> {
  const { ShardId = '', SequenceNumber = '' } = await stack.kinesis.send(
    new PutRecordCommand({ StreamName: stream, PartitionKey: 'ana', Data: Buffer.from(data) }),
  );
  return { shardId: ShardId, sequenceNumber: SequenceNumber };
}

/** Records that land, are rejected, and are refused later; and everybody who looks at them. */
async function looking(stack: Stack, folder: string): Promise<void> {
  const pipeline = NAME;
  const good = await put(stack, '{"_id":"cust-1","person":{"name":{"firstName":"Ana"}}}');
  const place = async (record: object) => (await call(stack, 'status', { pipeline, ...record })).place;
  await until('the good record is delivered', async () => (await place(good)) === 'delivered');
  const bad = await put(stack, '{"_id":"cust-2","person":');
  await put(stack, '{"_id":"cust-3","person":{"name":{"firstName":["not a text"]}}}');
  await until('the bad record is in the store', async () => (await place(bad)) === 'dead-letter');
  await call(stack, 'status', {});
  await call(stack, 'status', { pipeline, doctor: true });
  await call(stack, 'drift', {});
  await call(stack, 'import', { sandbox: 'dev1', all: true });
  await until('what was refused later is in the store', async () => {
    await call(stack, 'reconcile', {});
    return (await stored(folder)) === 2;
  });
}

/** A raw record that AEP refuses later is joined with the one in the stream: by the place that its id names, and by its content alone. */
async function joining(stack: Stack, folder: string): Promise<void> {
  const manifest = await sample('customer-profiles');
  await prepareSource(stack, manifest, 1);
  for (const records of [{ derive: ['_id'] }, undefined]) {
    const before = await stored(folder);
    const own = {
      ...manifest,
      source: { ...manifest.source, records },
      mapping: [
        { source: records ? '_id' : 'id', destination: '_id' },
        { source: 'gender', destination: 'person.gender' },
      ],
    };
    await provision(stack, parseManifest(own), TIMES);
    await put(stack, '{"id":"cust-4","gender":"no gender of XDM"}', 'customers');
    // With the preview of its mapping: XDM has none.
    await call(stack, 'tap', { pipeline: own.name, continue: { since: 0, after: {} } });
    await until('the raw record that was refused later is in the store', async () => {
      await call(stack, 'reconcile', {});
      return (await stored(folder)) > before;
    });
  }
}

async function stored(folder: string): Promise<number> {
  const files = await readdir(join(folder, 'rejected'), { recursive: true }).catch(() => []);
  return files.filter((file) => file.endsWith('.json')).length;
}

async function sendingAgain(stack: Stack, folder: string, started: string): Promise<void> {
  await call(stack, 'redrive', { stream: STREAM, source: 'rejected' });
  await call(stack, 'redrive', { stream: STREAM, source: 'on-failure' });
  await call(stack, 'redrive', { stream: STREAM, source: 'stream', where: { arrived: { from: started } } });
  // Nothing of it can be sent as it is; what cannot is stored once more, and the object that held it goes.
  if ((await stored(folder)) === 0) throw new Error('what cannot be sent is gone');
}

/** What waits is found by reconcile, which starts the redrive that sends it and ends the outage. */
async function sendingParked(stack: Stack, folder: string, { streamArn = '' }: Pipeline): Promise<void> {
  const shardId = 'shardId-000000000000';
  const shard = { stream: STREAM, shardId };
  const marks = marksAs(stack, 'forward');
  await marks.outage(shard, NAME, { since: 1, parkedSince: 2 });
  const { storedAt, ...entry } = {
    storedAt: '2026-01-30T12:00:00.000Z',
    reason: 'parked',
    message: '503',
    sequenceNumber: '1',
    data: Buffer.from('{"_id":"cust-5","person":{"name":{"firstName":"Bea"}}}').toString('base64'),
  };
  const about = { pipeline: NAME, streamArn, shardId, invocationId: 'i', storedAt };
  await createDeadLetters(pathToFileURL(folder).href).put(
    { version: 1, ...about, entries: [entry] },
    'parked',
  );
  await call(stack, 'reconcile', { pipeline: NAME });
  await until('what was parked is sent', async () => !(await marks.read(shard)).outages.has(NAME));
  await marks.clear(shard, [NAME]);
}

function marksAs(stack: Stack, name: string): Marks {
  const access = {
    endpoint: stack.aws.endpoints.dynamoDb,
    region: stack.aws.env.AWS_REGION ?? '',
    accessKeyId: accessKeyOf(functionName(name)),
    secretAccessKey: 'fake',
  };
  return createMarks(
    stack.settings.PENSTOCK_TABLE,
    createTableCall(() => access),
  );
}

/** A pipeline that links identities, for which a second dataset is made. */
async function linking(stack: Stack): Promise<void> {
  const manifest = await sample('loyalty-pubsub');
  const operations = { data: 'merge', identity: 'create' };
  const source = { kind: 'inlet', stream: 'linked', data: 'raw', records: { operations } };
  // What the sample of that name has made has other titles.
  const dataset = { ...(manifest.dataset as object), upsert: true };
  const text = JSON.stringify({ ...manifest, name: 'linked', dataset, source });
  const own = parseManifest(
    JSON.parse(text.replace('Loyalty m', 'Linked m').replace('Loyalty members', 'Linked members')),
  );
  await prepareSource(stack, own, 1);
  await provision(stack, own, TIMES);
}

/** Sources that AEP reads by itself: planned, made, moved, retired. */
async function pulling(stack: Stack): Promise<void> {
  for (const file of ['orders-kinesis', 'clicks-event-hubs', 'loyalty-pubsub']) {
    const own = await sample(file);
    await prepareSource(stack, own, 1);
    await provision(stack, own, { ...TIMES, mode: 'plan' });
    await provision(stack, own, TIMES);
    await call(stack, 'drift', {});
    await provision(stack, own, { ...TIMES, mode: 'retire' });
  }
}

/** Published already, an execution is undone: its stream goes while the flow gets warm, and there can be no trigger. */
async function failing(stack: Stack): Promise<void> {
  const other = await another(stack, 'others');
  const gone: Promise<unknown>[] = [];
  const onState = ({ type, state }: StateEvent) => {
    if (type === 'entered' && state === 'warm-up')
      gone.push(stack.kinesis.send(new DeleteStreamCommand({ StreamName: 'others' })));
  };
  const options = { ...TIMES, onState };
  const error: unknown = await provision(stack, other, options).catch((thrown: unknown) => thrown);
  await Promise.all(gone);
  wasUndone(error);
}

/** @throws Error for an execution that came to anything else */
function wasUndone(error: unknown): void {
  if (!(error instanceof RunFailedError) || error.report?.outcome !== 'Penstock.RolledBack')
    throw new Error(`it was not undone: ${String(error)}`);
}

/** Of a source that AEP reads, what was made is looked for with its credentials. */
async function failingToPull(stack: Stack): Promise<void> {
  const own = await sample('orders-kinesis');
  const { faults } = stack.platform.platform;
  faults.add({ kind: 'refuse', path: '/**/flows', method: 'POST', status: 400 });
  const error: unknown = await provision(stack, own, TIMES).catch((thrown: unknown) => thrown);
  faults.clear();
  wasUndone(error);
}

/** What was published waits for its deletion, and is restored where the pipeline comes back. A stream that is gone is known by it. */
async function retiring(stack: Stack, { manifest }: Pipeline): Promise<void> {
  const gone = { ...manifest, name: 'gone', source: { ...manifest.source, stream: 'gone' } };
  // Of a stream that is gone `begin` asks what was published; here that is nothing.
  const error: unknown = await provision(stack, gone as Manifest, { ...TIMES, mode: 'retire' }).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RunFailedError) || error.code !== 'EVENT_INVALID')
    throw new Error(`what never was is retired: ${String(error)}`);
  await provision(stack, manifest, { ...TIMES, mode: 'retire' });
  await provision(stack, manifest, TIMES);
}

/** Through a consumer that is made with the trigger; then the manifest names it; the trigger stays until the stack is removed. */
async function fanningOut(stack: Stack): Promise<void> {
  const own = await another(stack, 'fanned');
  // It parks, so that the health check asks for its outages.
  const source = { ...own.source, onOutage: 'park' };
  const manifest = { ...own, source: { ...source, fanOut: true } } as Manifest;
  const { trigger } = await provision(stack, manifest, TIMES);
  const through = stack.aws.mappings.get(trigger?.id ?? '').eventSourceArn;
  const named = { ...own, source: { ...source, stream: through } } as Manifest;
  await provision(stack, named, TIMES);
  await call(stack, 'status', { pipeline: 'fanned', doctor: true });
  await call(stack, 'drift', {});
  for (const name of ['retire', 'rollback']) {
    const streamArn = await newStream(stack, `fanned-by-${name}`);
    await createConsumers({ stage: 'dev' }, kinesisAs(stack, 'trigger')).register(streamArn);
    const consumers = createConsumers({ stage: 'dev' }, kinesisAs(stack, name));
    await consumers.find(streamArn);
    await consumers.remove(streamArn);
  }
}

/** What the routes of a shard have settled outlives a container of the forwarder: it writes that as marks. */
async function marking(stack: Stack): Promise<void> {
  const marks = marksAs(stack, 'forward');
  const shard = { stream: STREAM, shardId: 'shardId-000000000000' };
  await marks.write(shard, NAME, { datasetId: 'd', through: '1', keys: new Uint8Array(8) });
  await marks.read(shard);
  await marks.clear(shard, [NAME]);
  await marks.outage(shard, NAME, { since: 1, parkedSince: 2 });
  await marks.outageLasts(shard, NAME);
  await marks.outageEnded(shard, NAME);
}

async function newStream(stack: Stack, StreamName: string): Promise<string> {
  await stack.kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await until(`the stream ${StreamName} is there`, async () => {
    const { StreamDescriptionSummary: found } = await stack.kinesis.send(
      new DescribeStreamSummaryCommand({ StreamName }),
    );
    return found?.StreamStatus === 'ACTIVE';
  });
  return stack.aws.kinesis.streamArn(StreamName);
}

function kinesisAs(stack: Stack, name: string): KinesisClient {
  return new KinesisClient({
    region: stack.aws.env.AWS_REGION ?? '',
    endpoint: stack.aws.endpoints.kinesis,
    credentials: { accessKeyId: accessKeyOf(functionName(name)), secretAccessKey: 'local' },
  });
}

/** Calls that depend on the moment, each by its port with the key of the function that makes it. */
async function byHand(stack: Stack, { streamArn = '' }: Pipeline): Promise<void> {
  for (const name of ['retire', 'rollback']) {
    const lambda = clientAs(stack, name);
    const triggers = createTriggers({ forwarder: functionName('forward'), onFailureArn: undefined }, lambda);
    // Lambda says "in use" of one that is just being deleted.
    const trigger = await triggers.find(streamArn);
    const made =
      trigger ?? (await createTriggers(ON_FAILURE, clientAs(stack, 'trigger')).create(streamArn, 'earliest'));
    await until('the trigger is made', async () => (await triggers.find(streamArn))?.state !== 'changing');
    await Promise.all([triggers.remove(made.id), triggers.remove(made.id)]);
    await until(
      'the trigger is gone',
      async () => !stack.aws.mappings.all.some(({ uuid }) => uuid === made.id),
    );
    lambda.destroy();
  }
  // Goes on by itself where its time is over.
  const lambda = clientAs(stack, 'redrive');
  await createFunctions(lambda).start(stack.aws.functions.arn(functionName('redrive')), {
    stream: STREAM,
    source: 'rejected',
  });
  lambda.destroy();
}

const ON_FAILURE = { forwarder: functionName('forward'), onFailureArn: 'arn:aws:s3:::dead-letters' };

function clientAs(stack: Stack, name: string): LambdaClient {
  return new LambdaClient({
    region: stack.aws.env.AWS_REGION ?? '',
    endpoint: stack.aws.endpoints.lambda,
    credentials: { accessKeyId: accessKeyOf(functionName(name)), secretAccessKey: 'local' },
  });
}

/** The stack goes. */
async function removing(stack: Stack): Promise<void> {
  await provision(stack, await sample(NAME), TIMES);
  const answers = createServer((request, response) => request.resume().on('end', () => response.end()));
  await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
  const { port } = answers.address() as AddressInfo;
  try {
    const answer = await call(stack, 'cleanup', {
      RequestType: 'Delete',
      ResponseURL: `http://127.0.0.1:${port}/answer`,
      StackId: 'stack',
      RequestId: 'request',
      LogicalResourceId: 'MadeAtRunTime',
      PhysicalResourceId: 'made',
    });
    if (answer.Status !== 'SUCCESS') throw new Error(`cleanup: ${JSON.stringify(answer)}`);
  } finally {
    answers.closeAllConnections();
    answers.close();
  }
}

/** What is not so after this time is given up, in ms. */
const PATIENCE_MS = 240_000;

/** Asked again until it is so. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
