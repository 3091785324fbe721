// What a run of the contract suite has made, and how it goes again: in the order in which it can, found by the run's mark where an answer was lost.
import { type Aep, CONNECTION_SPECS } from '../../lib/aep/index.ts';
import { isFailure } from '../../lib/failure.ts';

/** In the order of removal: nothing goes before what refers to it. */
const KINDS = [
  'flow',
  'target connection',
  'source connection',
  'mapping set',
  'connection',
  'dataset',
  'descriptor',
  'schema',
  'field group',
] as const;
type Kind = (typeof KINDS)[number];

export interface Resource {
  readonly kind: Kind;
  readonly id: string;
}

/** What the steps call what they make: the mark, and then one of these. */
const NAMES = {
  connection: [' inlet', ' pulled'],
  dataset: ['', ' other'],
  schema: ['', ' other', ' fields'],
  'field group': [' fields'],
  'mapping set': ['', ' other', ' next', ' checked'],
  flow: [' flow', ' draft'],
} as const;

/** Lists can be late, and what has just gone can hold its parts for a while. */
const ROUNDS = 3;

/**
 * Removes what is known and whatever else bears the mark.
 * @param pause waits between two rounds
 * @returns what is still there, or could not be looked for: kind and id
 */
export async function removeAll(
  aep: Aep,
  mark: string,
  made: readonly Resource[],
  pause: () => Promise<void>,
): Promise<string[]> {
  const gone = new Set<string>();
  let left: string[] = [];
  let known = made;
  for (let round = 1; round <= ROUNDS; round++) {
    const { resources, unseen } = await marked(aep, mark, known);
    known = distinct([...known, ...resources]).filter((each) => !gone.has(nameOf(each)));
    left = [...unseen];
    for (const each of inOrder(known)) {
      if (await removed(aep, each)) gone.add(nameOf(each));
      else left.push(nameOf(each));
    }
    if (left.length === 0 && known.length === 0) break;
    if (round < ROUNDS) await pause();
  }
  return left;
}

const nameOf = ({ kind, id }: Resource) => `${kind} ${id}`;

function distinct(resources: readonly Resource[]): Resource[] {
  return [...new Map(resources.map((each) => [nameOf(each), each])).values()];
}

function inOrder(resources: readonly Resource[]): Resource[] {
  return resources.toSorted((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind));
}

async function removed(aep: Aep, { kind, id }: Resource): Promise<boolean> {
  const { flowService, dataPrep, catalog, schemaRegistry } = aep;
  const remove: Readonly<Record<Kind, (id: string) => Promise<void>>> = {
    flow: flowService.deleteFlow,
    'target connection': flowService.deleteTargetConnection,
    'source connection': flowService.deleteSourceConnection,
    'mapping set': dataPrep.deleteMappingSet,
    connection: flowService.deleteConnection,
    dataset: catalog.deleteDataset,
    descriptor: schemaRegistry.deleteDescriptor,
    schema: schemaRegistry.deleteSchema,
    'field group': schemaRegistry.deleteFieldGroup,
  };
  try {
    await remove[kind](id);
    return true;
  } catch (error) {
    return isFailure(error) && error.code === 'AEP_NOT_FOUND';
  }
}

/** What bears the mark: of source and target connections those of what the run has made, for they are not found by name. */
async function marked(
  aep: Aep,
  mark: string,
  known: readonly Resource[],
): Promise<{ resources: Resource[]; unseen: string[] }> {
  const unseen: string[] = [];
  const find = async (kind: Kind, ids: Promise<readonly string[]>): Promise<Resource[]> => {
    try {
      return (await ids).map((id) => ({ kind, id }));
    } catch {
      unseen.push(`${kind}: could not be looked for`);
      return [];
    }
  };
  const { flowService, dataPrep, catalog, schemaRegistry } = aep;
  const named = async (
    kind: Kind,
    names: readonly string[],
    look: (name: string) => Promise<readonly string[]>,
  ) => (await Promise.all(names.map((name) => find(kind, look(`${mark}${name}`))))).flat();
  const connections = (
    await Promise.all(
      Object.values(CONNECTION_SPECS).map((specId) =>
        named('connection', NAMES.connection, (name) => idsOf(flowService.findConnections({ name, specId }))),
      ),
    )
  ).flat();
  const datasets = await named('dataset', NAMES.dataset, (name) => idsOf(catalog.findDatasets(name)));
  const schemas = await named('schema', NAMES.schema, schemaRegistry.findSchemas);
  const all = distinct([...known, ...connections, ...datasets, ...schemas]);
  const idsOfKind = (wanted: Kind) => all.filter(({ kind }) => kind === wanted).map(({ id }) => id);
  const bases = idsOfKind('connection');
  const resources = [
    ...connections,
    ...datasets,
    ...schemas,
    ...(await named('flow', NAMES.flow, (name) => idsOf(flowService.findFlows(name)))),
    ...(await find('source connection', idsOf(flowService.findSourceConnectionsOf(bases)))),
    ...(await named('mapping set', NAMES['mapping set'], (name) => idsOf(dataPrep.findMappingSets(name)))),
    ...(await named('field group', NAMES['field group'], schemaRegistry.findFieldGroups)),
  ];
  for (const id of idsOfKind('dataset'))
    resources.push(...(await find('target connection', idsOf(flowService.findTargetConnections(id)))));
  for (const id of idsOfKind('schema'))
    resources.push(...(await find('descriptor', idsOf(schemaRegistry.findIdentityDescriptors(id)))));
  return { resources, unseen };
}

async function idsOf(found: Promise<readonly { readonly id: string }[]>): Promise<string[]> {
  return (await found).map(({ id }) => id);
}
