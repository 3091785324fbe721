// What is kept as JSON in a secret has one reader: who reads it says the same, names the fields, and never a value.
import { describe, expect, it } from 'vitest';
import { readCredentials } from '../lib/credentials.ts';
import { Failure } from '../lib/failure.ts';
import { readKeys } from '../lib/hook/keys.ts';
import { readSourceCredentials } from '../lib/provision/resources/source.ts';
import { publishedSecret, readStream } from '../lib/published.ts';
import type { Runtime, Secrets } from '../lib/runtime.ts';
import { memoryRoutes } from './support/routes.ts';

const CANARY = 'fake-value-of-a-secret';
const SETTINGS = { stage: 'test' };
const OBJECT = 'Invalid input: expected object, received undefined';

const holding = (text: string | undefined) => ({ get: async () => text }) as unknown as Secrets;
const KINESIS = { kind: 'kinesis', stream: 's', region: 'eu-west-1', credentials: 'a/b' } as never;

/** Each reader: what it calls the secret, what it says of a text that is not JSON, and of one with a field that is wrong. */
const READERS = {
  credentials: {
    read: (secrets: Secrets) => readCredentials(secrets, 'a/b'),
    notJson: 'the secret a/b is not JSON',
    wrong: { clientId: 7, clientSecret: CANARY, organizationId: CANARY },
    refused: /^the secret a\/b is not usable:\n {2}clientId: .*\n {2}organizationId: .*$/,
  },
  'keys of hooks': {
    read: (secrets: Secrets) => readKeys(secrets, 'a/b'),
    notJson: 'the secret a/b is not JSON',
    wrong: { github: { key: ` ${CANARY}` } },
    refused: /^the secret a\/b is not usable:\n {2}github\.key: .*$/,
  },
  'a published pipeline': {
    read: (secrets: Secrets) => readOrders(secrets),
    notJson: `the published pipeline ${publishedSecret(SETTINGS, 'orders')} is damaged:\n  (top level): ${OBJECT}`,
    wrong: { version: 1, inletUrl: CANARY },
    refused: /^the published pipeline \S+ is damaged:\n(.*\n)* {2}inletUrl: .*(\n.*)*$/,
  },
  "a source's credentials": {
    read: (secrets: Secrets) => readSourceCredentials(KINESIS, { secrets } as Runtime),
    notJson: `the secret a/b is not usable:\n  (top level): ${OBJECT}`,
    wrong: { accessKeyId: 7, secretKey: CANARY },
    refused: /^the secret a\/b is not usable:\n {2}accessKeyId: .*$/,
  },
};

/** Of a stream without a list: as 0.1.0 published it. */
function readOrders(secrets: Secrets) {
  return readStream({ secrets, routes: memoryRoutes(), settings: SETTINGS }, 'orders');
}

async function failureFrom(read: Promise<unknown>): Promise<Failure> {
  const error = await read.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error('no Failure');
  return error;
}

describe.each(Object.entries(READERS))('issue 13 B 4: %s', (_, { read, notJson, wrong, refused }) => {
  it('that is not JSON is refused without its text', async () => {
    const failure = await failureFrom(read(holding(`{"clientId": "${CANARY}`)));
    expect(failure).toMatchObject({ code: 'SECRET_INVALID', what: notJson });
    expect(failure.cause).toBeUndefined();
  });

  it('with a field that is wrong is refused by the names of the fields, without a value', async () => {
    const failure = await failureFrom(read(holding(JSON.stringify(wrong))));
    expect(failure.code).toBe('SECRET_INVALID');
    expect(failure.what).toMatch(refused);
    expect(`${failure.message}${failure.stack}`).not.toContain(CANARY);
  });
});

it('issue 13 B 4: a published pipeline of a newer version is not judged by the schema of this one', async () => {
  const text = JSON.stringify({ version: 2, inletUrl: CANARY });
  const failure = await failureFrom(readOrders(holding(text)));
  expect(failure.code).toBe('NEWER_VERSION');
});
