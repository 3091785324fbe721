// What functions asked for in the tests that ran before (`npm test`, `npm run test:deep`): of AWS itself, and of ports that stood for it.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createConsumers } from '../../lib/aws/consumers.ts';
import { createTableCall } from '../../lib/aws/dynamodb.ts';
import { createLedger } from '../../lib/aws/ledger.ts';
import { createRoutes } from '../../lib/aws/routes.ts';
import { createSecrets } from '../../lib/aws/secrets.ts';
import { createStreams } from '../../lib/aws/streams.ts';
import { createTriggers } from '../../lib/aws/triggers.ts';
import { type Asked, accessKeyOf, type Call, type Calls } from '../../local/aws/calls.ts';
import { type LocalAws, startLocalAws } from '../../local/aws/index.ts';
import { functionName } from '../../local/start/functions.ts';
import { PENSTOCK_CALLS } from '../../vitest.config.ts';
import type { PortUse } from '../support/port-uses.ts';
import { byKey } from './resolve.ts';

const TABLE = 'penstock-dev-pipelines';
const SECRET = 'penstock/dev/probed';
const FORWARDER = functionName('forward');

export interface Others {
  readonly calls: readonly Call[];
  readonly uses: readonly PortUse[];
}

export function others(): Others {
  const read = <T>(pattern: string): T[] =>
    globSync(pattern, { cwd: PENSTOCK_CALLS }).flatMap((file) =>
      readFileSync(join(PENSTOCK_CALLS, file), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as T),
    );
  const uses = read<PortUse>('*.uses.jsonl');
  const calls = read<Call>('*[0-9].jsonl');
  return {
    calls: distinct(calls).map(byKey),
    uses: distinct(uses),
  };
}

function distinct<T>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

/** What the uses of ports ask AWS for: the ports themselves say so, each method tried in all its ways against a local AWS. */
export async function callsOf(uses: readonly PortUse[]): Promise<Call[]> {
  const asked = await probed(new Set(uses.map(({ port }) => port)));
  return uses.flatMap(({ by, port, of }) =>
    (asked.get(port) ?? []).map((one) => ({ ...one, by, resource: secretAs(one.resource, of) })),
  );
}

/** A secret that is neither the deployment's nor a stream's is a source's; a deployment names those by a parameter. */
function secretAs(resource: string, of: string | undefined): string {
  if (of === undefined) return resource;
  const own = /^penstock\/dev\/(credentials(\/|$)|streams\/|sources\/)/.test(of);
  return resource.replace(SECRET, own ? of : `penstock/dev/sources/${of.replaceAll('/', '-')}`);
}

/** @throws Error for a port's method that nobody tries here */
async function probed(ports: ReadonlySet<string>): Promise<Map<string, readonly Asked[]>> {
  const now: Asked[] = [];
  const calls: Calls = {
    request: (authorization, asked) =>
      void (authorization?.includes(accessKeyOf('probe')) && now.push(...asked())),
    by: () => undefined,
  };
  const aws = await startLocalAws({
    functions: { [FORWARDER]: { module: new URL('../local/aws/fixtures/none.ts', import.meta.url) } },
    tables: { [TABLE]: 'pipeline' },
    transitionMs: 50,
    calls,
  });
  const found = new Map<string, readonly Asked[]>();
  try {
    const probes = await probesOn(aws);
    for (const port of ports) {
      const probe = probes[port];
      if (probe === undefined)
        throw new Error(`${port} is used in tests, and nobody says here how to try it`);
      now.length = 0;
      await probe();
      found.set(port, distinct(now));
    }
  } finally {
    await aws.close();
  }
  return found;
}

/** Each method of each port, in all its ways. */
async function probesOn(aws: LocalAws): Promise<Record<string, () => Promise<unknown>>> {
  const options = (accessKeyId: string) => ({
    region: aws.env.AWS_REGION ?? '',
    credentials: { accessKeyId, secretAccessKey: 'fake' },
  });
  const own = options(accessKeyOf('probe'));
  const nobody = options('local');
  const { endpoints } = aws;
  const access = { endpoint: endpoints.dynamoDb, region: own.region, ...own.credentials };
  const call = createTableCall(() => access);
  const ledger = createLedger(TABLE, call);
  const routes = createRoutes(TABLE, call);
  const secretsAs = (who: typeof own) =>
    createSecrets(new SecretsManagerClient({ ...who, endpoint: endpoints.secretsManager }));
  const [secrets, byNobody] = [secretsAs(own), secretsAs(nobody)];
  const triggersAs = (who: typeof own) =>
    createTriggers(
      { forwarder: FORWARDER, onFailureArn: undefined },
      new LambdaClient({ ...who, endpoint: endpoints.lambda }),
    );
  const triggers = triggersAs(own);
  const consumersAs = (who: typeof own) =>
    createConsumers({ stage: 'dev' }, new KinesisClient({ ...who, endpoint: endpoints.kinesis }));
  const [consumers, byAnybody] = [consumersAs(own), consumersAs(nobody)];
  const streams = createStreams(new KinesisClient({ ...own, endpoint: endpoints.kinesis }));
  const stream = await newStream(new KinesisClient({ ...nobody, endpoint: endpoints.kinesis }));
  const settled = async () => {
    while (aws.mappings.all.some(({ state }) => /ing$/.test(state)))
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const trigger = async () => {
    await settled();
    const made =
      (await triggersAs(nobody).find(stream)) ?? (await triggersAs(nobody).create(stream, 'earliest'));
    await settled();
    return made.id;
  };
  return {
    'ledger.takeFencingToken': () => ledger.takeFencingToken('a', 'me'),
    'ledger.check': () =>
      ledger.takeFencingToken('a', 'me').then((entered) => ledger.check('a', 'me', entered)),
    'ledger.write': () => ledger.write('a', 'me', { updatedAt: 'now' }),
    'ledger.read': () => ledger.read('a'),
    'ledger.names': () => ledger.names(),
    'routes.read': () => routes.read('a'),
    'routes.write': () => routes.write('a', {}, undefined),
    'routes.remove': () => routes.remove('a', 'any'),
    'secrets.get': () => secrets.get(SECRET),
    'secrets.create': async () => {
      await secrets.create(SECRET, 'a', 'a probe');
      await byNobody.remove(SECRET);
      await secrets.create(SECRET, 'a', 'a probe');
    },
    'secrets.put': async () => {
      await secrets.put(SECRET, 'a', 'a probe');
      await byNobody.remove(SECRET);
      await secrets.put(SECRET, 'a', 'a probe');
      await secrets.put(`${SECRET}2`, 'a', 'a probe');
    },
    'secrets.remove': () => secrets.remove(SECRET),
    'triggers.find': () => triggers.find(stream),
    'triggers.create': async () => {
      const id = await trigger();
      await triggersAs(nobody).remove(id);
      while (aws.mappings.all.length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      await triggers.create(stream, 'earliest');
    },
    'triggers.switchOn': async () => triggers.switchOn(await trigger()),
    'triggers.switchOff': async () => triggers.switchOff(await trigger()),
    'triggers.remove': async () => {
      const id = await trigger();
      await Promise.all([triggers.remove(id), triggers.remove(id)]);
    },
    'streams.arn': async () => {
      await byAnybody.register(stream);
      await streams.arn('probed');
      await streams.arn((await byAnybody.find(stream))?.arn ?? '');
    },
    'consumers.find': () => consumers.find(stream),
    'consumers.register': () => consumers.register(stream),
    'consumers.remove': async () => {
      await byAnybody.register(stream);
      await consumers.remove(stream);
    },
    'streams.describe': () => streams.describe(stream),
  };
}

async function newStream(kinesis: KinesisClient): Promise<string> {
  await kinesis.send(new CreateStreamCommand({ StreamName: 'probed', ShardCount: 1 }));
  for (;;) {
    const { StreamDescriptionSummary: found } = await kinesis.send(
      new DescribeStreamSummaryCommand({ StreamName: 'probed' }),
    );
    if (found?.StreamStatus === 'ACTIVE') return found.StreamARN ?? '';
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
