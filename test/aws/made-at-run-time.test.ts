import { KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConsumers } from '../../lib/aws/consumers.ts';
import { createMadeAtRunTime } from '../../lib/aws/made-at-run-time.ts';
import { createSecrets } from '../../lib/aws/secrets.ts';
import { createTriggers } from '../../lib/aws/triggers.ts';
import { type LocalAws, startLocalAws } from '../../local/aws/index.ts';
import { eventually } from '../support/eventually.ts';
import { createStream } from '../support/streams.ts';

// Cleanup's ports against the real protocols: unmodified SDK clients, local servers.

let aws: LocalAws;
let lambda: LambdaClient;
let manager: SecretsManagerClient;
let kinesis: KinesisClient;

beforeAll(async () => {
  aws = await startLocalAws({
    functions: { forward: { module: new URL('../local/aws/fixtures/none.ts', import.meta.url) } },
    transitionMs: 30,
  });
  const options = {
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
  lambda = new LambdaClient({ ...options, endpoint: aws.endpoints.lambda });
  manager = new SecretsManagerClient({ ...options, endpoint: aws.endpoints.secretsManager });
  kinesis = new KinesisClient({ ...options, endpoint: aws.endpoints.kinesis });
});
afterAll(() => aws.close());

async function stream(name: string): Promise<string> {
  await createStream(kinesis, name);
  return aws.kinesis.streamArn(name);
}

describe('what was made at run time', () => {
  it('are the triggers of the forwarder; they are removed, and are gone after a while', async () => {
    const triggers = createTriggers({ forwarder: 'forward', onFailureArn: undefined }, lambda);
    const ids = await Promise.all(
      ['one', 'two'].map(async (name) => (await triggers.create(await stream(name), 'earliest')).id),
    );
    const made = createMadeAtRunTime({ forwarder: 'forward', stage: 'dev' }, lambda, manager);
    expect((await made.triggers()).toSorted()).toEqual(ids.toSorted());
    const left = async () => {
      const there = await made.triggers();
      // Also of those that are being made, or deleted already.
      for (const id of there) await made.removeTrigger(id);
      return there;
    };
    await eventually(left).toEqual([]);
    await made.removeTrigger(ids[0] ?? '');
  });

  it('B: a trigger’s own consumer goes with it, and one made by hand stays', async () => {
    const triggers = createTriggers({ forwarder: 'forward', onFailureArn: undefined }, lambda);
    const made = createMadeAtRunTime({ forwarder: 'forward', stage: 'dev' }, lambda, manager, kinesis);
    const kept = createConsumers({ stage: 'elsewhere' }, kinesis);
    const own = createConsumers({ stage: 'dev' }, kinesis);
    for (const [name, consumers] of [['own', own] as const, ['other', kept] as const]) {
      const streamArn = await stream(name);
      await consumers.register(streamArn);
      const { id } = await triggers.create((await consumers.find(streamArn))?.arn ?? '', 'earliest');
      await eventually(() => aws.mappings.get(id).state).toBe('Disabled');
      await made.removeTrigger(id);
    }
    await eventually(() => own.find(aws.kinesis.streamArn('own'))).toBeUndefined();
    expect(await kept.find(aws.kinesis.streamArn('other'))).toMatchObject({ arn: expect.any(String) });
  });

  it('B 6: bears the tags of the deployment from when it is made', async () => {
    const tags = { team: 'data', 'cost-centre': '4 2' };
    const tagged = createTriggers({ forwarder: 'forward', onFailureArn: undefined, tags }, lambda);
    const { id } = await tagged.create(await stream('tagged'), 'earliest');
    expect(Object.fromEntries(aws.mappings.get(id).tags)).toEqual(tags);
    await eventually(() => aws.mappings.get(id).state).toBe('Disabled');
    await tagged.remove(id);
    const secrets = createSecrets(manager, undefined, tags);
    for (const [name, make] of [
      ['tagged/created', secrets.create],
      ['tagged/put', secrets.put],
    ] as const) {
      await make(name, 'fake', 'a test');
      const { Tags } = await manager.send(new DescribeSecretCommand({ SecretId: name }));
      expect(Tags).toEqual([
        { Key: 'team', Value: 'data' },
        { Key: 'cost-centre', Value: '4 2' },
      ]);
    }
  });

  it('are the published pipelines of the stage, also those that wait for their deletion, and no other secret', async () => {
    const secrets = createSecrets(manager, 'arn:aws:kms:eu-west-1:000000000000:key/fake');
    const names = Array.from({ length: 103 }, (_, n) => `penstock/dev/streams/s${n}`);
    const others = ['penstock/dev/credentials', 'penstock/dev2/streams/a', 'penstock/prod/streams/a'];
    for (const name of [...names, ...others]) await secrets.put(name, 'fake', 'a test');
    await secrets.remove(names[0] ?? '');
    const described = await manager.send(new DescribeSecretCommand({ SecretId: names[1] }));
    expect(described.KmsKeyId).toBe('arn:aws:kms:eu-west-1:000000000000:key/fake');

    const made = createMadeAtRunTime({ forwarder: 'forward', stage: 'dev' }, lambda, manager);
    const found = await made.published();
    expect(found.toSorted()).toEqual(names.toSorted());
    for (const name of found) await made.removePublished(name);
    await made.removePublished(names[0] ?? '');
    expect(await made.published()).toEqual([]);
    for (const name of others) expect(await secrets.get(name)).toBe('fake');
    // Nothing waits for its deletion: it can be made anew at once.
    expect(await secrets.create(names[0] ?? '', 'fake', 'a test')).toBe(true);
  });
});
