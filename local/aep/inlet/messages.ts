// What a message to an inlet says: which flow it is for, and the record in it; or why it cannot be read (contract §6.2).

import { arrayAt, isObject, type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import type { Entity, Flow, Inlet, World } from '../state.ts';
import type { Origin } from './tries.ts';

export interface Message {
  readonly flowId: string | null;
  readonly record: JsonObject;
  readonly header: JsonObject;
  /** Partial updates and deletions reach Profile only, never the lake. */
  readonly profileOnly: boolean;
  /** Whether new identities are to be linked. */
  readonly links: boolean;
  /** Which message of which request it is; absent of what AEP has read by itself. */
  readonly origin?: Origin;
}

/** The message, or the text of the refusal. */
export function readMessage(
  world: World,
  inlet: Inlet,
  connection: Entity,
  flowId: string | null,
  given: Json,
): Message | string {
  if (!isObject(given)) return 'Message has unknown xdm format';
  const raw = objectAt(objectAt(connection.body, 'auth'), 'params')?.dataType === 'raw';
  return raw ? rawMessage(world, flowId, given) : xdmMessage(world, inlet, connection, flowId, given);
}

/** Any object; or header and body, when the data comes with operations. */
export function rawMessage(world: World, flowId: string | null, given: JsonObject): Message | string {
  const header = objectAt(given, 'header');
  const body = objectAt(given, 'body');
  const ownFlow = textAt(header, 'flowId');
  if (!header || !body || !ownFlow) return plain(flowId, given, {});
  if (foreign(world, header)) return WRONG_ORGANIZATION;
  const operations = objectAt(header, 'operations');
  const operation = textAt(operations, 'data') ?? 'create';
  const links = textAt(operations, 'identity') === 'create';
  const record = objectAt(body, 'xdmEntity') ?? body;
  return { flowId: ownFlow, record, header, profileOnly: operation !== 'create', links };
}

function plain(flowId: string | null, record: JsonObject, header: JsonObject): Message {
  return { flowId, record, header, profileOnly: false, links: false };
}

const WRONG_ORGANIZATION = 'Message has an absent or wrong ims org in the header';
const UNKNOWN_FORMAT = 'Message has unknown xdm format';

function xdmMessage(
  world: World,
  inlet: Inlet,
  connection: Entity,
  flowId: string | null,
  given: JsonObject,
): Message | string {
  const header = objectAt(given, 'header');
  if (!header) return "The 'header' field is mandatory. Provide a valid header and try again.";
  const body = objectAt(given, 'body');
  const record = objectAt(body, 'xdmEntity');
  const schemaId = textAt(objectAt(header, 'schemaRef'), 'id');
  if (!record || !schemaId) return UNKNOWN_FORMAT;
  if (foreign(world, header)) return WRONG_ORGANIZATION;
  const inBody = textAt(objectAt(objectAt(body, 'xdmMeta'), 'schemaRef'), 'id');
  if (inBody !== undefined && inBody !== schemaId) return UNKNOWN_FORMAT;
  const dataSetId = textAt(header, 'datasetId');
  if (dataSetId !== undefined) {
    const dataSet = inlet.sandbox.dataSets.get(dataSetId);
    if (textAt(objectAt(dataSet?.body, 'schemaRef'), 'id') !== schemaId) return UNKNOWN_FORMAT;
  }
  const flow = textAt(header, 'flowId') ?? flowId ?? onlyFlow(inlet, connection, dataSetId)?.id ?? null;
  return plain(flow, record, header);
}

/** Whether the header names another organization, which is refused. It may be absent (contract §6.2). */
function foreign(world: World, header: JsonObject): boolean {
  return header.imsOrgId !== undefined && header.imsOrgId !== world.settings.organization;
}

/** Without a flow id the inlet can tell when only one flow is possible: Adobe's own sample has no id (INFERRED). */
function onlyFlow(inlet: Inlet, connection: Entity, dataSetId: string | undefined): Flow | undefined {
  const flows = inlet.sandbox.flows.values().filter((flow) => {
    if (!readsFrom(inlet, connection, flow)) return false;
    const target = inlet.sandbox.targetConnections.get(String(arrayAt(flow.body, 'targetConnectionIds')[0]));
    return dataSetId === undefined || objectAt(target?.body, 'params')?.dataSetId === dataSetId;
  });
  return flows.length === 1 ? flows[0] : undefined;
}

export function readsFrom(inlet: Inlet, connection: Entity, flow: Flow): boolean {
  return arrayAt(flow.body, 'sourceConnectionIds').some(
    (id) => inlet.sandbox.sourceConnections.get(String(id))?.body.baseConnectionId === connection.id,
  );
}
