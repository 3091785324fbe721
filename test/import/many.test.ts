// Import of a whole sandbox: page by page, each flow told, and none of them in the way of the others.
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../lib/failure.ts';
import type { ImportAnswer } from '../../lib/import/import.ts';
import { position, sandboxOf, sent, type World } from '../provision/cases.ts';
import { world } from '../support/provisioning.ts';
import { byTutorial, flowByHand, type Ids, imports, importsFlow, planOf, ROWS } from './hands.ts';

/** 10,000 take 41 s, nearly all of it in the lists of the simulated platform. */
const MANY = 400;

const EVENT = { sandbox: 'dev1', all: true } as const;

/** As many flows as a large organization has, of a kind that is told without another call. */
function destinations(own: World, count: number): void {
  const { flows } = sandboxOf(own);
  const [like] = flows.values();
  if (like === undefined) throw new Error('no flow');
  for (let index = 0; index < count; index++) {
    const id = `destination-${index}`;
    const flowSpec = { id: 'of-a-destination', version: '1.0' };
    const ends = { sourceConnectionIds: [`source of ${id}`], targetConnectionIds: [`target of ${id}`] };
    const body = { ...like.body, ...ends, name: id, flowSpec };
    flows.put(id, { ...like, id, body });
  }
}

const schemaPath = (schema: string) => `/**/schemas/${encodeURIComponent(schema)}`;

async function everyPage(own: World): Promise<ImportAnswer[]> {
  const pages: ImportAnswer[] = [];
  let from: string | undefined;
  do {
    const asked = { ...EVENT, ...(from !== undefined && { continue: from }) };
    const page = (await own.steps.import?.(asked)) as unknown as ImportAnswer;
    pages.push(page);
    from = page.continue;
  } while (from !== undefined);
  return pages;
}

describe('15 import: everything in a sandbox', () => {
  it('three pipelines, one of them by XDM: each manifest plans without a change', async () => {
    const own = world();
    await byTutorial(own);
    await byTutorial(own, { title: 'Visits', dataType: 'xdm' });
    await byTutorial(own, { title: 'Orders', rows: ROWS.slice(0, 2) });
    const { imported, ...rest } = await imports(own, { all: true });
    expect(rest).toEqual({});
    expect(imported.map(({ manifest }) => manifest?.name)).toEqual([
      'tutorial-customers-flow',
      'visits-flow',
      'orders-flow',
    ]);
    for (const { manifest, findings } of imported) {
      expect(findings.map(({ path }) => path)).toEqual(['source.stream']);
      const source = { ...(manifest?.source as object), stream: 'customers' };
      expect(await planOf(own, { ...manifest, source })).toEqual([]);
    }
  });

  it(`${MANY} flows: no call asks for more than a page, none is left out, and none comes twice`, async () => {
    const own = world();
    const { flow } = await byTutorial(own);
    destinations(own, MANY - 1);
    const from = position(own);
    const pages = await everyPage(own);
    const all = pages.flatMap(({ imported }) => imported);
    expect(all).toHaveLength(MANY);
    expect(new Set(all.map((one) => one.flow)).size).toBe(MANY);
    expect(Math.max(...pages.map(({ imported }) => imported.length))).toBe(20);
    const lists = sent(own, from).filter(({ path }) => path.endsWith('/flows'));
    expect(lists.filter(({ query }) => query.property === undefined)).toHaveLength(MANY / 20);
    for (const { query } of lists) expect(Number(query.limit)).toBeLessThanOrEqual(100);
    expect(all.filter(({ manifest }) => manifest !== undefined)).toMatchObject([{ flow }]);
    for (const { findings } of all) expect(findings).toHaveLength(1);
  });

  it('a page asks once for what its flows share, and some 30 times for each of them', async () => {
    const calls = async (count: number) => {
      const own = world();
      for (let index = 0; index < count; index++) await byTutorial(own, { title: `Pipeline ${index}` });
      const from = position(own);
      await imports(own, { all: true });
      return sent(own, from).map(({ path, query }) => `${path} ${JSON.stringify(query)}`);
    };
    const [one, three] = [await calls(1), await calls(3)];
    expect((three.length - one.length) / 2).toBeLessThanOrEqual(34);
    expect(three.filter((call) => /\/stats /.test(call))).toHaveLength(1);
  });

  it('a flow whose parts cannot be read is told, and the others are imported', async () => {
    const own = world();
    await byTutorial(own);
    const { dataset } = await byTutorial(own, { title: 'Visits' });
    const shelf = sandboxOf(own).flows;
    const [first] = shelf.values();
    // As no flow looks: what AEP promises nothing of can be anything.
    if (first !== undefined)
      shelf.put('odd', {
        ...first,
        id: 'odd',
        body: { ...first.body, name: 7, sourceConnectionIds: 'none' } as never,
      });
    own.platform.faults.add({ kind: 'refuse', status: 403, path: `/**/dataSets/${dataset}` });
    const { imported } = await imports(own, { all: true });
    expect(
      imported.map(({ manifest, findings }) => [
        manifest !== undefined,
        ...findings.map(({ path, effect }) => `${path} ${effect}`),
      ]),
    ).toEqual([
      [true, 'source.stream missing', 'dataset kept'],
      [false, 'flow prevents'],
      [false, 'flow prevents'],
    ]);
  });

  it.each([
    [503, 'AEP_UNAVAILABLE'],
    [401, 'AEP_UNAUTHORIZED'],
    [403, 'AEP_FORBIDDEN'],
  ])(
    'one flow has a part that AEP answers with %d for ever: the others are imported',
    async (status, code) => {
      const own = world();
      const { schema } = await byTutorial(own);
      await byTutorial(own, { title: 'Visits' });
      own.platform.faults.add({ kind: 'refuse', status, path: schemaPath(schema) });
      const { imported } = await imports(own, { all: true });
      expect(imported.map(({ failed, manifest }) => [failed, manifest?.name])).toEqual([
        [code, undefined],
        [undefined, 'visits-flow'],
      ]);
    },
  );

  it('where AEP is away nothing is told of any flow: the page can be asked for again', async () => {
    const own = world();
    await byTutorial(own);
    await byTutorial(own, { title: 'Visits' });
    own.platform.faults.add({ kind: 'refuse', status: 503, path: '/**/schemas/*' });
    const failed: unknown = await imports(own, { all: true }).catch((error: unknown) => error);
    expect(isFailure(failed) && [failed.code, failed.retryable]).toEqual(['AEP_UNAVAILABLE', true]);
    own.platform.faults.clear();
    expect((await imports(own, { all: true })).imported).toHaveLength(2);
  });

  it('two flows in a row that can never be read are named, and whoever knows them gets past them', async () => {
    const own = world();
    const broken = [await byTutorial(own), await byTutorial(own, { title: 'Visits' })];
    await byTutorial(own, { title: 'Orders' });
    for (const { schema } of broken)
      own.platform.faults.add({ kind: 'refuse', status: 503, path: schemaPath(schema) });
    const failed: unknown = await imports(own, { all: true }).catch((error: unknown) => error);
    expect(isFailure(failed) && failed.code).toBe('AEP_UNAVAILABLE');
    for (const { flow } of broken) expect((failed as Error).message).toContain(flow);
    expect((failed as { next?: string }).next).toContain('"skipUnreadable": true');
    const { imported } = await imports(own, { all: true, skipUnreadable: true });
    expect(imported.map(({ failed: code, manifest }) => [code, manifest?.name])).toEqual([
      ['AEP_UNAVAILABLE', undefined],
      ['AEP_UNAVAILABLE', undefined],
      [undefined, 'orders-flow'],
    ]);
  });

  it('of a flow that is named, the failure itself is told', async () => {
    const own = world();
    const { flow, schema } = await byTutorial(own);
    own.platform.faults.add({ kind: 'refuse', status: 503, path: schemaPath(schema) });
    const failed: unknown = await imports(own, { flow }).catch((error: unknown) => error);
    expect(isFailure(failed) && failed.code).toBe('AEP_UNAVAILABLE');
  });

  it('by a dataset: all flows that fill it', async () => {
    const own = world();
    const ids = await byTutorial(own);
    const second = await flowByHand(own, { title: 'Second', ...ids, dataType: 'raw' });
    await byTutorial(own, { title: 'Another' });
    const { imported } = await imports(own, { dataset: ids.dataset, stream: 'customers' });
    expect(imported.map(({ flow, complete }) => [flow, complete])).toEqual([
      [ids.flow, true],
      [second.flow, true],
    ]);
  });

  it.each([
    ['a flow', (_: Ids) => ({ flow: 'none' })],
    ['a dataset', (_: Ids) => ({ dataset: '0'.repeat(24) })],
  ])('%s that is not there', async (_, asked) => {
    const own = world();
    const failed: unknown = await imports(own, asked(await byTutorial(own))).catch((error: unknown) => error);
    expect(isFailure(failed) && failed.code).toBe('AEP_NOT_FOUND');
  });

  it('a manifest too large for an answer is left out, and told', async () => {
    const own = world();
    const { flow } = await byTutorial(own);
    const { flows } = sandboxOf(own);
    const there = flows.get(flow);
    const description = 'x'.repeat(5_100_000);
    if (there !== undefined) flows.put(flow, { ...there, body: { ...there.body, name: description } });
    const found = await importsFlow(own, flow);
    expect(found.manifest).toBeUndefined();
    expect(Buffer.byteLength(JSON.stringify(found))).toBeLessThan(6_000_000);
  });
});
