// The schema in Real-Time Customer Profile: the tag `union`, which can be added but never removed.
import type { Manifest } from '../../manifest.ts';
import { type Context, idOfMade, required, type SwitchResource, tagByPlan } from './resource.ts';

const wanted = ({ schema }: Manifest): boolean => !('id' in schema) && schema.profile;

async function isInUnion(aep: Context['aep'], id: string): Promise<boolean> {
  const { 'meta:immutableTags': tags } = await aep.schemaRegistry.getSchema(id);
  return tags?.includes('union') ?? false;
}

export const profile: SwitchResource = {
  kind: 'switch',
  key: 'profile',
  of: 'schema',
  needed: wanted,

  async find({ aep }, situation) {
    const id = idOfMade(situation, 'schema');
    if (id === undefined) return [];
    const union = situation.resources.schema?.union ?? (await isInUnion(aep, id));
    return union ? [{ id, ownershipTag: tagByPlan(situation, 'profile'), differences: [] }] : [];
  },

  async create({ aep }, situation) {
    const id = required(situation, 'schema');
    const { 'meta:immutableTags': tags } = await aep.schemaRegistry.getSchema(id);
    if (tags?.includes('union')) return { id };
    await aep.schemaRegistry.patchSchema(id, [
      { op: 'add', path: '/meta:immutableTags', value: [...(tags ?? []), 'union'] },
    ]);
    return { id };
  },

  irreversible:
    'the schema joins the union schema of its class; AEP can neither take it out nor delete it again',
};
