import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createExecutions } from '../../lib/aws/executions.ts';
import { localExecutions } from '../../local/aws/executions.ts';
import { serve } from '../../local/aws/server.ts';
import { type LocalStates, startStatesApi } from '../../local/aws/states-api.ts';
import { eventually, turn } from '../support/eventually.ts';

// The port to Step Functions, by the real SDK over HTTP.

const ARN = 'arn:aws:states:eu-west-1:123456789012:stateMachine:penstock-dev-provision';
let states: LocalStates;
let client: SFNClient;
let ends: ((status: 'SUCCEEDED' | 'FAILED') => void)[];

beforeAll(async () => {
  ends = [];
  const executions = localExecutions(ARN, async () => {
    const status = await new Promise<'SUCCEEDED' | 'FAILED'>((resolve) => void ends.push(resolve));
    return { status, history: [] };
  });
  states = await startStatesApi({ stateMachineArn: ARN, executions: () => executions });
  const credentials = { accessKeyId: 'fake', secretAccessKey: 'fake' };
  client = new SFNClient({ endpoint: states.endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await states.close();
});

describe('executions', () => {
  it('are started once by name, and asked about', async () => {
    const port = createExecutions(ARN, client);
    const arn = port.arn('a-1');
    expect(arn).toBe('arn:aws:states:eu-west-1:123456789012:execution:penstock-dev-provision:a-1');
    expect(await port.describe(arn)).toBeUndefined();
    expect(await port.start('a-1', '{"a":1}')).toBe(true);
    expect(await port.start('a-1', '{"a":1}')).toBe(true);
    expect(await port.start('a-1', '{"a":2}')).toBe(false);
    const found = await port.describe(arn);
    expect(found).toEqual({ status: 'RUNNING', input: '{"a":1}', startedAt: expect.any(Number) });
    expect(new Date(found?.startedAt ?? 0).getFullYear()).toBe(new Date().getFullYear());
    expect(ends).toHaveLength(1);
    ends[0]?.('FAILED');
    await eventually(() => port.describe(arn)).toMatchObject({ status: 'FAILED' });
    expect(await port.start('a-1', '{"a":1}')).toBe(false);
  });

  it.each([
    ['ThrottlingException', 'AWS_UNAVAILABLE'],
    ['ExecutionLimitExceeded', 'AWS_UNAVAILABLE'],
    ['KmsThrottlingException', 'AWS_UNAVAILABLE'],
    ['AccessDeniedException', 'AWS_REFUSED'],
    ['StateMachineDoesNotExist', 'AWS_REFUSED'],
    ['ValidationException', 'AWS_REFUSED'],
  ])('B 59: %s is %s, and nothing of the input is in it', async (type, code) => {
    const port = createExecutions(ARN, client);
    states.inject('StartExecution', type, 1);
    const failing = port.start(`b-${type}`, '{"canary":"canary-4711"}');
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining(type) });
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringContaining('canary') });
    expect(await port.start(`b-${type}`, '{}')).toBe(true);
  });

  it('of another state machine are none', async () => {
    const port = createExecutions(ARN.replace('-dev-', '-prod-'), client);
    await expect(port.start('c', '{}')).rejects.toMatchObject({ code: 'AWS_REFUSED' });
  });

  it('of a service that does not answer are given up in time', async () => {
    const silent = await serve('application/x-amz-json-1.0', () => new Promise(() => undefined));
    const environment = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'fake', AWS_SECRET_ACCESS_KEY: 'fake' };
    for (const [name, value] of Object.entries({ ...environment, AWS_ENDPOINT_URL_SFN: silent.endpoint }))
      vi.stubEnv(name, value);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let over = false;
    const started = createExecutions(ARN)
      .start('d', '{}')
      .finally(() => {
        over = true;
      });
    const givenUp = expect(started).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    let ms = 0;
    // GitHub waits for ten seconds; here they pass a millisecond a turn.
    for (; !over && ms < 10_000; ms++) {
      await turn();
      vi.advanceTimersByTime(1);
    }
    vi.useRealTimers();
    expect(ms).toBeLessThan(10_000);
    await givenUp;
    vi.unstubAllEnvs();
    await silent.close();
  });

  it('of a service that is not there are waited for', async () => {
    const credentials = { accessKeyId: 'fake', secretAccessKey: 'fake' };
    const nobody = new SFNClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'eu-west-1',
      credentials,
      maxAttempts: 1,
    });
    await expect(createExecutions(ARN, nobody).describe('x')).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
    });
    nobody.destroy();
  });
});
