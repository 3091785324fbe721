// A dataset's schema as the page tells it: where each field comes from, and what fills it.
import { expect, it } from 'vitest';
import { schemaDetail } from '../../../local/page/areas/schemas.ts';
import { createStore } from '../../../local/page/store.ts';
import type { SchemaField } from '../../../local/page/told.ts';
import { manifestOf, succeeded, toldStack } from '../../support/watched.ts';

const SCHEMA = 'https://ns.adobe.com/acmelab/schemas/orders';
const GROUP = 'https://ns.adobe.com/acmelab/mixins/extra';

function stackWith() {
  const stack = toldStack();
  const { state } = stack.platform.platform;
  const [sandbox] = state.sandboxes.values();
  if (sandbox === undefined) throw new Error('there is no sandbox');
  sandbox.registry.mixins.put(GROUP, {
    $id: GROUP,
    title: 'Extra',
    type: 'object',
    required: ['tags'],
    properties: {
      tags: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
    },
  });
  sandbox.registry.schemas.put(SCHEMA, {
    $id: SCHEMA,
    title: 'Orders',
    type: 'object',
    allOf: [{ $ref: 'https://ns.adobe.com/xdm/context/profile' }, { $ref: GROUP }],
    properties: { own: { type: 'boolean' } },
  });
  sandbox.dataSets.put('orders-dataset', {
    id: 'orders-dataset',
    body: { schemaRef: { id: SCHEMA } },
  } as never);
  const mapping = [
    { source: 'id', destination: '_id' },
    { expression: 'upper(tag)', destination: 'tags[*].name' },
  ];
  stack.told.push(succeeded(manifestOf('orders', { mapping })));
  return { watched: stack, store: createStore('/nowhere') };
}

it('has each field with its type, the part it comes from and what fills it', () => {
  const told = schemaDetail(stackWith(), 'orders-dataset');
  const field = (name: string) => told?.fields.find((one) => one.name === name) as SchemaField;
  expect(told?.title).toBe('Orders');
  expect(field('_id')).toMatchObject({
    type: 'string',
    filledBy: ['id'],
    from: expect.stringMatching(/^class /),
  });
  expect(field('own')).toMatchObject({ type: 'boolean', from: 'the schema itself', filledBy: [] });
  expect(field('tags')).toMatchObject({
    type: 'list of object',
    isRequired: true,
    from: 'own field group Extra',
    filledBy: [],
    fields: [{ name: 'name', type: 'string', from: 'own field group Extra', filledBy: ['upper(tag)'] }],
  });
});

it('is not there for a dataset that is not', () => {
  expect(schemaDetail(stackWith(), 'another')).toBeUndefined();
});
