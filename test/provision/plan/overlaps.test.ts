// A plan over several pipelines of one stream: which of them take the same records, and which records none takes.
import { describe, expect, it } from 'vitest';
import { world } from '../../support/provisioning.ts';
import { inletManifest } from '../cases.ts';

type World = ReturnType<typeof world>;
type Asked = { readonly where?: object[]; readonly source?: object };

const manifest = (name: string, { where, source = {} }: Asked = {}) =>
  inletManifest({
    name,
    source: {
      kind: 'inlet',
      stream: 'customers',
      data: 'raw',
      ...(where && { records: { where } }),
      ...source,
    },
  });

const type = (...oneOf: string[]) => ({ field: '/type', oneOf });
const sample = (record: object | string, name?: string) => ({ record, xdm: {}, ...(name && { name }) });

async function apply(own: World, ...asked: object[]) {
  for (const one of asked) expect((await own.run({ manifest: one })).status).toBe('SUCCEEDED');
}

async function said(own: World, asked: object, samples?: object[]) {
  const run = await own.run({ manifest: asked, mode: 'plan', ...(samples && { samples }) });
  expect(run.cause ?? run.status).toBe('SUCCEEDED');
  return run.document.plan.find(({ resource }) => resource === 'publish')?.reason ?? '';
}

describe('issue 14 A 5: plan tells overlaps and gaps', () => {
  it('says which pipelines have no where, and so take every record', async () => {
    const own = world();
    await apply(own, manifest('one'), manifest('two', { where: [type('order')] }));
    const joins = await said(own, manifest('three'));
    expect(joins).toContain('; three, one have no source.records.where and take every record');
    expect(joins).not.toContain('none of them takes');
    const again = await said(own, manifest('two', { where: [type('order')] }));
    expect(again).toMatch(/^published by /);
    expect(again).toContain('; one has no source.records.where and takes every record');
  });

  it('says which have the same where, in whatever order, and that there is a rest', async () => {
    const own = world();
    const where = [type('order'), { field: '/test', exists: false }];
    const unrouted = 'keep';
    await apply(own, manifest('one', { where, source: { unrouted, records: { where } } }));
    const same = where.toReversed();
    const joins = await said(own, manifest('two', { source: { unrouted, records: { where: same } } }));
    expect(joins).toContain(
      'two has the same source.records.where as one: a record of one goes to the others',
    );
    expect(joins).toContain('a record that none of them takes is kept as a reject (unrouted)');
    const other = await said(own, manifest('two', { source: { unrouted, records: { where: [type('x')] } } }));
    expect(other).not.toContain('the same');
    expect(other).toContain('each takes what meets its own source.records.where');
  });

  it('says nothing of it where a stream has one pipeline', async () => {
    const own = world();
    const asked = manifest('one', { where: [type('order')] });
    expect(await said(own, asked, [sample({ type: 'x' })])).toBe('this stream carries no pipeline yet');
    await apply(own, asked);
    expect(await said(own, asked, [sample({ type: 'x' })])).toMatch(/^published by [^;]*$/);
  });

  it('counts how many of the samples go where', async () => {
    const own = world();
    const high = { field: '/amount', greaterThan: 0.1 };
    await apply(own, manifest('one', { where: [type('order')] }), manifest('two', { where: [high] }));
    const joins = await said(own, manifest('three', { where: [type('order', 'visit')] }), [
      sample({ type: 'order' }, 'an order'),
      sample({ type: 'visit' }),
      sample('{"type": "click", "amount": 0.10000000000000000001}'),
      sample({ type: 'click' }, 'a click'),
    ]);
    expect(joins).toContain(
      '; of 4 samples three takes 2, one takes 1, two takes 1; more than one takes an order (three, one); none takes a click',
    );
  });

  it.each([
    ['what a format takes out', { format: 'json-array' }],
    ['a selected part', { records: { select: '/a' } }],
    ['what is left of a redacted record', { records: { redact: [{ field: '/a', action: 'drop' }] } }],
  ])('does not take %s for a record of the stream', async (_, source) => {
    const own = world();
    const format = 'format' in source ? source : {};
    await apply(own, manifest('one', { source: format }));
    const joins = await said(own, manifest('two', { source }), [sample({ type: 'order' })]);
    expect(joins).toContain('take every record');
    expect(joins).not.toContain('sample');
  });

  it('a pipeline that cannot be read is named, and no gap is told', async () => {
    const own = world();
    await apply(own, manifest('one', { where: [type('a')] }), manifest('two', { where: [type('b')] }));
    own.secrets.rewrite('penstock/dev/streams/customers/one', '{"version": 1}');
    own.secrets.values.delete('penstock/dev/streams/customers/two');
    const joins = await said(own, manifest('three', { where: [type('c')] }), [sample({ type: 'd' })]);
    expect(joins).toContain('; what one, two takes is not known');
    expect(joins).not.toMatch(/none/);
  });

  it('the text of sixteen pipelines and fifty samples has a bound, and keeps its end', async () => {
    const own = world();
    await apply(own, manifest('one'));
    const { value, version } = await own.routes.read('customers');
    const list = value as { routes: Record<string, object> };
    const names = Array.from({ length: 14 }, (_, n) => `other-${n}`);
    const document = own.secrets.values.get('penstock/dev/streams/customers/one') ?? '';
    for (const name of names)
      own.secrets.values.set(
        `penstock/dev/streams/customers/${name}`,
        document.replace('"one"', `"${name}"`),
      );
    const routes = { ...list.routes, ...Object.fromEntries(names.map((name) => [name, { revision: 'x' }])) };
    await own.routes.write('customers', { ...list, routes }, version);
    const samples = Array.from({ length: 50 }, (_, n) => sample({ type: 'order' }, `${n} ${'y'.repeat(90)}`));
    const joins = await said(own, manifest('last'), samples);
    expect(joins).toContain(' and 11 more have no source.records.where and take every record');
    expect(joins).toContain('; of 50 samples last takes 50, one takes 50, ');
    expect(joins).toMatch(/ and 45 more$/);
    expect(Buffer.byteLength(joins)).toBeLessThanOrEqual(1_500);
  });
});
