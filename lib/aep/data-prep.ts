// Data Prep: mapping sets. Contract §5.
import * as z from 'zod';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/conversion';

const MappingSet = z.object({
  id: z.string(),
  version: z.coerce.number().int().default(0),
  name: z.string().nullish(),
  createdDate: z.number().nullish(),
});

export type MappingSet = z.infer<typeof MappingSet>;

export interface Mapping {
  readonly sourceType: 'ATTRIBUTE' | 'EXPRESSION';
  /** A path in the record, or a calculated field of at most 4096 characters. */
  readonly source: string;
  /** An XDM path, e.g. `person.name.firstName`. */
  readonly destination: string;
}

export interface NewMappingSet {
  readonly name: string;
  readonly schemaId: string;
  readonly mappings: readonly Mapping[];
}

/** Data Prep's calls. Each throws the `Failure`s of `createRequest`. */
export function dataPrep(request: Request) {
  return {
    /** The mapping sets of exactly this name: names are not unique. */
    async findMappingSets(name: string): Promise<MappingSet[]> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/mappingSets`,
        query: [
          ['name', name],
          ['limit', '100'],
          ['start', '0'],
        ],
        answer: z.object({ data: z.array(MappingSet) }),
      });
      return value.data.filter((set) => set.name === name);
    },

    /** Creates a mapping set; the schema must be that of the flow's dataset (`FLOW-1425-400` otherwise). */
    async createMappingSet(set: NewMappingSet): Promise<MappingSet> {
      const { value } = await request({
        method: 'POST',
        path: `${BASE}/mappingSets`,
        body: {
          name: set.name,
          outputSchema: {
            schemaRef: { id: set.schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
          },
          mappings: set.mappings,
        },
        answer: MappingSet,
      });
      return value;
    },

    /** Deletes a mapping set: a call Adobe does not document, but its own client makes. */
    async deleteMappingSet(id: string): Promise<void> {
      await request({
        method: 'DELETE',
        path: `${BASE}/mappingSets/${pathPart(id)}`,
        answer: z.unknown(),
        repeatable: true,
      });
    },
  };
}
