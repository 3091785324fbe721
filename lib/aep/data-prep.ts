// Data Prep: mapping sets. Contract §5.
import * as z from 'zod';
import { Failure } from '../failure.ts';
import { excerpt } from './exchange.ts';
import { Id } from './id.ts';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/conversion';

/** Current and legacy names of the same things; `''` where a row has neither. Contract §5.1. */
const Row = z
  .object({
    sourceType: z.string().nullish(),
    source: z.string().nullish(),
    sourceAttribute: z.string().nullish(),
    destination: z.string().nullish(),
    destinationXdmPath: z.string().nullish(),
  })
  .transform((row) => ({
    sourceType: row.sourceType ?? '',
    source: row.source ?? row.sourceAttribute ?? '',
    destination: row.destination ?? row.destinationXdmPath ?? '',
  }));

const MappingSet = z
  .object({
    id: Id,
    version: z.coerce.number().int().default(0),
    name: z.string().nullish(),
    createdDate: z.number().nullish(),
    outputSchema: z.object({ schemaRef: z.object({ id: z.string().nullish() }).nullish() }).nullish(),
    mappings: z.array(Row).nullish(),
  })
  .transform(({ outputSchema, mappings, ...set }) => {
    const schemaId = outputSchema?.schemaRef?.id;
    return { ...set, ...(schemaId ? { schemaId } : {}), ...(mappings ? { mappings } : {}) };
  });

/** A row as it was read: `sourceType` can be one of Adobe's older words, such as `text/x.schema-path`. */
export type ReadMapping = z.infer<typeof Row>;

export interface MappingSet {
  readonly id: string;
  readonly version: number;
  readonly name?: string | null | undefined;
  /** Milliseconds since the epoch. */
  readonly createdDate?: number | null | undefined;
  readonly schemaId?: string;
  readonly mappings?: readonly ReadMapping[];
}

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

/** A fault in one mapping of a set. */
export interface MappingFault {
  /** Its index in the set, from 0; absent if the answer does not say which mapping it is about. */
  readonly row?: number;
  /** The mapping's destination, as the set or the answer has it. */
  readonly destination?: string;
  /** Data Prep's own words; they can quote the record. */
  readonly message: string;
}

/** The result of a mapping for one record. */
export interface PreviewRow {
  readonly data: unknown;
  readonly errors: MappingFault[];
}

/** Adobe does not document the form of an error. */
const Errors = z.unknown().optional();

const Validation = z.object({
  validationResponse: z.array(z.object({ status: z.string().nullish(), errors: Errors })),
});

const Preview = z.object({ data: z.unknown(), errors: Errors });

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

    /** The newest mapping sets of the sandbox, at most `limit`. They can be large, so ask for few. */
    async newestMappingSets(limit: number): Promise<MappingSet[]> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/mappingSets`,
        query: [
          ['limit', String(limit)],
          ['start', '0'],
          ['orderBy', '-createdDate'],
        ],
        answer: z.object({ data: z.array(MappingSet) }),
      });
      return value.data;
    },

    /** One mapping set in this version, or in its newest. */
    async getMappingSet(id: string, version?: number): Promise<MappingSet> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/mappingSets/${pathPart(id)}`,
        ...(version !== undefined && { query: [['version', String(version)]] }),
        answer: MappingSet,
      });
      return value;
    },

    /** Creates a mapping set. Its schema must be that of the flow's dataset (`FLOW-1425-400` otherwise). */
    async createMappingSet(set: NewMappingSet): Promise<MappingSet> {
      const { value } = await request({
        method: 'POST',
        path: `${BASE}/mappingSets`,
        body: bodyOf(set),
        placeOf: (answer) => refusedPlace(answer, set),
        answer: MappingSet,
      });
      return value;
    },

    /** The faults of a mapping set that does not exist yet: one for each mapping that fails. */
    async validateMappings(set: NewMappingSet): Promise<MappingFault[]> {
      const { value } = await request({
        method: 'POST',
        path: `${BASE}/mappingSets/validate`,
        body: bodyOf(set),
        placeOf: (answer) => refusedPlace(answer, set),
        answer: Validation,
        reads: true,
      });
      const entries = value.validationResponse;
      // Only an answer for each mapping names the mapping by its place.
      const ordered = entries.length === set.mappings.length;
      return entries.flatMap((entry, index) => faultOf(entry, set, ordered ? index : undefined));
    },

    /**
     * The results of a mapping set that does not exist yet: one row for each record, in their order.
     * @throws Failure `AEP_UNEXPECTED`, not retryable, where there are more or fewer rows than records
     */
    async previewMappings(
      set: NewMappingSet,
      records: readonly unknown[],
      read?: (text: string) => unknown,
    ): Promise<PreviewRow[]> {
      if (records.length === 0) return [];
      const { value } = await request({
        method: 'POST',
        path: `${BASE}/mappingSets/preview`,
        body: { data: records, mappingSet: bodyOf(set) },
        placeOf: (answer) => refusedPlace(answer, set),
        answer: z.union([z.array(Preview), Preview]),
        reads: true,
        ...(read && { read }),
      });
      const rows = Array.isArray(value) ? value : [value];
      if (rows.length === records.length) {
        return rows.map(({ data, errors }) => ({ data, errors: faultsOf(errors, set) }));
      }
      throw new Failure(
        'AEP_UNEXPECTED',
        `POST ${BASE}/mappingSets/preview answered with ${rows.length} rows for ${records.length} records`,
        { retryable: false },
      );
    },

    /** Deletes a mapping set. Adobe does not document this call, but its own client makes it. */
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

function bodyOf({ name, schemaId, mappings }: NewMappingSet) {
  return {
    name,
    outputSchema: {
      schemaRef: { id: schemaId, contentType: 'application/vnd.adobe.xed-full+json;version=1' },
    },
    mappings,
  };
}

/** Where a fault is, as a path: `mapping.2 (person.name.lastName)`, or `mapping` where nothing says which one. */
export function placeText({ row, destination }: Pick<MappingFault, 'row' | 'destination'>): string {
  const path = row === undefined ? 'mapping' : `mapping.${row}`;
  return destination === undefined ? path : `${path} (${destination})`;
}

/** Of a call that is refused as a whole. Adobe does not say what its answer looks like: a destination is read wherever faults have one. */
function refusedPlace(answer: unknown, set: NewMappingSet): string {
  const { errors, validationResponse } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const entries = listOf(validationResponse).map((entry) => (entry as { errors?: unknown }).errors);
  const places = [answer, ...listOf(errors), ...entries.flatMap(listOf)].flatMap((fault) => {
    const destination = namedDestination(fault);
    return destination === undefined ? [] : [placeText(placeOf(excerpt(destination, 300), set))];
  });
  return [...new Set(places)].join(', ') || 'mapping';
}

/** The fault of a mapping that fails; none for one that does not. */
function faultOf(
  entry: { status?: string | null | undefined; errors?: unknown },
  set: NewMappingSet,
  row: number | undefined,
): MappingFault[] {
  const said = messages(entry.errors);
  const fine = entry.status == null || entry.status.toUpperCase() === 'SUCCESS';
  if (fine && said.length === 0) return [];
  const place = row === undefined ? placeOf(namedDestination(entry.errors), set) : placeAt(row, set);
  return [{ ...place, message: said.join('; ') || 'refused without a reason' }];
}

/** One fault for each error. */
function faultsOf(errors: unknown, set: NewMappingSet): MappingFault[] {
  return listOf(errors).map((error) => ({
    ...placeOf(namedDestination(error), set),
    message: errorMessage(error),
  }));
}

type FaultPlace = Pick<MappingFault, 'row' | 'destination'>;

function placeAt(row: number, { mappings }: NewMappingSet): FaultPlace {
  const destination = mappings[row]?.destination;
  return destination === undefined ? {} : { row, destination };
}

/** The row of exactly this destination; none if two rows have it, since either may be meant. */
function placeOf(destination: string | undefined, { mappings }: NewMappingSet): FaultPlace {
  if (destination === undefined) return {};
  const rows = [...mappings.keys()].filter((row) => mappings[row]?.destination === destination);
  return rows.length === 1 ? { row: rows[0] ?? 0, destination } : { destination };
}

function messages(errors: unknown): string[] {
  return listOf(errors).map(errorMessage);
}

function listOf(errors: unknown): unknown[] {
  const list = Array.isArray(errors) ? errors : [errors];
  return list.filter((error) => error !== null && error !== undefined && error !== '');
}

function errorMessage(error: unknown): string {
  const said =
    textIn(error) ?? firstText(error, ['message', 'exception', 'detail', 'description', 'errorMessage']);
  return excerpt(said ?? JSON.stringify(error), 300);
}

/** The destination of an error, or of the first of several. */
function namedDestination(errors: unknown): string | undefined {
  return firstText(listOf(errors)[0], ['destination', 'columnName']);
}

function firstText(value: unknown, names: readonly string[]): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  return names.map((name) => textIn(fields[name])).find((found) => found !== undefined);
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
