// The SDK's unmodified Lambda client calls local functions.
import { InvokeCommand, LambdaClient, ResourceNotFoundException } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFunctions } from '../../../lib/aws/functions.ts';
import { type LocalAws, startLocalAws } from '../../../local/aws/index.ts';
import { eventually } from '../../support/eventually.ts';

let aws: LocalAws;
let lambda: LambdaClient;
const logged: string[] = [];

beforeAll(async () => {
  aws = await startLocalAws({
    functions: { echo: { module: new URL('./fixtures/echo.ts', import.meta.url), timeoutSeconds: 3_600 } },
    onLog: (_, line) => logged.push(line),
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  lambda = new LambdaClient({
    endpoint: aws.endpoints.lambda,
    region: 'eu-west-1',
    credentials,
    maxAttempts: 1,
  });
});
afterAll(async () => {
  lambda.destroy();
  await aws.close();
});

const invoke = async (FunctionName: string, event: unknown) => {
  const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  return { ...answer, result: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as unknown };
};

describe('Invoke', () => {
  it.each([
    ['echo'],
    ['arn:aws:lambda:eu-west-1:123456789012:function:echo'],
    ['123456789012:function:echo'],
  ])('by %s waits for the result', async (name) => {
    expect(await invoke(name, { n: 1 })).toMatchObject({ StatusCode: 200, result: { n: 1 } });
  });

  it('reports an error of the function as Lambda does', async () => {
    const { FunctionError, result } = await invoke('echo', { fail: 'no' });
    expect(FunctionError).toBe('Unhandled');
    expect(result).toMatchObject({ errorType: 'Error', errorMessage: 'no' });
  });

  it('does not wait where the invocation type is Event', async () => {
    await createFunctions(lambda).start(aws.functions.arn('echo'), { log: 'later' });
    await eventually(() => logged).toContain('later');
  });

  it('refuses an unknown function', async () => {
    await expect(invoke('nothing', {})).rejects.toBeInstanceOf(ResourceNotFoundException);
    await expect(createFunctions(lambda).start('nothing', {})).rejects.toMatchObject({ code: 'AWS_REFUSED' });
  });
});
