// The event that each function is started with: for steps what the state machine gave them, for the others what they are for.
import { readFileSync } from 'node:fs';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { parseManifest } from '../lib/manifest.ts';
import { revisionOf } from '../lib/published.ts';
import { eventRecord } from '../local/aws/kinesis-event.ts';
import { functionName } from '../local/start/functions.ts';
import { prepareSource, provision } from '../local/start/journey.ts';
import { sampleRecords } from '../local/start/samples.ts';
import { ensureStream, type Stack } from '../local/start/stack.ts';
import type { Start } from './starts-of.ts';

/** Nothing is in it: what the forwarder is handed is said to be of it. */
const STREAM = 'cold';

export type Events = (start: Start) => unknown;

const read = (path: string) =>
  JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')) as unknown;

/** Provisions a pipeline with identities of its own, retires another one, and keeps what each step was handed first. */
export async function eventsOf(stack: Stack): Promise<Events> {
  const handed = watch(stack);
  const sample = read('examples/customer-profiles.json') as {
    readonly source: object;
    readonly schema: object;
  };
  const identities = [{ path: 'workEmail.address', namespace: 'Email', primary: false }];
  const schema = { ...sample.schema, identities };
  const kept = parseManifest({ ...sample, schema, name: 'kept' });
  const gone = parseManifest({
    ...sample,
    schema,
    name: 'gone',
    source: { ...sample.source, stream: 'gone' },
  });
  for (const manifest of [kept, gone]) {
    await prepareSource(stack, manifest, 1);
    await provision(stack, manifest, { warmUpSeconds: 1, drainSeconds: 0 });
  }
  await provision(stack, gone, { warmUpSeconds: 1, drainSeconds: 0, mode: 'retire' });
  const document = handed.get(functionName('flow')) as { readonly execution: object };
  const by = new Map<string, unknown>([
    // As if nothing were this execution's: it looks, and removes nothing.
    [
      'rollback',
      {
        ...document,
        execution: { ...document.execution, name: 'nobodys' },
        failure: { Error: 'x', Cause: 'x' },
      },
    ],
    ['status', { pipeline: 'kept' }],
    ['drift', { pipeline: 'kept' }],
    ['import', { sandbox: 'dev1', all: true, limit: 1 }],
    ['tap', { pipeline: 'kept' }],
    ['reconcile', { pipeline: 'kept' }],
    [
      'redrive',
      {
        stream: STREAM,
        source: 'stream',
        where: { arrived: { from: new Date(Date.now() - 60_000).toISOString() } },
      },
    ],
    ['forward', { Records: recordsOf() }],
    [
      'cleanup',
      {
        RequestType: 'Delete',
        ResponseURL: 'http://127.0.0.1:9/',
        StackId: 's',
        RequestId: 'r',
        LogicalResourceId: 'l',
        PhysicalResourceId: 'p',
        ResourceProperties: {},
      },
    ],
    [
      'deployHook',
      { id: 'e', source: 'bench', 'detail-type': 'penstock', detail: { pipeline: 'customer-profiles' } },
    ],
  ]);
  return ({ name }) => {
    const event = by.get(name) ?? handed.get(functionName(name));
    if (event === undefined) throw new Error(`${name}: no event is known for it`);
    return event;
  };
}

/** What each function is handed first. */
function watch({ aws }: Stack): ReadonlyMap<string, unknown> {
  const handed = new Map<string, unknown>();
  const invoke = aws.functions.invoke.bind(aws.functions);
  aws.functions.invoke = (name, event, options) => {
    if (!handed.has(name)) handed.set(name, event);
    return invoke(name, event, options);
  };
  return handed;
}

/** Publishes the pipeline of the stream `customers` for another one, with its inlet behind the door. */
export async function publishBehind(stack: Stack, door: string): Promise<void> {
  const client = new SecretsManagerClient({
    endpoint: stack.aws.endpoints.secretsManager,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await ensureStream(stack, STREAM, 1);
  const name = (stream: string) => `penstock/dev/streams/${stream}/kept`;
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: name('customers') }));
  const here = (text: string) => text.replaceAll('stream/customers', `stream/${STREAM}`);
  const document = here(SecretString).replaceAll(stack.platform.origin, door);
  const revision = revisionOf(document);
  await client.send(
    new CreateSecretCommand({ Name: name(STREAM), SecretString: document, ClientRequestToken: revision }),
  );
  const { value } = await stack.routes.read('customers');
  const list = JSON.parse(here(JSON.stringify(value))) as object;
  await stack.routes.write(STREAM, { ...list, routes: { kept: { revision } } }, undefined);
  client.destroy();
}

function recordsOf(): unknown[] {
  const source = {
    eventSourceArn: `arn:aws:kinesis:eu-west-1:123456789012:stream/${STREAM}`,
    region: 'eu-west-1',
    roleArn: 'arn:aws:iam::123456789012:role/bench',
  };
  return [...sampleRecords({ count: 100, seed: 1, data: 'raw', spoilEvery: 0 })].map(
    (line, index) =>
      eventRecord(source, 'shardId-000000000000', {
        Data: Buffer.from(line),
        PartitionKey: `key-${index}`,
        SequenceNumber: String(10n ** 55n + BigInt(index)),
        ApproximateArrivalTimestamp: new Date(),
      }).record,
  );
}
