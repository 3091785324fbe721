// What a sandbox must look like when a manifest was applied, or retired: said anew, from the manifest alone.
import { KINDS, type Kind, oursIn, refers, type Thing, thingsIn, type World } from './model-hand.ts';

type Body = Readonly<Record<string, unknown>>;

export interface Wanted extends Body {
  readonly name: string;
  readonly source: Body & { readonly kind: string };
  readonly schema: { readonly fieldGroups: readonly (string | { name: string; fields: Body })[] } & Body;
  readonly mapping: readonly { source?: string; expression?: string; destination: string }[];
}

const secretOf = (name: string) => `penstock/dev/streams/customers/${name}`;

/** P1 to P3, and that it is what the manifest asks for: everything that is wrong. */
export function wrongWhenApplied(own: World, manifest: Wanted): string[] {
  const ours = oursIn(own, manifest.name);
  const wrong: string[] = [];
  const one = (kind: Kind): Thing | undefined => {
    const all = ours.filter((thing) => thing.kind === kind);
    if (all.length !== 1) wrong.push(`P1: ${all.length} of ${kind} (${all.map(({ id }) => id)})`);
    return all[0];
  };
  const parts = Object.fromEntries(
    KINDS.filter((kind) => kind !== 'mixins' && kind !== 'mappingSets').map((kind) => [kind, one(kind)]),
  );
  parts.mappingSets = mappingOf(own, parts.flows) ?? one('mappingSets');
  for (const { id } of ours.filter(({ kind }) => kind === 'mappingSets'))
    if (id !== parts.mappingSets?.id) wrong.push(`P3: mapping set ${id} is not in use`);
  const complete = parts as Readonly<Record<Exclude<Kind, 'mixins'>, Thing>>;
  if (Object.values(parts).some((part) => part === undefined)) return wrong;
  return [
    ...wrong,
    ...unconnected(complete),
    ...otherwise(complete, manifest, own),
    ...groupsWrong(ours, complete.schemas, manifest),
    ...(manifest.source.kind === 'inlet' ? unpublished(own, complete, manifest) : []),
  ];
}

/** The set that the flow uses: one that was made by hand, and taken over with a flow, has no place for an ownership tag. */
function mappingOf(own: World, flow: Thing | undefined): Thing | undefined {
  const [transformation] = (flow?.body.transformations ?? []) as { params: { mappingId: string } }[];
  return thingsIn(own).find(
    ({ kind, id }) => kind === 'mappingSets' && id === transformation?.params.mappingId,
  );
}

type Parts = Readonly<Record<Exclude<Kind, 'mixins'>, Thing>>;

/** Says what differs, unless nothing does. */
function unlike(what: string, found: unknown, wanted: unknown): string[] {
  const [is, should] = [JSON.stringify(found), JSON.stringify(wanted)];
  return is === should ? [] : [`${what}: found ${is}, wanted ${should}`];
}

function unconnected({
  flows,
  sourceConnections,
  targetConnections,
  dataSets,
  mappingSets,
  connections,
  schemas,
}: Parts) {
  const { outputSchema } = mappingSets.body as { outputSchema: { schemaRef: { id: string } } };
  const target = targetConnections.body as {
    params: { dataSetId: string };
    data: { schema: { id: string } };
  };
  const [transformation] = flows.body.transformations as { params: { mappingId: string } }[];
  return [
    ...unlike('P2 source of the flow', flows.body.sourceConnectionIds, [sourceConnections.id]),
    ...unlike('P2 target of the flow', flows.body.targetConnectionIds, [targetConnections.id]),
    ...unlike('P2 mapping of the flow', transformation?.params.mappingId, mappingSets.id),
    ...unlike('P2 base of the source', sourceConnections.body.baseConnectionId, connections.id),
    ...unlike('P2 dataset of the target', target.params.dataSetId, dataSets.id),
    ...unlike('P2 schema of the target', target.data.schema.id, schemas.id),
    ...unlike('P2 schema of the dataset', (dataSets.body.schemaRef as Body).id, schemas.id),
    ...unlike('P2 schema of the mapping', outputSchema.schemaRef.id, schemas.id),
  ];
}

function otherwise({ flows, mappingSets, connections }: Parts, manifest: Wanted, own: World): string[] {
  const rows = mappingSets.body.mappings as { source: string; destination: string }[];
  const inTenant = (text = '') => text.replaceAll('{tenant}', '_acmelab');
  return [
    ...unlike('state of the flow', flows.state, 'enabled'),
    ...unlike(
      'mapping',
      rows.map((row) => [row.source, row.destination]),
      manifest.mapping.map((row) => [inTenant(row.source ?? row.expression), inTenant(row.destination)]),
    ),
    ...accessWrong(connections, manifest, own),
  ];
}

function accessWrong({ body, ownershipTag }: Thing, { source }: Wanted, { secrets }: World): string[] {
  const { params } = body.auth as { params: Body };
  if (source.kind === 'inlet')
    return unlike('authentication', params.authenticationRequired, source.authenticationRequired ?? true);
  // What somebody gave it by hand cannot be read, and is exchanged with the next rotation.
  if (ownershipTag?.adopted) return [];
  const { secretKey } = JSON.parse(secrets.values.get(String(source.credentials)) ?? '{}') as Body;
  return unlike('credentials', params.secretKey, secretKey);
}

/** Field groups that are wanted are in the schema; what is ours and no schema has is an orphan. */
function groupsWrong(
  ours: readonly Thing[],
  schema: Thing,
  { schema: { fieldGroups }, name }: Wanted,
): string[] {
  const own = ours.filter(({ kind }) => kind === 'mixins');
  const missing = fieldGroups.filter((group) => {
    if (typeof group === 'string') return !refers(schema, `/xdm/context/${group}"`);
    const fields = Object.keys(group.fields);
    return !own.some(
      (one) => refers(schema, one.id) && fields.every((field) => one.text.includes(`"${field}"`)),
    );
  });
  return [
    ...missing.map((group) => `field group ${JSON.stringify(group)} of ${name} is not in the schema`),
    ...own.filter(({ id }) => !refers(schema, id)).map(({ id }) => `P3: field group ${id} is in no schema`),
  ];
}

function unpublished(
  own: World,
  { flows, dataSets, schemas, connections }: Parts,
  { name }: Wanted,
): string[] {
  const published = JSON.parse(own.secrets.values.get(secretOf(name)) ?? '{}') as Body;
  const { params } = connections.body.auth as { params: Body };
  const { pipeline, flowId, datasetId, schemaId, inletUrl, authenticationRequired } = published;
  return [
    ...unlike(
      'published',
      { pipeline, flowId, datasetId, schemaId, inletUrl, authenticationRequired },
      {
        pipeline: name,
        flowId: flows.id,
        datasetId: dataSets.id,
        schemaId: schemas.id,
        inletUrl: params.inletUrl,
        authenticationRequired: params.authenticationRequired,
      },
    ),
    ...unlike(
      'triggers',
      [...own.triggers.all.values()].map(({ state }) => state),
      ['on'],
    ),
  ];
}

/** What holds data, or says what data means: stays where its deletion was not asked for. */
const STAYS: readonly Kind[] = ['mixins', 'schemas', 'dataSets'];

/** P17: what is still ours and should not be. */
export function leftWhenRetired(own: World, manifest: Wanted, deleteData: boolean): string[] {
  const ours = oursIn(own, manifest.name);
  const union = ours.find((one) => one.kind === 'schemas' && one.text.includes('"union"'));
  const mayStay = (one: Thing) =>
    (!deleteData && STAYS.includes(one.kind)) ||
    // AEP deletes no schema of the union, and no field group of a schema.
    (union !== undefined && (one === union || (one.kind === 'mixins' && refers(union, one.id))));
  const left = ours.filter((one) => !mayStay(one)).map(({ kind, id, name }) => `P17: ${kind} ${id} ${name}`);
  if (manifest.source.kind !== 'inlet') return left;
  return [
    ...left,
    ...(own.secrets.values.has(secretOf(manifest.name)) ? ['P17: it is still published'] : []),
    ...(own.routes.lists.size > 0 ? ['P17: its stream has a route still'] : []),
    ...(own.triggers.all.size > 0 ? ['P17: its stream is still read'] : []),
  ];
}
