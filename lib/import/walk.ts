// Walks from a flow to everything that it leads to. Reads only.
import type { Aep } from '../aep/client.ts';
import { CONNECTION_SPECS, FLOW_SPECS, type Flow } from '../aep/flow-service.ts';
import type { Dataset, FieldGroup, Schema } from '../aep/index.ts';
import { notStreamed } from '../provision/resources/behavior.ts';
import { descriptorsOf } from '../provision/resources/identity.ts';
import { ifThere } from '../provision/resources/resource.ts';
import { sourceKindOf } from '../provision/resources/source.ts';
import { type ImportFinding, prevents } from './finding.ts';
import { mappingIn, type WalkedFlow, type WalkedGroup } from './walked.ts';

/** What several flows of a request share: it is asked for remembered. */
export interface Surroundings {
  readonly aep: Aep;
  readonly tenant: () => Promise<string>;
  readonly datasets: () => Promise<{ readonly datasets: readonly Dataset[]; readonly more: boolean }>;
  readonly schemasWith: (groupId: string) => Promise<readonly string[]>;
}

export function surroundingsOf(aep: Aep): Surroundings {
  const withGroup = new Map<string, () => Promise<readonly string[]>>();
  return {
    aep,
    tenant: remembered(() => aep.schemaRegistry.tenantId()),
    datasets: remembered(() => aep.catalog.allDatasets()),
    schemasWith(groupId) {
      const asked = withGroup.get(groupId) ?? remembered(() => aep.schemaRegistry.schemasWith(groupId));
      withGroup.set(groupId, asked);
      return asked();
    },
  };
}

/** A failure is not remembered: the next flow may ask again. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return async () => {
    try {
      asked ??= ask();
      return await asked;
    } catch (error) {
      asked = undefined;
      throw error;
    }
  };
}

const STREAMING_FLOWS: ReadonlySet<string> = new Set(Object.values(FLOW_SPECS));

/** Why a flow of this specification is no pipeline; nothing if it may be one, or AEP does not tell. */
export function foreignFlow({ flowSpec }: Pick<Flow, 'flowSpec'>): ImportFinding | undefined {
  const id = flowSpec?.id;
  if (id === undefined || STREAMING_FLOWS.has(id)) return undefined;
  return prevents(
    'flow',
    `its flow specification ${id} is none that streams into a dataset by one of Penstock's sources: it is a flow of another kind`,
  );
}

/** `delete-finalizing` has been seen; others may follow it. Contract §4. */
const DELETING = /^delet/;

/** What is at the end of each way from the flow, or why there is no pipeline. */
export async function walkFrom(flow: Flow, around: Surroundings): Promise<WalkedFlow | ImportFinding> {
  const foreign = foreignFlow(flow);
  if (foreign !== undefined) return foreign;
  if (flow.state === 'draft')
    return prevents('flow', 'it is a draft, which AEP has not checked: publish it in AEP, then import it');
  if (flow.state !== undefined && DELETING.test(flow.state))
    return prevents('flow', `its state is ${flow.state}: AEP is taking it away`);
  const ends = await endsOf(flow, around.aep);
  if ('effect' in ends) return ends;
  const stored = await storedOf(ends.target.params?.dataSetId, around);
  if ('effect' in stored) return stored;
  const mapped = await mappedOf(flow, around.aep);
  if (mapped !== undefined && 'effect' in mapped) return mapped;
  const otherFlows = await otherFlowsOf(flow, stored.dataset.id, around.aep);
  return { flow, ...ends, ...stored, otherFlows, ...(mapped !== undefined && { mappingSet: mapped }) };
}

async function otherFlowsOf({ id }: Flow, datasetId: string, { flowService }: Aep): Promise<string[]> {
  const targets = await flowService.findTargetConnections(datasetId);
  const flows = await flowService.findFlowsWriting(targets.map((target) => target.id));
  return flows.filter((flow) => flow.id !== id).map((flow) => flow.id);
}

async function endsOf(
  flow: Flow,
  aep: Aep,
): Promise<Pick<WalkedFlow, 'source' | 'base' | 'target'> | ImportFinding> {
  const { flowService } = aep;
  const [sourceId, ...sources] = flow.sourceConnectionIds ?? [];
  const [targetId, ...targets] = flow.targetConnectionIds ?? [];
  if (sourceId === undefined || targetId === undefined || sources.length + targets.length > 0)
    return prevents('flow', 'it does not have one source and one target connection, as a pipeline has');
  const source = await ifThere(flowService.getSourceConnection(sourceId));
  if (source === undefined) return gone('source-connection', sourceId);
  if (source.baseConnectionId === undefined)
    return prevents('source-connection', `${sourceId} names no base connection`);
  const base = await ifThere(flowService.getConnection(source.baseConnectionId));
  if (base === undefined) return gone('base-connection', source.baseConnectionId);
  const specId = base.connectionSpec?.id ?? source.connectionSpec?.id;
  if (sourceKindOf(specId) === specId)
    return prevents(
      'source.kind',
      `its connection specification ${specId ?? 'is not told, and'} is none of Penstock's sources: an inlet (HTTP API), Kinesis, Event Hubs, Pub/Sub`,
    );
  const target = await ifThere(flowService.getTargetConnection(targetId));
  if (target === undefined) return gone('target-connection', targetId);
  const lake = target.connectionSpec?.id ?? CONNECTION_SPECS.dataLake;
  if (lake !== CONNECTION_SPECS.dataLake)
    return prevents('target-connection', `its connection specification ${lake} is not that of the data lake`);
  return { source, base, target };
}

type Stored = Omit<WalkedFlow, 'flow' | 'otherFlows' | 'source' | 'base' | 'target' | 'mappingSet'>;

async function storedOf(
  datasetId: string | undefined,
  around: Surroundings,
): Promise<Stored | ImportFinding> {
  const { aep } = around;
  if (datasetId === undefined) return prevents('target-connection', 'it names no dataset');
  const read = await ifThere(aep.catalog.getDataset(datasetId));
  if (read === undefined) return gone('dataset', datasetId);
  const { dataset } = read;
  const schemaId = dataset.schemaRef?.id ?? undefined;
  if (schemaId === undefined) return prevents('schema', `the dataset ${datasetId} names no schema`);
  const schema = await ifThere(aep.schemaRegistry.getSchema(schemaId));
  if (schema === undefined) return gone('schema', schemaId);
  const unfit = notStreamed(schema['meta:extends']);
  if (unfit !== undefined)
    return prevents('schema', `${schemaId} is ${unfit.found}; expected ${unfit.wanted}`);
  const tenant = await around.tenant();
  const { 'xdm:descriptorIdentity': _, ...otherDescriptors } =
    await aep.schemaRegistry.countDescriptors(schemaId);
  return {
    dataset,
    labels: await aep.datasetService.getLabels(datasetId),
    schema,
    otherDatasets: await otherDatasetsOf(schemaId, datasetId, around),
    groups: await groupsOf(schema, tenant, around),
    identities: await descriptorsOf({ aep }, schemaId),
    otherDescriptors,
    tenant,
  };
}

async function otherDatasetsOf(
  schemaId: string,
  datasetId: string,
  around: Surroundings,
): Promise<string[] | undefined> {
  const { datasets, more } = await around.datasets();
  const others = datasets.filter(({ id, schemaRef }) => schemaRef?.id === schemaId && id !== datasetId);
  return more && others.length === 0 ? undefined : others.map(({ id }) => id);
}

/** The organization's own field groups: AEP writes its namespace into their `$id`s. */
async function groupsOf(
  { allOf }: Schema,
  tenant: string,
  around: Surroundings,
): Promise<Map<string, WalkedGroup>> {
  const ids = (allOf ?? []).flatMap(({ $ref }) =>
    $ref?.startsWith(`https://ns.adobe.com/${tenant}/`) ? [$ref] : [],
  );
  const found = new Map<string, WalkedGroup>();
  for (const id of ids) {
    const group: FieldGroup | undefined = await ifThere(around.aep.schemaRegistry.getFieldGroup(id));
    if (group !== undefined) found.set(id, { group, schemas: await around.schemasWith(id) });
  }
  return found;
}

async function mappedOf(flow: Flow, aep: Aep) {
  const params = mappingIn(flow)?.params;
  if (params?.mappingId === undefined) return undefined;
  const set = await ifThere(aep.dataPrep.getMappingSet(params.mappingId, params.mappingVersion));
  return set ?? gone('mapping', params.mappingId);
}

function gone(path: string, id: string): ImportFinding {
  return prevents(path, `${id}, which the flow leads to, is not there`);
}
