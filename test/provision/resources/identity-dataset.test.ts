// The identity dataset: made, found again, adopted, kept as it must be, undone and retired like any other resource; or checked where it is given.
import { describe, expect, it } from 'vitest';
import { createForward } from '../../../lib/forward/forward.ts';
import type { Planned } from '../../../lib/pipeline.ts';
import type { Drift } from '../../../lib/provision/plan/drift.ts';
import { tagInTags } from '../../../lib/provision/resources/ownership-tag.ts';
import { inFull } from '../../../lib/provision/resources/resource.ts';
import { kinesisEvent } from '../../support/forwarding.ts';
import { memoryMarks } from '../../support/marks.ts';
import { world } from '../../support/provisioning.ts';
import {
  actions,
  byHand,
  changes,
  FIRST,
  PUBLISHED,
  planned,
  position,
  richManifest,
  sandboxOf,
  type World,
} from '../cases.ts';

const NAME = 'people-identities';
const TAGS = {
  unifiedProfile: ['enabled:false'],
  unifiedIdentity: ['enabled:true'],
  acp_validationContext: ['disabled'],
};

const linking = (id?: string, more: object = {}) =>
  richManifest({
    name: 'people',
    source: {
      kind: 'inlet',
      stream: 'customers',
      data: 'raw',
      records: {
        operations: { data: 'merge', identity: 'create', ...(id !== undefined && { identityDatasetId: id }) },
      },
    },
    ...more,
  });
const PLAIN = richManifest({ name: 'people' });

const dataSets = (own: World) => sandboxOf(own).dataSets;
const identityOf = (own: World) =>
  dataSets(own)
    .values()
    .find(({ body }) => body.name === NAME);
const published = (own: World) => JSON.parse(own.secrets.values.get(PUBLISHED) ?? '{}');

async function applied(manifest: object = linking()) {
  const own = world();
  const { status, cause, document } = await own.run({ manifest });
  expect(cause ?? status).toBe('SUCCEEDED');
  return { own, document };
}

const drift = async (own: World) => (await own.steps.drift?.({})) as unknown as Drift;

const looked = async (own: World, manifest: object = linking()) => {
  const { document } = await own.run({ manifest, mode: 'plan' });
  return planned(document, 'identity-dataset');
};

/** What an entry of the plan says, with its differences. */
const said = (one: Planned | undefined) => inFull(one?.reason ?? '', one?.differences ?? []);

/** Other tags, as somebody in AEP would have set them. */
function retag(own: World, tags: object): void {
  const one = identityOf(own);
  if (one === undefined) throw new Error('there is no identity dataset');
  const all = { ...(one.body.tags as Record<string, string[]>), ...tags };
  dataSets(own).put(one.id, { ...one, revision: one.revision + 1, body: { ...one.body, tags: all } });
}

describe('A 6: a pipeline that links identities and names no dataset for them', () => {
  it('has one made: of the same schema, for Identity, outside Profile, not validated, and ours', async () => {
    const { own, document } = await applied();
    const made = identityOf(own);
    expect(document.resources['identity-dataset']).toMatchObject({
      id: made?.id,
      name: NAME,
      how: 'created',
    });
    expect(made?.id).not.toBe(document.resources.dataset?.id);
    expect(made?.body.schemaRef).toMatchObject({ id: document.resources.schema?.id });
    expect(made?.body.tags).toMatchObject(TAGS);
    expect(tagInTags(made?.body.tags as Record<string, unknown>)).toMatchObject({
      pipeline: 'people',
      execution: FIRST,
    });
    expect(published(own)).toMatchObject({
      datasetId: document.resources.dataset?.id,
      identityDatasetId: made?.id,
    });
  });

  it('by the plan, which does nothing, and once', async () => {
    const own = world();
    expect(await looked(own)).toMatchObject({ action: 'create', name: NAME });
    expect(dataSets(own).size).toBe(0);
    await own.run({ manifest: linking() });
    expect(await looked(own)).toMatchObject({ action: 'keep', id: identityOf(own)?.id });
    const from = position(own);
    const { document } = await own.run({ manifest: linking() });
    expect([changes(own, from), document.published]).toEqual([[], 'kept']);
    expect(dataSets(own).size).toBe(2);
  });

  it('under another name, where the manifest gives one; not under that of its data', async () => {
    const own = world();
    await own.run({ manifest: linking(undefined, { names: { identityDataset: 'Links of people' } }) });
    expect(
      dataSets(own)
        .values()
        .map(({ body }) => body.name),
    ).toEqual(['Members', 'Links of people']);
    const refused = await world().run({
      manifest: linking(undefined, { names: { identityDataset: 'Members' } }),
    });
    expect(refused.cause).toContain('names.identityDataset: is the name of the dataset as well');
  });

  it('none, where no operation links any', async () => {
    const { own, document } = await applied(PLAIN);
    expect([actions(document)['identity-dataset'], dataSets(own).size]).toEqual(['none', 1]);
    expect(published(own)).not.toHaveProperty('identityDatasetId');
  });

  it('found again where its answer was lost, or its step died', async () => {
    const own = world();
    const { status } = await own.run({ manifest: linking() }, { kill: 'identityDataset' });
    expect(status).toBe('SUCCEEDED');
    expect(dataSets(own).size).toBe(2);
  });

  it('gets it when it begins to link, without a new flow, and is published anew', async () => {
    const { own, document } = await applied(PLAIN);
    const { document: after, status } = await own.run({ manifest: linking() });
    expect([status, after.resources.flow?.id]).toEqual(['SUCCEEDED', document.resources.flow?.id]);
    expect(published(own).identityDatasetId).toBe(identityOf(own)?.id);
  });
});

describe('A 6: what the forwarder sends', () => {
  it('names the identity dataset that was made, and the platform links the identities', async () => {
    const { own } = await applied();
    const headers: unknown[] = [];
    const forward = createForward({
      ...own.runtime,
      marks: memoryMarks(),
      fetch: (url, init) => {
        if (url.includes('/collection/'))
          headers.push(
            ...JSON.parse(Buffer.from(init.body as Uint8Array).toString()).messages.map(
              (one: { header: object }) => one.header,
            ),
          );
        return own.runtime.fetch(url, init);
      },
      deadLetters: { put: async ({ entries }) => ({ key: 'k', entries: entries.length }) },
      metrics: { count: () => undefined, measure: () => undefined, flush: () => undefined },
    });
    const event = kinesisEvent(['{"id":"1","first":"Ana","email":"ana@example.com"}']);
    const remaining = { remainingMs: () => 60_000, invocationId: 'i' };
    expect(await forward(event, remaining)).toEqual({ batchItemFailures: [] });
    await own.platform.idle();
    expect(headers).toMatchObject([
      {
        datasetId: published(own).datasetId,
        operations: { data: 'merge', identity: 'create', identityDatasetId: identityOf(own)?.id },
      },
    ]);
    expect(own.platform.state.counts).toMatchObject({ profileOnly: 1, linked: 1, lost: 0 });
  });
});

describe('A 6: an identity dataset that is not as it must be any more', () => {
  it.each<[string, object, string]>([
    ['in Profile', { unifiedProfile: ['enabled:true'] }, 'tag unifiedProfile'],
    ['without Identity', { unifiedIdentity: ['enabled:false'] }, 'tag unifiedIdentity'],
    ['validated', { acp_validationContext: ['enabled'] }, 'tag acp_validationContext'],
  ])('%s: drift says so, and the next execution puts it right', async (_, tags, field) => {
    const { own } = await applied();
    retag(own, tags);
    const { lines } = await drift(own);
    expect(lines).toEqual([expect.stringMatching(/^people: identity-dataset: update /)]);
    expect(lines[0]).toContain(field);
    const { document } = await own.run({ manifest: linking() });
    expect(document.resources['identity-dataset']?.how).toBe('updated');
    expect(identityOf(own)?.body.tags).toMatchObject(TAGS);
    expect(await drift(own)).toMatchObject({ moved: 0 });
  });

  it('is gone: drift says so, another one is made, and the forwarder is told of it', async () => {
    const { own } = await applied();
    const before = identityOf(own)?.id ?? '';
    dataSets(own).remove(before);
    const { lines } = await drift(own);
    expect(lines[0]).toContain('identity-dataset: create');
    expect(lines[0]).toContain('publish: update');
    await own.run({ manifest: linking() });
    expect(published(own).identityDatasetId).toBe(identityOf(own)?.id);
    expect(identityOf(own)?.id).not.toBe(before);
  });
});

describe('A 6: an identity dataset of that name that was made by hand', () => {
  async function withHandmade(tags: Record<string, string[]>) {
    const { own, document } = await applied(PLAIN);
    const schemaId = document.resources.schema?.id ?? '';
    const id = await byHand(own).catalog.createDataset({ name: NAME, description: '', schemaId, tags });
    return { own, id };
  }

  it('is not touched unasked, and taken over where it is what is wanted', async () => {
    const { own, id } = await withHandmade(TAGS);
    expect(await looked(own)).toMatchObject({ action: 'conflict', id });
    const { document } = await own.run({ manifest: linking(undefined, { adopt: true }) });
    expect(document.resources['identity-dataset']).toMatchObject({ id, how: 'adopted' });
    expect(tagInTags(identityOf(own)?.body.tags as Record<string, unknown>)).toMatchObject({
      pipeline: 'people',
      adopted: true,
    });
  });

  it('is not taken over where it is in Profile', async () => {
    const { own, id } = await withHandmade({ ...TAGS, unifiedProfile: ['enabled:true'] });
    const one = await looked(own, linking(undefined, { adopt: true }));
    expect(one).toMatchObject({ action: 'conflict', id });
    expect(said(one)).toContain('tag unifiedProfile: found enabled:true, wanted enabled:false');
  });
});

describe('A 6: an identity dataset that the manifest names', () => {
  async function named(tags: Record<string, string[]>, schema?: string) {
    const { own, document } = await applied(PLAIN);
    const schemaId = schema ?? document.resources.schema?.id ?? '';
    const id = await byHand(own).catalog.createDataset({ name: 'Theirs', description: '', schemaId, tags });
    return { own, id, document };
  }
  const AT = 'source.records.operations.identityDatasetId';

  it('is used as it is, never changed, and no other one is made', async () => {
    const { own, id } = await named(TAGS);
    const from = position(own);
    const { document, status } = await own.run({ manifest: linking(id) });
    expect(status).toBe('SUCCEEDED');
    expect(document.resources['identity-dataset']).toMatchObject({ id, how: 'given' });
    expect(changes(own, from)).toEqual([]);
    expect(published(own).identityDatasetId).toBe(id);
    await own.run({ manifest: linking(id), mode: 'retire', deleteData: true });
    expect(dataSets(own).get(id)?.body.name).toBe('Theirs');
  });

  it.each<[string, Record<string, string[]>, string]>([
    [
      'in Profile',
      { ...TAGS, unifiedProfile: ['enabled:true'] },
      'tag unifiedProfile: found enabled:true, wanted enabled:false',
    ],
    [
      'without Identity',
      { ...TAGS, unifiedIdentity: [] },
      'tag unifiedIdentity: found nothing, wanted enabled:true',
    ],
    [
      'validated',
      { ...TAGS, acp_validationContext: [] },
      'tag acp_validationContext: found nothing, wanted disabled',
    ],
  ])(
    'is refused by the plan where it is %s, with the path, what was found and what is wanted',
    async (_, tags, text) => {
      const { own, id } = await named(tags);
      const one = await looked(own, linking(id));
      expect(one).toMatchObject({ action: 'conflict', id });
      expect(said(one)).toContain(`${AT}: ${text}`);
      const from = position(own);
      const { error } = await own.run({ manifest: linking(id) });
      expect([error, changes(own, from)]).toEqual(['Penstock.Conflict', []]);
    },
  );

  it('is refused where it is of another schema, is that of the data, or is not there', async () => {
    const other = world();
    const { own, document } = await named(TAGS);
    const schemas = sandboxOf(own).registry.schemas;
    const copy = {
      ...schemas.values()[0],
      $id: 'https://ns.adobe.com/acmelab/schemas/other',
      title: 'Other',
    };
    schemas.put(copy.$id, copy);
    const id = await byHand(own).catalog.createDataset({
      name: 'Of another',
      description: '',
      schemaId: copy.$id,
      tags: TAGS,
    });
    expect(said(await looked(own, linking(id)))).toContain(`${AT}: schema: found ${copy.$id}, wanted`);
    const data = document.resources.dataset?.id ?? '';
    expect(said(await looked(own, linking(data)))).toContain(`wanted another than that of the data`);
    const { cause } = await other.run({ manifest: linking('69a1f3c27be5a40c1d2e3f40'), mode: 'plan' });
    expect(cause).toContain('AEP_NOT_FOUND');
  });
});

describe('A 6: an existing schema under operations', () => {
  async function over(change: (own: World, schemaId: string) => void, mapping?: object[]) {
    const { own, document } = await applied(PLAIN);
    const id = document.resources.schema?.id ?? '';
    change(own, id);
    const manifest = linking(undefined, {
      name: 'others',
      schema: { id },
      names: {},
      dataset: { name: 'Others', profile: true, upsert: true },
      ...(mapping && { mapping }),
    });
    const { document: plan } = await own.run({ manifest, mode: 'plan' });
    return planned(plan, 'schema');
  }
  const descriptors = (own: World) => sandboxOf(own).descriptors;

  it('is used where its primary identity is mapped', async () => {
    expect(await over(() => undefined)).toMatchObject({ action: 'keep' });
  });

  it.each<[string, (own: World, id: string) => void, object[] | undefined, string]>([
    [
      'a primary identity that nothing is mapped to',
      () => undefined,
      [{ source: 'id', destination: '_id' }],
      'primary identity: found /personalEmail/address, wanted one that a mapping leads to, for the operations',
    ],
    [
      'none at all',
      (own) => {
        for (const one of descriptors(own).values()) descriptors(own).remove(String(one['@id']));
      },
      undefined,
      'primary identity: found nothing, wanted one, and a mapping to it, for the operations; or a mapping to identityMap',
    ],
    [
      'not in Profile',
      (own, id) => {
        const { schemas } = sandboxOf(own).registry;
        const { 'meta:immutableTags': _, ...body } = schemas.get(id) ?? {};
        schemas.put(id, body);
      },
      undefined,
      'in Profile: found no, wanted yes, for the operations',
    ],
  ])('is refused with %s', async (_, change, mapping, text) => {
    const one = await over(change, mapping);
    expect(one?.action).toBe('conflict');
    expect(said(one)).toContain(text);
  });
});

describe('A 6: the identity dataset goes', () => {
  it('when the execution that made it is undone, before the dataset of the data', async () => {
    const own = world();
    const { error, cause } = await own.run(
      { manifest: linking() },
      { fail: { targetConnection: 'PermanentFailure' } },
    );
    expect(error).toBe('Penstock.RolledBack');
    expect(identityOf(own)).toBeUndefined();
    expect(cause).toMatch(/Undone: [^.]*identity-dataset \w+, dataset \w+/);
  });

  it('never while the published pipeline names it, whatever its ownership tag says', async () => {
    const { own } = await applied();
    const { id } = identityOf(own) ?? {};
    const ownershipTag = `second@${new Date(own.time.now).toISOString()}`;
    retag(own, { penstock: ['pipeline:people', `execution:${ownershipTag}`] });
    const mapping = [
      ...(linking().mapping as object[]),
      { source: 'last', destination: 'person.name.lastName' },
    ];
    const { error, cause } = await own.run(
      { manifest: linking(undefined, { mapping }) },
      { name: 'second', fail: { verify: 'PermanentFailure' } },
    );
    expect([error, identityOf(own)?.id]).toEqual(['Penstock.RolledBack', id]);
    expect(cause).toContain(`identity-dataset ${id} (the pipeline in service needs it)`);
  });

  it('when the pipeline is retired with its data, and stays otherwise', async () => {
    const { own } = await applied();
    const kept = await own.run({ manifest: linking(), mode: 'retire' });
    expect(planned(kept.document, 'identity-dataset')).toMatchObject({ action: 'keep' });
    expect(identityOf(own)).toBeDefined();
    await own.run({ manifest: linking(), mode: 'retire', deleteData: true });
    expect(identityOf(own)).toBeUndefined();
  });

  it('also where the manifest has come to link none, or to name another one', async () => {
    for (const manifest of [PLAIN, 'named'] as const) {
      const { own, document } = await applied();
      const schemaId = document.resources.schema?.id ?? '';
      const id = await byHand(own).catalog.createDataset({
        name: 'Theirs',
        description: '',
        schemaId,
        tags: TAGS,
      });
      const now = manifest === 'named' ? linking(id) : manifest;
      expect((await own.run({ manifest: now })).status).toBe('SUCCEEDED');
      expect(identityOf(own)).toBeDefined();
      await own.run({ manifest: now, mode: 'retire', deleteData: true });
      expect(
        dataSets(own)
          .values()
          .map(({ body }) => body.name),
      ).toEqual(['Theirs']);
    }
  });
});
