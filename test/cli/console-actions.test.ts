// `penstock console --allow-actions`: what is done to a stage from the page, what it takes, and who can do nothing.
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readRequest } from '../../lib/redrive/request.ts';
import { TOKEN_HEADER } from '../../local/aep/access.ts';
import type { StoreKind, ToldAction } from '../../local/page/told-stage.ts';
import {
  type ActingStage,
  actingStage,
  DISCARDED,
  DOCUMENT,
  type StartedConsole,
  startConsole,
} from '../support/console.ts';
import { eventually } from '../support/eventually.ts';

const FILE = 'pipelines/customer-profiles.json';
const EXAMPLE = new URL('../../examples/customer-profiles.json', import.meta.url);
const ACTIONS = '/api/actions';

let home: string;
let folder: string;
let started: StartedConsole | undefined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'penstock-actions-'));
  folder = join(home, 'work');
  await mkdir(join(folder, 'pipelines'), { recursive: true });
  await copyFile(EXAMPLE, join(folder, FILE));
  await writeFile(join(folder, 'pipelines/customer-profiles.samples.json'), '[]');
  await writeFile(join(home, 'secret.json'), '{}');
});
afterAll(() => rm(home, { recursive: true }));
beforeEach(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
  await rm(join(folder, 'pipelines/customer-profiles.samples.json'), { force: true });
});
afterEach(async () => {
  await started?.stop();
  started = undefined;
  vi.unstubAllEnvs();
});

async function consoleOf({ answers }: Pick<ActingStage, 'answers'>) {
  started = await startConsole(answers, ['--allow-actions'], folder);
  const own = started;
  const all = async () => ((await own.followed('actions')) as { readonly set: readonly ToldAction[] }).set;
  const one = async (id: string) => (await all()).find((action) => action.id === id);
  return {
    ...own,
    all,
    async begin(path: string, body: object): Promise<string> {
      const answer = await own.post(`${ACTIONS}/${path}`, body);
      expect(answer.status).toBe(202);
      return ((await answer.json()) as ToldAction).id;
    },
    async until(id: string, state: ToldAction['state']): Promise<ToldAction> {
      await eventually(async () => (await one(id))?.state).toBe(state);
      return (await one(id)) as ToldAction;
    },
    async carryOut(id: string, names: object) {
      const answer = await own.post(`${ACTIONS}/carry-out`, { id, ...names });
      return { status: answer.status, body: (await answer.json()) as { why?: string } & Partial<ToldAction> };
    },
  };
}

const modes = ({ inputs }: ActingStage) => inputs.map(({ mode }) => mode);

describe('a manifest', () => {
  it('is one of the folder, by its name: no samples, and nothing from elsewhere', async () => {
    const stage = actingStage();
    const { found, begin, until } = await consoleOf(stage);
    expect(await found('/api/manifests')).toEqual([FILE]);
    for (const file of ['../secret.json', join(home, 'secret.json'), 'pipelines/../../secret.json'])
      expect(await until(await begin('plan', { file }), 'failed')).toMatchObject({
        obstacle: { code: 'FILE_UNREADABLE' },
      });
    expect(stage.inputs).toEqual([]);
  });

  it('is planned first, and applied with the token of that plan once the stage is named', async () => {
    const stage = actingStage();
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('plan', { file: FILE });
    const shown = await until(id, 'shown');
    expect(shown).toMatchObject({
      pipeline: 'customer-profiles',
      sandbox: { name: 'dev1', isTyped: false },
      plan: { token: 'p3.abc', resources: [{ plan: 'create' }, { differences: [{ wanted: 'upper(id)' }] }] },
    });
    expect(modes(stage)).toEqual(['plan']);
    stage.release();
    expect((await carryOut(id, { stage: 'prod' })).status).toBe(202);
    expect(await until(id, 'done')).toMatchObject({ report: { resources: [{ done: 'created' }, {}] } });
    expect(modes(stage)).toEqual(['plan', 'apply']);
    expect(stage.inputs[1]).toMatchObject({ token: 'p3.abc', manifest: { name: 'customer-profiles' } });
  });

  it.each([
    ['another name', { stage: 'dev' }, 'WRONG_STAGE'],
    ['no name', { stage: '' }, 'WRONG_STAGE'],
    ['nothing', {}, 'not understood'],
  ])('is not applied where the stage is given %s', async (_, names, why) => {
    const stage = actingStage();
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('plan', { file: FILE });
    await until(id, 'shown');
    expect(await carryOut(id, names)).toMatchObject({
      status: 400,
      body: { why: expect.stringContaining(why) },
    });
    await until(id, 'shown');
    expect(modes(stage)).toEqual(['plan']);
  });

  it('of a production sandbox needs its name as well, and the functions get it', async () => {
    const stage = actingStage({ type: 'production' });
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('plan', { file: FILE });
    expect(await until(id, 'shown')).toMatchObject({ sandbox: { isTyped: true } });
    for (const names of [{ stage: 'prod' }, { stage: 'prod', sandbox: 'prod' }, { sandbox: 'dev1' }])
      expect([names, (await carryOut(id, names)).status]).toEqual([names, 400]);
    expect(modes(stage)).toEqual(['plan']);
    stage.release();
    expect((await carryOut(id, { stage: 'prod', sandbox: 'dev1' })).status).toBe(202);
    await until(id, 'done');
    expect(stage.inputs[1]).toMatchObject({ mode: 'apply', sandbox: 'dev1' });
  });

  it('with conflicts, or with nothing to do, cannot be applied', async () => {
    const stage = actingStage({ planned: 'conflict' });
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('plan', { file: FILE });
    await until(id, 'nothing');
    await carryOut(id, { stage: 'prod' });
    await until(id, 'nothing');
    expect(modes(stage)).toEqual(['plan']);
  });

  it('that is agreed to twice is applied once, and whoever comes back finds the execution at work', async () => {
    const stage = actingStage();
    const { begin, until, carryOut, all } = await consoleOf(stage);
    const id = await begin('plan', { file: FILE });
    await until(id, 'shown');
    const names = { stage: 'prod' };
    const both = await Promise.all([carryOut(id, names), carryOut(id, names)]);
    expect(both.map(({ status }) => status)).toEqual([202, 202]);
    await eventually(() => modes(stage).length).toBe(2);
    await eventually(async () => (await all())[0]?.execution).toMatch(/^customer-profiles-[0-9a-f]{32}$/);
    expect(await all()).toMatchObject([{ id, state: 'acting', says: expect.stringContaining('Applying') }]);
    await carryOut(id, names);
    stage.release();
    await until(id, 'done');
    expect((await carryOut(id, names)).body.state).toBe('done');
    expect(modes(stage)).toEqual(['plan', 'apply']);
  });

  it('that is asked for twice at once is planned once, and later anew', async () => {
    const stage = actingStage();
    const { begin, until } = await consoleOf(stage);
    const [first, second] = await Promise.all([begin('plan', { file: FILE }), begin('plan', { file: FILE })]);
    expect(second).toBe(first);
    await until(first, 'shown');
    const third = await begin('plan', { file: FILE });
    expect(third).not.toBe(first);
    await until(third, 'shown');
    expect(modes(stage)).toEqual(['plan', 'plan']);
  });

  it('whose execution fails says why, with what became of each resource', async () => {
    const stage = actingStage({ isFailing: true });
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('plan', { file: FILE });
    await until(id, 'shown');
    stage.release();
    await carryOut(id, { stage: 'prod' });
    expect(await until(id, 'failed')).toMatchObject({
      obstacle: { code: 'CONFLICT', what: 'taken' },
      report: { resources: [{ resource: 'schema' }, {}] },
    });
  });

  it('that has changed on the disk since is sent with the old token: its execution refuses it', async () => {
    const stage = actingStage();
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('plan', { file: FILE });
    await until(id, 'shown');
    const path = join(folder, FILE);
    const before = await readFile(path, 'utf8');
    try {
      await writeFile(path, before.replace('"sandbox": "dev1"', '"sandbox": "other"'));
      await carryOut(id, { stage: 'prod' });
      expect((await until(id, 'failed')).obstacle?.code).toBe('WRONG_SANDBOX');
    } finally {
      await writeFile(path, before);
    }
    expect(modes(stage)).toEqual(['plan']);
  });
});

describe('dead letters', () => {
  const chosen = (more: object = {}) => ({
    ...{ kind: 'rejected' satisfies StoreKind, pipeline: 'orders', since: '2026-11-22', what: 'some' },
    ...more,
  });
  const at = '2026-11-29T09:00:00.000Z';
  const shop = 'arn:aws:kinesis:eu-west-1:123456789012:stream/shop';

  it.each([
    [
      'a document',
      { key: DOCUMENT },
      { stored: { from: at, to: at }, sequence: { shardId: 'shardId-0', from: '495', to: '496' } },
    ],
    [
      'a message',
      { key: DOCUMENT, number: 1 },
      {
        stored: { from: at, to: at },
        reasons: ['not-json'],
        sequence: { shardId: 'shardId-0', from: '496', to: '496' },
      },
    ],
    ['all from a day on', {}, { stored: { from: '2026-11-22T00:00:00Z' } }],
    [
      'a batch that Lambda has discarded',
      { kind: 'on-failure', key: DISCARDED },
      {
        stored: { from: '2026-11-28T10:00:00.000Z', to: '2026-11-28T10:00:00.000Z' },
        sequence: { shardId: 'shardId-000000000002', from: '700', to: '701' },
      },
    ],
  ])('are tried dry, and sent once the stage is named: %s', async (_, more, where) => {
    const stage = actingStage();
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('redrive', chosen(more));
    expect(await until(id, 'shown')).toMatchObject({ dry: { dryRun: true, chosen: 2, left: 2 } });
    const dry = stage.redrives[0] ?? {};
    expect(readRequest(dry)).toMatchObject({ stream: shop, pipeline: 'orders', dryRun: true, where });
    expect(stage.redrives).toHaveLength(1);
    expect((await carryOut(id, { stage: 'dev' })).status).toBe(400);
    await Promise.all([carryOut(id, { stage: 'prod' }), carryOut(id, { stage: 'prod' })]);
    expect(await until(id, 'done')).toMatchObject({ sent: { dryRun: false, delivered: 2 } });
    // It is tried dry once more, as the command does it.
    const { dryRun: _dry, ...real } = dry;
    expect(stage.redrives).toEqual([dry, dry, real]);
  });

  it('of a production sandbox need its name as well, and the function gets it', async () => {
    const stage = actingStage({ type: 'production' });
    const { begin, until, carryOut } = await consoleOf(stage);
    const id = await begin('redrive', chosen({ key: DOCUMENT }));
    await until(id, 'shown');
    expect((await carryOut(id, { stage: 'prod' })).body.why).toContain('WRONG_SANDBOX');
    expect((await carryOut(id, { stage: 'prod', sandbox: 'dev1' })).status).toBe(202);
    await until(id, 'done');
    expect(stage.redrives.at(-1)).toMatchObject({ sandbox: 'dev1' });
  });

  it('that are gone meanwhile are not sent', async () => {
    const stage = actingStage();
    const { begin, until } = await consoleOf(stage);
    for (const more of [{ key: 'rejected/orders/gone.json' }, { key: DOCUMENT, number: 9 }])
      expect((await until(await begin('redrive', chosen(more)), 'failed')).obstacle?.code).toBe('NOT_FOUND');
    expect(stage.redrives).toEqual([]);
  });
});

describe('who can do something', () => {
  const body = { file: FILE };

  it('is told by the page, and only a stack of this version is changed', async () => {
    const { ask } = await consoleOf(actingStage());
    expect(await (await ask('/api/about')).json()).toMatchObject({ hasActions: true });
    const older = { ...actingStage().answers, 'lambda:penstock-prod-status': () => ({ version: '0.0.1' }) };
    await expect(startConsole(older, ['--allow-actions'], folder)).rejects.toThrow('error OTHER_VERSION');
  });

  it('is whoever has the token: no other site, no form of one, and no name of another machine', async () => {
    const stage = actingStage();
    const { post, origin, aws } = await consoleOf(stage);
    const before = aws.calls.length;
    const path = `${ACTIONS}/plan`;
    const other = { origin: 'https://other.example', 'sec-fetch-site': 'cross-site' };
    expect((await post(path, body, { ...other, [TOKEN_HEADER]: '' })).status).toBe(401);
    expect((await post(path, body, { [TOKEN_HEADER]: 'guessed' })).status).toBe(401);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a'])
      expect((await post(path, body, { 'content-type': type })).status).toBe(415);
    const token = new URL(started?.address ?? '').hash.slice(1);
    const rebound = await new Promise((resolve, reject) => {
      const headers = { host: 'rebound.example', 'content-type': 'application/json', [TOKEN_HEADER]: token };
      request(`${origin}${path}`, { method: 'POST', headers }, (answer) =>
        resolve(answer.resume().statusCode),
      )
        .on('error', reject)
        .end(JSON.stringify(body));
    });
    expect(rebound).toBe(403);
    // What it is asked for by a GET, a browser loads for any site.
    expect((await fetch(`${origin}${path}`, { headers: { [TOKEN_HEADER]: token } })).status).toBe(404);
    expect(aws.calls.slice(before)).toEqual([]);
  });

  it.each([
    ['plan', {}],
    ['plan', { file: '' }],
    ['plan', { file: FILE, mode: 'retire' }],
    ['plan', null],
    ['redrive', { kind: 'stream', pipeline: 'orders', since: '', what: 'all' }],
    ['redrive', { kind: 'rejected', pipeline: 'orders', since: 'yesterday', what: 'all' }],
    ['carry-out', { id: 7, stage: 'prod' }],
  ])('is answered 400 where it is not understood: %s %j', async (path, asked) => {
    const { post, all } = await consoleOf(actingStage());
    expect((await post(`${ACTIONS}/${path}`, asked)).status).toBe(400);
    expect(await all()).toEqual([]);
  });

  it('is answered 404 of what there is not', async () => {
    const { post } = await consoleOf(actingStage());
    expect((await post(`${ACTIONS}/carry-out`, { id: 'none', stage: 'prod' })).status).toBe(404);
    expect((await post(`${ACTIONS}/retire`, body)).status).toBe(404);
    expect((await post(`${ACTIONS}/toString`, body)).status).toBe(404);
  });
});
