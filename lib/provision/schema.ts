// The XDM schema: one class and field groups, or an existing one that the manifest names.
import { CLASSES, FIELD_GROUPS, idOf, type Manifest } from '../manifest.ts';
import { nameOf } from '../pipeline.ts';
import { describe, markInDescription } from './mark.ts';
import type { Resource } from './resource.ts';

/** The `$id`s that a manifest's schema is made of: the class first. */
function parts(manifest: Manifest): string[] {
  if ('id' in manifest.schema) return [];
  const { class: name, fieldGroups } = manifest.schema;
  return [idOf(name, CLASSES), ...fieldGroups.map((group) => idOf(group, FIELD_GROUPS))];
}

export const schema: Resource = {
  kind: 'schema',
  needed: () => true,
  given: (manifest) => ('id' in manifest.schema ? manifest.schema.id : undefined),

  async checkGiven({ aep }, id) {
    await aep.schemaRegistry.getSchema(id);
  },

  async find({ aep }, { manifest }) {
    const ids = await aep.schemaRegistry.findSchemas(nameOf('schema', manifest));
    return Promise.all(
      ids.map(async (id) => {
        const found = await aep.schemaRegistry.getSchema(id);
        const has = new Set(found.allOf?.map(({ $ref }) => $ref));
        const [own = '', ...groups] = parts(manifest);
        const missing = groups.filter((group) => !has.has(group));
        return {
          id,
          mark: markInDescription(found.description),
          differences: [
            ...(has.has(own) ? [] : [`schema.class: it is not of ${own}`]),
            ...(missing.length === 0 ? [] : [`schema.fieldGroups: it lacks ${missing.join(', ')}`]),
          ],
        };
      }),
    );
  },

  async create({ aep }, { manifest }, mark) {
    const created = await aep.schemaRegistry.createSchema({
      title: nameOf('schema', manifest),
      description: describe(mark, 'description' in manifest.schema ? manifest.schema.description : undefined),
      parts: parts(manifest),
    });
    return { id: created.$id };
  },

  remove: ({ aep }, id) => aep.schemaRegistry.deleteSchema(id),
};
