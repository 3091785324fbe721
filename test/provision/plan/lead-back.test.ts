// Told before it is applied: whether what Experience Platform refuses later can be sent again.
import { describe, expect, it } from 'vitest';
import { world } from '../../support/provisioning.ts';
import { inletManifest, KINESIS, keep, PERSON, pulledManifest, SECRETS } from '../cases.ts';

const inlet = (records: object | undefined, mapping: object[]) =>
  inletManifest({
    source: { kind: 'inlet', stream: 'customers', data: 'raw', ...(records && { records }) },
    mapping,
  });
const NAME = { source: 'first', destination: 'person.name.firstName' };
const ID = { source: '_id', destination: '_id' };
const EXPRESSION = { expression: 'lower(${first})', destination: 'person.name.firstName' };
const byContent = expect.stringMatching(/by its content alone.*"derive": \["_id"\].*map _id to _id/);
const notAtAll = expect.stringContaining('cannot be sent again: no field is mapped unchanged');

describe('C 3: of a pipeline that maps raw data the plan says', () => {
  it.each<[string, object | undefined, object[], unknown[]]>([
    ['that a row is led back by its content', undefined, [NAME], [byContent]],
    ['the same where the _id is derived and not mapped', { derive: ['_id'] }, [NAME], [byContent]],
    ['the same where the _id is the producer’s', undefined, [ID, NAME], [byContent]],
    ['nothing where its place is in its _id', { derive: ['_id'] }, [ID, NAME], []],
    ['that nothing leads back where all is calculated', undefined, [EXPRESSION], [notAtAll]],
    ['the same where only the _id is copied', { derive: ['_id'] }, [ID, EXPRESSION], [notAtAll]],
  ])('%s', async (_, records, mapping, warnings) => {
    const own = world();
    const { document } = await own.run({ manifest: inlet(records, mapping), mode: 'plan' });
    expect(document.warnings).toEqual(warnings);
    expect(document.report?.warnings).toEqual(warnings);
  });

  it('and of none that maps nothing, or that AEP reads by itself', async () => {
    const own = world();
    keep(own, SECRETS.kinesis);
    const xdm = {
      ...inletManifest({ source: { kind: 'inlet', stream: 'customers', data: 'xdm' }, schema: PERSON }),
      mapping: undefined,
    };
    for (const manifest of [xdm, pulledManifest(KINESIS)])
      expect((await own.run({ manifest, mode: 'plan' })).document.warnings).toEqual([]);
  });
});
