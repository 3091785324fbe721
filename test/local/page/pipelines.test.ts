import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictureOf } from '../../../local/page/areas/picture.ts';
import { pipelineLines, pipelinesFeed } from '../../../local/page/areas/pipelines.ts';
import { createStore } from '../../../local/page/store.ts';
import { executionOf, manifestOf, succeeded, toldStack } from '../../support/watched.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
});
afterAll(() => rm(folder, { recursive: true }));

const entry = (sequenceNumber: string, reason = 'json') => ({
  reason,
  message: 'no JSON',
  sequenceNumber,
  data: 'e30=',
});

async function keep(name: string, entries: object[], pipeline = 'orders'): Promise<void> {
  const head = { version: 1, pipeline, streamArn: 'arn', shardId: 's', invocationId: 'i', storedAt: 't' };
  await mkdir(join(folder, 'rejected', pipeline), { recursive: true });
  await writeFile(join(folder, 'rejected', pipeline, name), JSON.stringify({ ...head, entries }));
}

describe('the list of pipelines', () => {
  it('says of each how it fares, by the last execution that was to change it', () => {
    const stack = toldStack();
    const [made, failed, retired, running] = ['made', 'failed', 'retired', 'running'].map((name) =>
      manifestOf(name),
    );
    stack.told.push(
      succeeded(made as never),
      executionOf(made, 'plan'),
      { ...executionOf(failed), status: 'FAILED', error: 'Penstock.Permanent', cause: '{}' },
      succeeded(retired as never),
      succeeded(retired as never, 'retire'),
      executionOf(running),
      executionOf('no manifest at all'),
    );
    expect(pipelineLines(stack, []).map(({ name, health }) => [name, health])).toEqual([
      ['made', 'good'],
      ['failed', 'bad'],
      ['retired', 'off'],
      ['running', 'busy'],
    ]);
  });

  it('tells a line again where it has changed, and no other', async () => {
    const stack = toldStack();
    stack.told.push(succeeded(manifestOf('one')), succeeded(manifestOf('two')));
    const feed = pipelinesFeed({ watched: stack, store: createStore(folder) });
    expect(await feed()).toMatchObject({ set: [{ name: 'one' }, { name: 'two' }], gone: [] });
    expect(await feed()).toBeUndefined();
    stack.told.push(executionOf(manifestOf('two')));
    expect(await feed()).toMatchObject({ set: [{ name: 'two', health: 'busy' }], gone: [] });
    stack.told.splice(0, 1);
    expect(await feed()).toEqual({ set: [], gone: ['one'] });
  });
});

describe('the dead-letter store', () => {
  it('is read again where a file has changed, and has each message once', async () => {
    let now = 0;
    const store = createStore(folder, () => now);
    expect(await store.rejected()).toEqual([]);
    await keep('a.json', [entry('1'), entry('2')]);
    await keep('again.json', [entry('1')]);
    await keep('half.json', []);
    await writeFile(join(folder, 'rejected', 'orders', 'broken.json'), '{"version":');
    now += 1_000;
    expect((await store.rejected()).map((one) => one.entry.sequenceNumber)).toEqual(['1', '2']);
    await keep('a.json', [entry('1'), entry('2'), entry('3')]);
    now += 1_000;
    expect(await store.rejected()).toHaveLength(3);
    await rm(join(folder, 'rejected'), { recursive: true });
    now += 1_000;
    expect(await store.rejected()).toEqual([]);
  });
});

describe('the picture of a stream', () => {
  it('is a tree: what all share, then each pipeline from its inlet to its schema', () => {
    const stack = toldStack();
    stack.told.push(succeeded(manifestOf('one')), succeeded(manifestOf('two')));
    const { parts, links } = pictureOf(stack, 'shop', []);
    expect(parts.map(({ kind }) => kind)).toEqual([
      'Stream',
      'Trigger',
      ...Array.from({ length: 2 }, () => [
        'Pipeline',
        'Inlet',
        'Flow',
        'Mapping',
        'Dataset',
        'Schema',
        'Dead letters',
      ]).flat(),
    ]);
    const from = (id: string) => links.filter(([one]) => one === id).map(([, to]) => to);
    expect(from('source')).toEqual(['trigger']);
    expect(from('trigger')).toEqual(['one/pipeline', 'two/pipeline']);
    expect(from('one/pipeline')).toEqual(['one/base-connection', 'one/dead-letters']);
    expect(from('one/base-connection')).toEqual(['one/flow']);
    expect(links).toHaveLength(parts.length - 1);
  });

  it('begins at the source itself where AEP reads it', () => {
    const stack = toldStack();
    const source = {
      kind: 'kinesis',
      stream: 'shop',
      region: 'eu-west-1',
      data: 'raw',
      credentials: 'penstock/dev/kinesis',
    };
    stack.told.push(succeeded(manifestOf('pulled', { source })));
    expect(pictureOf(stack, 'shop', []).parts.map(({ kind }) => kind)).toEqual([
      'Stream',
      'Pipeline',
      'Connection',
      'Flow',
      'Mapping',
      'Dataset',
      'Schema',
    ]);
  });

  it('says what is wrong in words, and what to do next', async () => {
    const stack = toldStack();
    await keep('b.json', [entry('1'), entry('2', 'envelope')]);
    const rejected = await createStore(folder).rejected();
    const cause = JSON.stringify({
      errorMessage: 'the dataset is another one | Next: Name it.',
      trace: ['{"code":"CONFLICT","next":"Name it."}'],
    });
    stack.told.push(succeeded(manifestOf('orders')), {
      ...executionOf(manifestOf('orders')),
      status: 'FAILED',
      error: 'Penstock.Permanent',
      cause,
    });
    const { troubles, parts } = pictureOf(stack, 'shop', rejected);
    expect(troubles.map(({ what, next }) => [what, next])).toEqual([
      ['Its execution failed. CONFLICT: the dataset is another one', 'Name it.'],
      [expect.stringContaining('2 messages were rejected'), 'Correct the cause, then redrive.'],
    ]);
    expect(parts.find(({ kind }) => kind === 'Dead letters')?.facts).toEqual([
      ['json', '1'],
      ['envelope', '1'],
    ]);
  });

  it('says of an inlet that refuses every request that it does, until it takes one', () => {
    const stack = toldStack();
    stack.told.push(succeeded(manifestOf('orders')));
    const { state, journal } = stack.platform.platform;
    // What else an inlet has is not looked at here.
    state.inlets.set('inlet-1', {
      id: 'inlet-1',
      connectionId: 'orders-inlet',
      sandbox: { inletCounts: new Map() },
    } as never);
    const answers = (status: number, dropped = false) => {
      const call = { method: 'POST', path: '/collection/batch/inlet-1', query: new URLSearchParams() };
      const asked = { ...call, headers: {}, body: Buffer.alloc(0) } as never;
      journal.record(asked, { status, headers: {}, body: undefined, dropped } as never, 0, 1, []);
    };
    const seen = () => {
      const { parts, troubles } = pictureOf(stack, 'shop', []);
      const inlet = parts.find(({ kind }) => kind === 'Inlet');
      return [pipelineLines(stack, [])[0]?.health, inlet?.health, troubles.map(({ what }) => what)];
    };
    answers(404);
    answers(404);
    expect(seen()).toEqual(['good', 'good', []]);
    answers(503);
    answers(200, true);
    answers(400);
    const what = 'The inlet has refused 3 requests since it last took one, the last with 503.';
    expect(seen()).toEqual(['bad', 'bad', [what]]);
    expect(journal.copy().refusals('inlet-1')).toEqual({ requests: 3, status: 503 });
    answers(207);
    expect(seen()).toEqual(['good', 'good', []]);
  });

  it('is empty for a stream that nobody reads', () => {
    expect(pictureOf(toldStack(), 'none', [])).toEqual({
      source: 'none',
      parts: [],
      links: [],
      troubles: [],
    });
  });
});
