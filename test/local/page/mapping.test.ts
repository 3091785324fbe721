// What rows make of a record, as the page tells it while somebody types.
import { describe, expect, it } from 'vitest';
import { mappingDetail, triedMapping, tryMapping } from '../../../local/page/areas/mapping.ts';
import { knownPipelines } from '../../../local/page/known.ts';
import { createStore } from '../../../local/page/store.ts';
import type { MappingLine } from '../../../local/page/told.ts';
import { unreadIn } from '../../../local/page/unread.ts';
import { manifestOf, succeeded, type Told, toldStack } from '../../support/watched.ts';

const SCHEMA = 'https://ns.adobe.com/acmelab/schemas/orders';

const field = (from: string, destination: string): MappingLine => ({ kind: 'field', from, destination });
const expression = (from: string, destination: string): MappingLine => ({
  kind: 'expression',
  from,
  destination,
});

/** A pipeline whose schema is there: `_id` and `name` texts, `age` a number, `_id` required. */
function stackWith(more: object = {}): Told {
  const stack = toldStack();
  const execution = succeeded(manifestOf('orders', more));
  const { resources } = execution.output as { resources: Record<string, unknown> };
  resources.schema = { id: SCHEMA, name: 'orders-schema', how: 'created' };
  stack.told.push(execution);
  const { platform } = stack.platform;
  const sandbox = platform.state.sandboxes.get('dev1') ?? [...platform.state.sandboxes.values()][0];
  sandbox?.registry.schemas.put(SCHEMA, {
    $id: SCHEMA,
    title: 'orders-schema',
    type: 'object',
    required: ['_id'],
    properties: {
      _id: { type: 'string' },
      name: { type: 'string' },
      age: { type: 'integer', maximum: 150 },
    },
  });
  if (sandbox !== undefined) platform.state.sandboxes.set('dev1', sandbox);
  return stack;
}

async function tried(record: string, rows: readonly MappingLine[], more: object = {}) {
  const stack = stackWith(more);
  const known = knownPipelines(stack.executions.all).get('orders');
  if (known === undefined) throw new Error('the pipeline is not known');
  return triedMapping(stack, known, record, rows);
}

describe('rows that somebody tries', () => {
  it('make XDM of a record, and leave out the row that cannot work', async () => {
    const told = await tried('{"id": "a", "name": "ada", "more": {"x": [1, 2]}}', [
      field('id', '_id'),
      expression('upper(name)', 'name'),
      expression('nope(name)', 'age'),
    ]);
    expect(JSON.parse(told?.xdm?.text ?? '')).toEqual({ _id: 'a', name: 'ADA' });
    expect(told?.rows).toEqual([null, null, expect.stringContaining('nope')]);
    expect(told?.unread).toEqual(['more.x']);
    expect(told?.violations).toEqual([]);
    expect(told?.lacking).toEqual([]);
  });

  it('say which required field none of them fills, and what AEP would refuse of the result', async () => {
    const rows = [field('name', 'name'), field('age', 'age')];
    const schema = { class: 'experienceevent', fieldGroups: ['profile-person-details'] };
    const told = await tried('{"name": "ada", "age": 200}', rows, { schema });
    expect(told?.lacking.join()).toMatch(/_id.*timestamp/);
    expect(told?.violations.join()).toContain('_id');
    expect(told?.violations.join()).toContain('/age');
  });

  it('say beside a row that its destination is no field of the schema', async () => {
    const told = await tried('{"id": "a"}', [field('id', '_id'), field('id', 'nowhere')]);
    expect(told?.rows).toEqual([null, expect.stringContaining("'nowhere'")]);
  });

  it.each([
    ['{"id": ', 'It is no JSON'],
    ['', 'Type a record'],
    ['[1]', 'It is rejected before it is sent: not-an-object'],
  ])('say of %j why nothing is mapped', async (record, says) => {
    const told = await tried(record, [field('id', '_id')]);
    expect(told?.says).toContain(says);
    expect(told?.xdm).toBeUndefined();
    expect(told?.rows).toEqual([null]);
  });

  it('get the record as the rules of the pipeline send it', async () => {
    const source = {
      kind: 'inlet',
      stream: 'shop',
      data: 'raw',
      records: { where: [{ field: '/type', equals: 'order' }], derive: ['_id'] },
    };
    const rows = [field('_id', '_id')];
    expect((await tried('{"type": "visit"}', rows, { source }))?.says).toContain('filter this record');
    const told = await tried('{"type": "order"}', rows, { source });
    expect(JSON.parse(told?.xdm?.text ?? '')._id).toMatch(/shardId/);
  });
});

describe('the mapping of a pipeline', () => {
  const lookedAt = (stack: Told) => ({ watched: stack, store: createStore('/nowhere') });
  const post = (body: unknown) => ({ method: 'POST', path: '', body: Buffer.from(JSON.stringify(body)) });

  it('is its rows and its samples; what is not known is not there', async () => {
    const mapping = [
      { source: 'id', destination: '_id' },
      { expression: 'upper(name)', destination: 'name' },
    ];
    const stack = stackWith({ mapping });
    const [execution] = stack.told;
    (execution?.input as { samples?: unknown }).samples = [
      { name: 'one', record: { id: 'a' }, xdm: { _id: 'a' } },
    ];
    expect(await mappingDetail(lookedAt(stack), 'orders')).toEqual({
      pipeline: 'orders',
      isRaw: true,
      isMade: true,
      rows: [
        { ...field('id', '_id'), row: 0 },
        { ...expression('upper(name)', 'name'), row: 1 },
      ],
      saving: { state: 'off' },
      records: [{ name: 'sample: one', text: '{\n  "id": "a"\n}' }],
    });
    expect(await mappingDetail(lookedAt(stack), 'another')).toBeUndefined();
  });

  it('is tried by a post alone, and refuses what is too large', async () => {
    const looked = lookedAt(stackWith());
    const asked = { pipeline: 'orders', record: '{"id": "a"}', rows: [field('id', '_id')] };
    expect(await tryMapping(looked, post(asked))).toMatchObject({ status: 200, body: { rows: [null] } });
    expect(await tryMapping(looked, post({ ...asked, record: 'x'.repeat(100_001) }))).toMatchObject({
      status: 400,
    });
    expect(await tryMapping(looked, post({ ...asked, pipeline: 'another' }))).toBeUndefined();
    expect(await tryMapping(looked, { ...post(asked), method: 'DELETE' })).toBeUndefined();
  });
});

describe('fields that no row reads', () => {
  it.each([
    ['the path itself', [field('a.b', 'x')], ['a.c', 'd']],
    ['what is above it', [field('a', 'x')], ['d']],
    ['an expression', [expression('concat(a.b, "d", \'d\')', 'x')], ['a.c', 'd']],
    ['an item of a list', [field('d[0].e', 'x')], ['a.b', 'a.c', 'd']],
  ])('are the others, by %s', (_, rows, left) => {
    expect(unreadIn({ a: { b: 1, c: 2 }, d: [3, 4] }, rows)).toEqual(left);
  });
});
