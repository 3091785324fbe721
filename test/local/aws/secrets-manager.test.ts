// The SDK's unmodified Secrets Manager client against the local one.
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  InternalServiceError,
  InvalidParameterException,
  InvalidRequestException,
  ListSecretsCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalSecretsManager, startSecretsManager } from '../../../local/aws/secrets-manager.ts';

let secrets: LocalSecretsManager;
let client: SecretsManagerClient;
let clock = 0;
let Name = '';
let number = 0;

const settings = (endpoint: string) => ({
  endpoint,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

beforeAll(async () => {
  secrets = await startSecretsManager({ now: () => Date.now() + clock });
  client = new SecretsManagerClient(settings(secrets.endpoint));
});
beforeEach(() => {
  number += 1;
  Name = `penstock/pipeline-${number}`;
  clock = 0;
});
afterAll(async () => {
  client.destroy();
  await secrets.close();
});

const create = (SecretString = 'first') => client.send(new CreateSecretCommand({ Name, SecretString }));
const put = (SecretString: string, more = {}) =>
  client.send(new PutSecretValueCommand({ SecretId: Name, SecretString, ...more }));
const get = (more = {}) => client.send(new GetSecretValueCommand({ SecretId: Name, ...more }));

describe('reading', () => {
  it('finds a secret by name, by ARN and by the ARN without its suffix', async () => {
    const { ARN = '', VersionId } = await create();
    expect(ARN).toMatch(new RegExp(`^arn:aws:secretsmanager:eu-west-1:123456789012:secret:${Name}-\\w{6}$`));
    for (const SecretId of [Name, ARN, ARN.slice(0, -7)]) {
      const value = await client.send(new GetSecretValueCommand({ SecretId }));
      expect(value).toMatchObject({
        ARN,
        Name,
        VersionId,
        SecretString: 'first',
        VersionStages: ['AWSCURRENT'],
      });
      expect(value.CreatedDate).toBeInstanceOf(Date);
    }
  });

  it('keeps bytes as bytes', async () => {
    const SecretBinary = Uint8Array.from([0, 255, 128]);
    await client.send(new CreateSecretCommand({ Name, SecretBinary }));
    const value = await get();
    expect(value.SecretString).toBeUndefined();
    expect([...(value.SecretBinary ?? [])]).toEqual([0, 255, 128]);
  });

  it('says what it cannot find', async () => {
    await expect(get()).rejects.toThrow(ResourceNotFoundException);
    await client.send(new CreateSecretCommand({ Name }));
    await expect(get()).rejects.toThrow(/staging label: AWSCURRENT/);
    await put('first');
    await expect(get({ VersionId: crypto.randomUUID() })).rejects.toThrow(ResourceNotFoundException);
    await expect(get({ VersionStage: 'AWSPREVIOUS' })).rejects.toThrow(ResourceNotFoundException);
  });
});

describe('versions', () => {
  it('move AWSCURRENT and AWSPREVIOUS along', async () => {
    const first = await create('one');
    const second = await put('two');
    expect(await get()).toMatchObject({ SecretString: 'two', VersionId: second.VersionId });
    expect(await get({ VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: 'one' });
    const third = await put('three');
    expect(await get({ VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: 'two' });
    expect(await get({ VersionId: first.VersionId })).toMatchObject({ SecretString: 'one' });
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: Name }));
    expect(VersionIdsToStages).toEqual({
      [String(second.VersionId)]: ['AWSPREVIOUS'],
      [String(third.VersionId)]: ['AWSCURRENT'],
    });
    await expect(get({ VersionId: third.VersionId, VersionStage: 'AWSPREVIOUS' })).rejects.toThrow(
      InvalidRequestException,
    );
  });

  it('are made once per ClientRequestToken', async () => {
    const ClientRequestToken = crypto.randomUUID();
    const request = () =>
      client.send(new CreateSecretCommand({ Name, SecretString: 'one', ClientRequestToken }));
    expect((await request()).VersionId).toBe(ClientRequestToken);
    expect((await request()).VersionId).toBe(ClientRequestToken);
    await expect(create('one')).rejects.toThrow(ResourceExistsException);

    const token = crypto.randomUUID();
    await put('two', { ClientRequestToken: token });
    await put('three');
    await put('two', { ClientRequestToken: token });
    expect(await get()).toMatchObject({ SecretString: 'three' });
    await expect(put('four', { ClientRequestToken: token })).rejects.toThrow(ResourceExistsException);
  });

  it('can be staged without becoming current, and come with an update', async () => {
    await create('one');
    await put('two', { VersionStages: ['CANDIDATE'] });
    expect(await get()).toMatchObject({ SecretString: 'one' });
    expect(await get({ VersionStage: 'CANDIDATE' })).toMatchObject({ SecretString: 'two' });
    await client.send(
      new UpdateSecretCommand({ SecretId: Name, SecretString: 'three', Description: 'words' }),
    );
    expect(await get()).toMatchObject({ SecretString: 'three' });
    expect(await client.send(new DescribeSecretCommand({ SecretId: Name }))).toMatchObject({
      Description: 'words',
    });
  });

  it('have a value of one kind and at most 65,536 bytes', async () => {
    await create();
    await expect(put('a', { SecretBinary: Uint8Array.of(1) })).rejects.toThrow(InvalidParameterException);
    await expect(client.send(new PutSecretValueCommand({ SecretId: Name }))).rejects.toThrow(
      InvalidParameterException,
    );
    await put('x'.repeat(65_536));
    await expect(put('x'.repeat(65_537))).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('deletion', () => {
  const remove = (more = {}) => client.send(new DeleteSecretCommand({ SecretId: Name, ...more }));
  const restore = () => client.send(new RestoreSecretCommand({ SecretId: Name }));

  it('keeps the secret for its recovery window, in which it can only be described and restored', async () => {
    await create();
    const { DeletionDate } = await remove({ RecoveryWindowInDays: 7 });
    expect((DeletionDate?.getTime() ?? 0) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
    for (const refused of [get, () => put('two'), create, remove]) {
      await expect(refused()).rejects.toThrow(InvalidRequestException);
    }
    expect((await client.send(new DescribeSecretCommand({ SecretId: Name }))).DeletedDate).toBeInstanceOf(
      Date,
    );
    await restore();
    expect(await get()).toMatchObject({ SecretString: 'first' });
  });

  it('is final after the window', async () => {
    await create();
    await remove();
    clock = 29 * 86_400_000;
    await expect(get()).rejects.toThrow(InvalidRequestException);
    clock = 31 * 86_400_000;
    await expect(restore()).rejects.toThrow(ResourceNotFoundException);
    await create('again');
    expect(await get()).toMatchObject({ SecretString: 'again' });
  });

  it('is immediate when forced, and then succeeds for what is not there', async () => {
    await create();
    await remove({ ForceDeleteWithoutRecovery: true });
    await expect(get()).rejects.toThrow(ResourceNotFoundException);
    await remove({ ForceDeleteWithoutRecovery: true });
    await expect(remove()).rejects.toThrow(ResourceNotFoundException);
    await expect(remove({ RecoveryWindowInDays: 6 })).rejects.toThrow(InvalidParameterException);
    await expect(remove({ RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true })).rejects.toThrow(
      InvalidParameterException,
    );
  });
});

it('lists by name, page by page, and tags', async () => {
  const prefix = `${Name}/`;
  for (const end of ['a', 'b', 'c']) {
    await client.send(new CreateSecretCommand({ Name: prefix + end, SecretString: end }));
  }
  const Filters = [{ Key: 'name' as const, Values: [prefix] }];
  const first = await client.send(new ListSecretsCommand({ Filters, MaxResults: 2 }));
  const second = await client.send(
    new ListSecretsCommand({ Filters, MaxResults: 2, NextToken: first.NextToken }),
  );
  expect([...(first.SecretList ?? []), ...(second.SecretList ?? [])].map((secret) => secret.Name)).toEqual([
    `${prefix}a`,
    `${prefix}b`,
    `${prefix}c`,
  ]);
  expect(second.NextToken).toBeUndefined();

  const SecretId = `${prefix}a`;
  await client.send(
    new TagResourceCommand({ SecretId, Tags: [{ Key: 'penstock:pipeline', Value: 'orders' }] }),
  );
  const tagged = await client.send(
    new ListSecretsCommand({ Filters: [{ Key: 'tag-key', Values: ['penstock:'] }] }),
  );
  expect(tagged.SecretList?.map((secret) => secret.Tags)).toEqual([
    [{ Key: 'penstock:pipeline', Value: 'orders' }],
  ]);
  await client.send(new UntagResourceCommand({ SecretId, TagKeys: ['penstock:pipeline'] }));
  expect((await client.send(new DescribeSecretCommand({ SecretId }))).Tags).toEqual([]);
});

describe('trouble', () => {
  it('strikes as often as it was injected', async () => {
    await create();
    secrets.inject({ operation: 'GetSecretValue', type: 'InternalServiceError', times: 3 });
    await expect(get()).rejects.toThrow(InternalServiceError); // the SDK tries 3 times
    expect(await get()).toMatchObject({ SecretString: 'first' });

    const before = secrets.requests.get('GetSecretValue') ?? 0;
    secrets.inject({ type: 'ThrottlingException' });
    expect(await get()).toMatchObject({ SecretString: 'first' });
    expect(secrets.requests.get('GetSecretValue')).toBe(before + 2);
  });

  it('comes to a request that was signed for another service, or not at all', async () => {
    const astray = new SecretsManagerClient({ ...settings(secrets.endpoint) });
    astray.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        headers.authorization = headers.authorization?.replace('/secretsmanager/', '/kinesis/') ?? '';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    await expect(astray.send(new GetSecretValueCommand({ SecretId: Name }))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    astray.destroy();
    expect((await fetch(secrets.endpoint, { method: 'POST', body: '{}' })).status).toBe(403);
  });
});
