// Schema Registry: schemas of the tenant container. Contract §2.
import * as z from 'zod';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/schemaregistry';

const SchemaSummary = z.object({ $id: z.string(), title: z.string().nullish() });

const Schema = z.object({
  $id: z.string(),
  'meta:altId': z.string().nullish(),
  version: z.string().nullish(),
  title: z.string().nullish(),
  description: z.string().nullish(),
  allOf: z.array(z.object({ $ref: z.string().nullish() })).nullish(),
});

export type Schema = z.infer<typeof Schema>;

export interface NewSchema {
  readonly title: string;
  readonly description: string;
  /** `$id`s: one class, then any field groups. */
  readonly parts: readonly string[];
}

/** The registry's calls. Each throws the `Failure`s of `createRequest`. */
export function schemaRegistry(request: Request) {
  return {
    /** `$id`s of the tenant's schemas with exactly this title; at most one in a healthy sandbox. */
    async findSchemas(title: string): Promise<string[]> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/tenant/schemas`,
        query: [['property', `title==${title}`]],
        accept: 'application/vnd.adobe.xed-id+json',
        answer: z.object({ results: z.array(SchemaSummary) }),
      });
      return value.results.filter((schema) => (schema.title ?? title) === title).map(({ $id }) => $id);
    },

    /** One schema, its references unresolved, by `$id` or `meta:altId`. */
    async getSchema(id: string): Promise<Schema> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/tenant/schemas/${pathPart(id)}`,
        accept: 'application/vnd.adobe.xed+json; version=1',
        answer: Schema,
      });
      return value;
    },

    /** Creates a schema. A title in use anywhere in the registry is refused with `XDM-1521-400`. */
    async createSchema(schema: NewSchema): Promise<Schema> {
      const { value } = await request({
        method: 'POST',
        path: `${BASE}/tenant/schemas`,
        body: {
          type: 'object',
          title: schema.title,
          description: schema.description,
          allOf: schema.parts.map(($ref) => ({ $ref })),
        },
        answer: Schema,
      });
      return value;
    },

    /** Deletes a schema that nothing uses. */
    async deleteSchema(id: string): Promise<void> {
      await request({
        method: 'DELETE',
        path: `${BASE}/tenant/schemas/${pathPart(id)}`,
        answer: z.unknown(),
        repeatable: true,
      });
    },
  };
}
