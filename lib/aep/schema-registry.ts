// Schema Registry: schemas, field groups and identity descriptors of the tenant container. Contract §2.
import * as z from 'zod';
import { Failure } from '../failure.ts';
import { excerpt } from './exchange.ts';
import { Id, UriId } from './id.ts';
import type { PatchOperation } from './json-patch.ts';
import { everyItem, partOfLink } from './pages.ts';
import { pathPart, type Request } from './request.ts';

const BASE = '/data/foundation/schemaregistry';
const DESCRIPTORS = `${BASE}/tenant/descriptors`;

/** Characters that may stand in a path and in a field's name; the tenant's id becomes both. */
const TENANT_ID = /^[A-Za-z0-9_-]{1,64}$/;

const Summary = z.object({ $id: UriId, title: z.string().nullish() });

const Summaries = z.object({
  results: z.array(Summary),
  _page: z
    .object({ next: z.union([z.string(), z.number()]).nullish() })
    .nullish()
    .catch(undefined),
});

const SchemaParts = z.array(z.object({ $ref: z.string().nullish() })).nullish();

/** Milliseconds since the epoch. */
const Metadata = z
  .object({ 'repo:createdDate': z.number().nullish(), 'repo:lastModifiedDate': z.number().nullish() })
  .nullish();

/** What it is made from, behaviors included. Anyone may write into it; only texts are read. */
const Extends = z.array(z.string()).nullish().catch(undefined);

/** What is written in the resource itself. If it cannot be read, nothing is known of it. */
const OwnMembers = z.record(z.string(), z.unknown()).nullish().catch(undefined);

const ReadPart = z.object({ $id: UriId, 'meta:extends': Extends });

const Schema = z.object({
  $id: UriId,
  'meta:altId': z.string().nullish(),
  'meta:extends': Extends,
  'meta:class': z.string().nullish(),
  'meta:immutableTags': z.array(z.string()).nullish(),
  'meta:registryMetadata': Metadata,
  version: z.string().nullish(),
  title: z.string().nullish(),
  description: z.string().nullish(),
  allOf: SchemaParts,
  /** Fields of the schema itself, beside those of its parts. */
  properties: OwnMembers,
  definitions: OwnMembers,
});

/** A field with those below it, in the items of an array as well. If it cannot be read, nothing is known of it. */
const SchemaFields = z
  .object({
    type: z.string().optional().catch(undefined),
    get properties(): z.ZodOptional<z.ZodType<Readonly<Record<string, SchemaFields>>>> {
      return z.record(z.string(), SchemaFields).catch({}).optional();
    },
    get items(): z.ZodOptional<z.ZodType<SchemaFields>> {
      return SchemaFields.optional();
    },
  })
  .catch({});

export interface SchemaFields {
  readonly type?: string | undefined;
  readonly properties?: Readonly<Record<string, SchemaFields>> | undefined;
  /** Of an array, what each of its items is. */
  readonly items?: SchemaFields | undefined;
}

const FieldGroup = z.object({
  $id: UriId,
  title: z.string().nullish(),
  description: z.string().nullish(),
  'meta:intendedToExtend': z.array(z.string()).nullish(),
  'meta:registryMetadata': Metadata,
  definitions: z.record(z.string(), z.unknown()).nullish(),
  allOf: SchemaParts,
  properties: OwnMembers,
});

const Descriptor = z.object({
  '@id': Id,
  'xdm:sourceSchema': z.string(),
  'xdm:sourceProperty': z.string(),
  'xdm:namespace': z.union([z.string(), z.number()]).transform(String),
  'xdm:isPrimary': z.boolean().nullish(),
});

export type Schema = z.infer<typeof Schema>;
export type FieldGroup = z.infer<typeof FieldGroup>;

export interface NewSchema {
  readonly title: string;
  readonly description: string;
  /** `$id`s: one class, then any field groups. */
  readonly parts: readonly string[];
}

export interface NewFieldGroup {
  readonly title: string;
  readonly description: string;
  /** `$id`s of the classes it may extend. */
  readonly classes: readonly string[];
  /** The tenant's id, without the underscore. */
  readonly tenant: string;
  /** Fields as JSON Schema; AEP puts them below `_{tenant}`. */
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface NewIdentityDescriptor {
  /** `$id` of the schema. */
  readonly schemaId: string;
  /** A field: `/workEmail/address`. */
  readonly property: string;
  /** A namespace's code, or its numeric id if the descriptor was made with that. */
  readonly namespace: string;
  readonly primary: boolean;
}

export interface IdentityDescriptor extends NewIdentityDescriptor {
  readonly id: string;
}

/** The registry's calls. Each throws the `Failure`s of `createRequest`. */
export function schemaRegistry(request: Request) {
  async function find(kind: Kind, title: string): Promise<string[]> {
    const page = async (start: string | undefined) => {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/tenant/${kind}`,
        query: [['property', `title==${title}`], ...(start === undefined ? [] : [['start', start] as const])],
        accept: 'application/vnd.adobe.xed-id+json',
        answer: Summaries,
      });
      return { items: value.results, next: nextStart(value._page?.next) };
    };
    const all = await everyItem(`/tenant/${kind}`, ({ $id }) => $id, page);
    return all.filter((found) => (found.title ?? title) === title).map(({ $id }) => $id);
  }

  async function get<T>(kind: Kind, id: string, answer: z.ZodType<T>, container?: Container): Promise<T> {
    const accept = 'application/vnd.adobe.xed+json; version=1';
    const { value } = await request({
      method: 'GET',
      path: resourcePath(kind, id, container),
      accept,
      answer,
    });
    return value;
  }

  async function create<T>(kind: Kind, body: unknown, answer: z.ZodType<T>): Promise<T> {
    const { value } = await request({ method: 'POST', path: `${BASE}/tenant/${kind}`, body, answer });
    return value;
  }

  /** A JSON Patch. Unlike in other services, it is sent as plain JSON. Contract §2.5. */
  async function patch<T>(
    kind: Kind,
    id: string,
    operations: readonly PatchOperation[],
    answer: z.ZodType<T>,
  ): Promise<T> {
    const { value } = await request({
      method: 'PATCH',
      path: resourcePath(kind, id),
      body: operations,
      answer,
    });
    return value;
  }

  async function remove(path: string): Promise<void> {
    await request({ method: 'DELETE', path, answer: z.unknown(), repeatable: true });
  }

  return {
    /**
     * The tenant's id, `acmelab`: its own fields lie below `_acmelab`. Contract §2.3.
     * @throws Failure `AEP_UNEXPECTED`, not retryable, where it is not made of 1 to 64 of `A–Z a–z 0–9 _ -`
     */
    async tenantId(): Promise<string> {
      const answer = z.object({ tenantId: z.string() });
      const { value } = await request({ method: 'GET', path: `${BASE}/stats`, answer });
      if (TENANT_ID.test(value.tenantId)) return value.tenantId;
      throw new Failure('AEP_UNEXPECTED', `"${excerpt(value.tenantId, 80)}" cannot be the id of a tenant`, {
        retryable: false,
      });
    },

    /** `$id`s of the tenant's schemas with exactly this title; normally at most one. */
    findSchemas: (title: string): Promise<string[]> => find('schemas', title),
    /** One schema with unresolved references, by `$id` or `meta:altId`. */
    getSchema: (id: string): Promise<Schema> => get('schemas', id, Schema),
    /** All fields of a schema with those of its class and field groups. Only types are read. */
    async getFields(id: string): Promise<SchemaFields> {
      const accept = 'application/vnd.adobe.xed-full+json; version=1';
      const { value } = await request({
        method: 'GET',
        path: resourcePath('schemas', id),
        accept,
        answer: SchemaFields,
      });
      return value;
    },
    /** Creates a schema. A title in use anywhere in the registry is refused with `XDM-1521-400`. */
    createSchema: (schema: NewSchema): Promise<Schema> => create('schemas', schemaBody(schema), Schema),
    /**
     * Changes a schema. It has no etag, so the last write wins. A schema in use can only grow. The union tag cannot
     * be removed; without an identity it is refused with `XDM-1528-400`.
     */
    patchSchema: (id: string, operations: readonly PatchOperation[]): Promise<Schema> =>
      patch('schemas', id, operations, Schema),
    /** Deletes a schema that nothing uses. */
    deleteSchema: (id: string): Promise<void> => remove(resourcePath('schemas', id)),

    /** `$id`s of the tenant's field groups with exactly this title. */
    findFieldGroups: (title: string): Promise<string[]> => find('fieldgroups', title),
    /** One field group with unresolved references, by `$id` or `meta:altId`. */
    getFieldGroup: (id: string): Promise<FieldGroup> => get('fieldgroups', id, FieldGroup),
    /** Creates a field group. Titles are shared with schemas: one in use is refused with `XDM-1521-400`. */
    createFieldGroup: (group: NewFieldGroup): Promise<FieldGroup> =>
      create('fieldgroups', fieldGroupBody(group), FieldGroup),
    /** Changes a field group. If a schema in use has it, it can only grow. */
    patchFieldGroup: (id: string, operations: readonly PatchOperation[]): Promise<FieldGroup> =>
      patch('fieldgroups', id, operations, FieldGroup),
    /** Deletes a field group that no schema has. */
    deleteFieldGroup: (id: string): Promise<void> => remove(resourcePath('fieldgroups', id)),

    /**
     * `$id`s of the tenant's schemas that have this class or field group. Adobe's own Web SDK extension asks so
     * (github.com/adobe/reactor-extension-alloy); no description has the filter.
     */
    async schemasWith(partId: string): Promise<string[]> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/tenant/schemas`,
        query: [
          ['orderby', 'title'],
          ['property', `meta:extends==${partId}`],
        ],
        accept: 'application/vnd.adobe.xed-id+json',
        answer: Summaries,
      });
      return value.results.map(({ $id }) => $id);
    },

    /**
     * A class or a field group in one of the registry's containers; Adobe's own are in `global`.
     * @throws Failure `AEP_NOT_FOUND`
     */
    getPart: (container: Container, kind: PartKind, id: string): Promise<z.infer<typeof ReadPart>> =>
      get(kind, id, ReadPart, container),
    /** `$id`s of the classes or field groups in a container, up to 500. */
    async partIds(container: Container, kind: PartKind): Promise<string[]> {
      const { value } = await request({
        method: 'GET',
        path: `${BASE}/${container}/${kind}`,
        query: [
          ['orderby', 'title'],
          ['limit', '500'],
        ],
        accept: 'application/vnd.adobe.xed-id+json',
        answer: z.object({ results: z.array(Summary) }),
      });
      return value.results.map(({ $id }) => $id);
    },

    /** The identities of a schema, by its `$id`. */
    async findIdentityDescriptors(schemaId: string): Promise<IdentityDescriptor[]> {
      const { value } = await request({
        method: 'GET',
        path: DESCRIPTORS,
        query: [['property', `xdm:sourceSchema==${schemaId}`]],
        accept: 'application/vnd.adobe.xdm+json',
        answer: z.object({ 'xdm:descriptorIdentity': z.array(Descriptor).nullish() }),
      });
      // Adobe's description has the filter, but not its grammar.
      const all = value['xdm:descriptorIdentity'] ?? [];
      return all.filter((each) => each['xdm:sourceSchema'] === schemaId).map(identityOf);
    },

    /** How many descriptors a schema has of each kind, by `@type`: `xdm:descriptorIdentity`, `xdm:descriptorLabel`, …. */
    async countDescriptors(schemaId: string): Promise<Readonly<Record<string, number>>> {
      const { value } = await request({
        method: 'GET',
        path: DESCRIPTORS,
        query: [['property', `xdm:sourceSchema==${schemaId}`]],
        accept: 'application/vnd.adobe.xdm+json',
        answer: z.record(z.string(), z.array(z.looseObject({ 'xdm:sourceSchema': z.unknown() })).catch([])),
      });
      const own = Object.entries(value).map(
        ([kind, all]) => [kind, all.filter((each) => each['xdm:sourceSchema'] === schemaId).length] as const,
      );
      return Object.fromEntries(own.filter(([, count]) => count > 0));
    },

    /**
     * Makes a field an identity and returns the descriptor's `@id`. A primary identity becomes mandatory in every
     * record.
     */
    async createIdentityDescriptor(identity: NewIdentityDescriptor): Promise<string> {
      const { value } = await request({
        method: 'POST',
        path: DESCRIPTORS,
        body: descriptorBody(identity),
        answer: z.object({ '@id': Id }),
      });
      return value['@id'];
    },

    deleteDescriptor: (id: string): Promise<void> => remove(`${DESCRIPTORS}/${pathPart(id)}`),
  };
}

type Container = 'tenant' | 'global';
/** The members of a schema that are read. */
type PartKind = 'classes' | 'fieldgroups';
type Kind = 'schemas' | PartKind;

/** The `start` of the next page: the value itself in what Adobe's client takes, in a URI by Adobe's description. */
function nextStart(next: string | number | null | undefined): string | undefined {
  if (next === null || next === undefined || next === '') return undefined;
  const text = String(next);
  return /^(https?:\/)?\//.test(text) ? (partOfLink(text, 'start') ?? text) : text;
}

function resourcePath(kind: Kind, id: string, container: Container = 'tenant'): string {
  return `${BASE}/${container}/${kind}/${pathPart(id)}`;
}

function schemaBody({ title, description, parts }: NewSchema) {
  return { type: 'object', title, description, allOf: parts.map(($ref) => ({ $ref })) };
}

/** One definition with the tenant's own object: fields anywhere else are refused. Contract §2.6. */
function fieldGroupBody({ title, description, classes, tenant, properties }: NewFieldGroup) {
  return {
    type: 'object',
    title,
    description,
    'meta:intendedToExtend': classes,
    definitions: { customFields: { properties: { [`_${tenant}`]: { type: 'object', properties } } } },
    allOf: [{ $ref: '#/definitions/customFields', type: 'object' }],
  };
}

function descriptorBody({ schemaId, property, namespace, primary }: NewIdentityDescriptor) {
  return {
    '@type': 'xdm:descriptorIdentity',
    'xdm:sourceSchema': schemaId,
    'xdm:sourceVersion': 1,
    'xdm:sourceProperty': property,
    'xdm:namespace': namespace,
    'xdm:property': 'xdm:code',
    'xdm:isPrimary': primary,
  };
}

function identityOf(descriptor: z.infer<typeof Descriptor>): IdentityDescriptor {
  return {
    id: descriptor['@id'],
    schemaId: descriptor['xdm:sourceSchema'],
    property: descriptor['xdm:sourceProperty'],
    namespace: descriptor['xdm:namespace'],
    primary: descriptor['xdm:isPrimary'] ?? false,
  };
}
