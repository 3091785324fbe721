// Data usage labels of a dataset: added by PUT at the version that was read, and never taken away.
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../lib/manifest.ts';
import { world } from '../../support/provisioning.ts';
import { actions, byHand, inletManifest, planned, position, sandboxOf, sent, type World } from '../cases.ts';

const labelled = (labels?: readonly string[], more: object = {}) =>
  inletManifest({ dataset: { ...(labels && { labels }) }, ...more });

function datasetOf(own: World) {
  const [one] = sandboxOf(own).dataSets.values();
  if (one === undefined) throw new Error('there is no dataset');
  return one;
}

const labelsOf = (own: World) => datasetOf(own).labels?.body.labels;
const onLabels = (own: World, from: number) =>
  sent(own, from).filter(({ path, method }) => path.endsWith('/labels') && method !== 'GET');

async function done(own: World, manifest: object, more: Parameters<World['run']>[1] = {}) {
  const result = await own.run({ manifest }, more);
  expect(result.cause ?? result.status).toBe('SUCCEEDED');
  return result;
}

/** What somebody in AEP's pages has set, labels of a field included. */
function byOthers(own: World, labels: string[]): void {
  const one = datasetOf(own);
  const optionalLabels = [
    { option: { id: 's', contentType: 'c', schemaPath: '/properties/_id' }, labels: ['S1'] },
  ];
  const body = { labels, optionalLabels, parents: [{ id: 's', type: 'schema', namespace: 'AEP' }] };
  sandboxOf(own).dataSets.put(one.id, { ...one, labels: { etag: `others-${labels.join('-')}`, body } });
}

describe('C: `labels`, by PUT with If-Match, never the deprecated POST', () => {
  it('a new dataset gets them, and a second run changes nothing', async () => {
    const own = world();
    await done(own, labelled(['C2', 'I1']));
    expect(labelsOf(own)).toEqual(['C2', 'I1']);
    expect(onLabels(own, 0).map(({ method }) => method)).toEqual(['PUT']);
    const from = position(own);
    const { document } = await done(own, labelled(['C2', 'I1']));
    expect(actions(document)).toMatchObject({ dataset: 'keep' });
    expect(sent(own, from).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('what others have set stays, and only what is missing is added, with the etag that was read', async () => {
    const own = world();
    await done(own, labelled());
    byOthers(own, ['C1']);
    const from = position(own);
    const plan = await own.run({ manifest: labelled(['C2', 'C1']), mode: 'plan' });
    expect(planned(plan.document, 'dataset')).toMatchObject({
      action: 'update',
      differences: [{ field: 'dataset.labels', found: 'C1', wanted: 'C2 as well' }],
    });
    await done(own, labelled(['C2', 'C1']));
    expect(datasetOf(own).labels?.body).toEqual({
      labels: ['C1', 'C2'],
      optionalLabels: [
        { option: { id: 's', contentType: 'c', schemaPath: '/properties/_id' }, labels: ['S1'] },
      ],
      parents: [{ id: 's', type: 'schema', namespace: 'AEP' }],
    });
    expect(onLabels(own, from).map(({ method }) => method)).toEqual(['PUT']);
  });

  it('a label that the manifest names twice is set once', async () => {
    const own = world();
    await done(own, labelled(['C2', 'C2']));
    expect(labelsOf(own)).toEqual(['C2']);
  });

  it('a label that the manifest names no more stays: nobody knows who needs it', async () => {
    const own = world();
    await done(own, labelled(['C2', 'I1']));
    const { document } = await done(own, labelled(['I1']));
    expect(actions(document)).toMatchObject({ dataset: 'keep' });
    await done(own, labelled());
    expect(labelsOf(own)).toEqual(['C2', 'I1']);
  });

  it('somebody who is faster loses nothing: the write is refused, and tried anew with what is there then', async () => {
    const own = world();
    await done(own, labelled(['C1']));
    let met = 0;
    await done(own, labelled(['C1', 'C2']), {
      intercept: (call, proceed) => {
        if (call.label.startsWith('PUT ') && call.label.endsWith('/labels') && met++ === 0)
          byOthers(own, ['C1', 'S2']);
        return proceed();
      },
    });
    expect(met).toBe(2);
    expect(labelsOf(own)).toEqual(['C1', 'S2', 'C2']);
  });

  it('drift tells of a label that somebody took away', async () => {
    const own = world();
    await done(own, labelled(['C2']));
    byOthers(own, []);
    const { lines } = ((await own.steps.drift?.({})) ?? {}) as unknown as { lines: string[] };
    expect(lines.join()).toMatch(/dataset: update .*dataset\.labels: found nothing, wanted C2 as well/);
  });

  it.each(['keyed', 'flat'] as const)(
    'labels are read as Adobe has them in either place: %s',
    async (variant) => {
      const own = world({ quirks: { 'dataset-labels': variant } });
      await done(own, labelled(['C2']));
      const { labels, etag } = await byHand(own).datasetService.getLabels(datasetOf(own).id);
      expect([labels, etag]).toEqual([['C2'], datasetOf(own).labels?.etag]);
    },
  );

  it('labels of fields are refused with the reason', () => {
    expect(() => parseManifest(inletManifest({ dataset: { labels: { 'person.name': ['I1'] } } }))).toThrow(
      'dataset.labels: expected a list of labels of the whole dataset; AEP has no API for labels of its fields',
    );
    expect(() => parseManifest(labelled(['C2, C1']))).toThrow(
      'dataset.labels.0: expected the name of a data usage label',
    );
  });

  it('without labels in the manifest nobody asks for them', async () => {
    const own = world();
    await done(own, labelled());
    expect(sent(own).filter(({ path }) => path.endsWith('/labels'))).toEqual([]);
  });
});
