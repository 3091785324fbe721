import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../lib/hook/bundle.ts';
import { parseManifest } from '../../lib/manifest.ts';
import { Pipeline } from '../../lib/pipeline.ts';
import { functionName } from '../../local/start/functions.ts';
import { prepareSource } from '../../local/start/journey.ts';
import { type Stack, startStack } from '../../local/start/stack.ts';
import { eventually } from '../support/eventually.ts';
import { EXAMPLES } from '../support/hooks.ts';

// A delivery of GitHub's, over a real socket to the function's URL, ends in a pipeline that carries records.

const KEY = 'fake-journey-key-0123456789';
const PIPELINE = 'customer-profiles';
let stack: Stack;
let folder: string;
let stream: string;
const logs: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  const manifest = parseManifest(bundle(EXAMPLES)[PIPELINE]?.manifest);
  stream = 'stream' in manifest.source ? manifest.source.stream : '';
  stack = await startStack({
    warmUpSeconds: 1,
    seed: 13,
    sandboxes: [manifest.sandbox],
    folder,
    pipelines: EXAMPLES,
    onLog: (name, line) => void logs.push(`${name} ${line}`),
  });
  await stack.createSecret('penstock/dev/hook', { github: { key: KEY } });
  await prepareSource(stack, manifest, 1);
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

async function deliver(body: object, { key = KEY, delivery = 'd-1', type = 'application/json' } = {}) {
  const text = JSON.stringify(body);
  const answer = await fetch(stack.hookUrl, {
    method: 'POST',
    headers: {
      'content-type': type,
      'X-GitHub-Delivery': delivery,
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', key).update(text).digest('hex')}`,
    },
    body: text,
  });
  return {
    status: answer.status,
    body: (await answer.json()) as { executions?: { name: string; executionArn: string }[] },
  };
}

describe('a deploy hook', () => {
  it('lets nobody in who has another key', async () => {
    const refused = await deliver({ pipeline: PIPELINE }, { key: 'fake-other-key-0123456789' });
    expect(refused).toEqual({ status: 401, body: { error: 'unauthorized' } });
    const form = 'application/x-www-form-urlencoded';
    expect(await deliver({ pipeline: PIPELINE }, { type: form })).toMatchObject({ status: 415 });
    expect((await fetch(stack.hookUrl)).status).toBe(405);
    expect(stack.executions.all).toEqual([]);
  });

  it('B 52: takes no more in parts than in one', async () => {
    const part = new TextEncoder().encode(' '.repeat(1_000));
    const parts = (count: number) =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (count-- > 0) controller.enqueue(part);
          else controller.close();
        },
      });
    const send = async (count: number) => {
      const headers = { 'content-type': 'application/json' };
      const options = { method: 'POST', headers, body: parts(count), duplex: 'half' } as RequestInit;
      return (await fetch(stack.hookUrl, options)).status;
    };
    expect([await send(65), await send(66)]).toEqual([401, 413]);
  });

  it('provisions a pipeline of the bundle, once, and records come through', async () => {
    const body = { pipeline: PIPELINE, id: 'canary-4711' };
    const first = await deliver(body);
    expect(first.status).toBe(202);
    const [started] = first.body.executions ?? [];
    const execution = stack.executions.describe(started?.executionArn ?? '');
    expect(execution.name).toBe(started?.name);
    expect(await deliver(body, { delivery: 'd-2' })).toEqual(first);
    const { status, output } = await execution.result;
    expect(status).toBe('SUCCEEDED');
    expect(await deliver(body, { delivery: 'd-3' })).toEqual(first);
    expect(stack.executions.all).toHaveLength(1);

    const { resources } = Pipeline.parse(output);
    const record = { id: 'r-1', firstName: 'A', lastName: 'B', gender: 'Male', dob: '1990-01-01' };
    const Data = Buffer.from(JSON.stringify(record));
    await stack.kinesis.send(new PutRecordCommand({ StreamName: stream, PartitionKey: 'a', Data }));
    await eventually(() => stack.readBack(resources.dataset?.id ?? '', 10)).toHaveLength(1);
    await eventually(() =>
      logs.filter((line) => line.startsWith(functionName('deployHook'))).join(),
    ).toContain(started?.name);
    expect(logs.join()).not.toContain('canary-4711');
  });

  it('B 4: once a newer delivery has succeeded, starts nothing for an older one that failed', async () => {
    const pipeline = 'customer-profiles-xdm';
    const begun = stack.executions.all.length;
    const run = async (id: string, delivery: string) => {
      const answer = await deliver({ pipeline, id }, { delivery });
      const [started] = answer.body.executions ?? [];
      const { result } = stack.executions.describe(started?.executionArn ?? '');
      return { answer, started, status: (await result).status };
    };
    // Its stream is not there yet.
    const older = await run('older', 'd-4');
    expect([older.answer.status, older.status]).toEqual([202, 'FAILED']);
    await prepareSource(stack, parseManifest(bundle(EXAMPLES)[pipeline]?.manifest), 1);
    const newer = await run('newer', 'd-5');
    expect([newer.answer.status, newer.status]).toEqual([202, 'SUCCEEDED']);
    const again = await deliver({ pipeline, id: 'older' }, { delivery: 'd-6' });
    expect(again).toMatchObject({
      status: 200,
      body: {
        executions: [{ name: older.started?.name, supersededBy: newer.started?.executionArn }],
        nothing: expect.stringContaining('a newer one has succeeded since'),
      },
    });
    expect(stack.executions.all).toHaveLength(begun + 2);
  });

  it('takes an event of the bus as well', async () => {
    const event = {
      id: 'e-1',
      source: 'aws.codepipeline',
      'detail-type': 'CodePipeline Pipeline Execution State Change',
      detail: { pipeline: 'deploy', state: 'FAILED' },
    };
    const result = await stack.aws.functions.invoke(functionName('deployHook'), event);
    expect(result).toEqual({ ok: { executions: [], nothing: 'the execution has not succeeded' } });
  });
});
