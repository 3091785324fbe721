// Which source a flow reads by itself, as its connections say (contract §4.3, §4.4).
import { EVENT_HUBS, KINESIS, PUB_SUB } from '../flow-service/specs.ts';
import { arrayAt, type JsonObject, objectAt, textAt } from '../json.ts';
import type { Entity, Flow, Sandbox } from '../state.ts';

export type PulledKind = 'kinesis' | 'event-hubs' | 'pubsub';

const KINDS: Readonly<Record<string, PulledKind>> = {
  [KINESIS]: 'kinesis',
  [EVENT_HUBS]: 'event-hubs',
  [PUB_SUB]: 'pubsub',
};

export interface PulledSource {
  readonly kind: PulledKind;
  readonly connection: Entity;
  readonly base: Entity | undefined;
  /** Of the source connection. */
  readonly params: JsonObject;
  /** Of the base connection, its secrets among them. */
  readonly auth: JsonObject;
  /** The stream, the event hub or the subscription, by its full name. */
  readonly place: string;
}

/** `undefined` where the flow is fed by an inlet. */
export function sourceOf(sandbox: Sandbox, flow: Flow): PulledSource | undefined {
  const connection = sandbox.sourceConnections.get(String(arrayAt(flow.body, 'sourceConnectionIds')[0]));
  return connection && sourceBehind(sandbox, connection);
}

/** What a source connection leads to. */
export function sourceBehind(sandbox: Sandbox, connection: Entity): PulledSource | undefined {
  const kind = KINDS[textAt(objectAt(connection.body, 'connectionSpec'), 'id') ?? ''];
  if (kind === undefined) return undefined;
  const base = sandbox.connections.get(String(connection.body.baseConnectionId));
  const params = objectAt(connection.body, 'params') ?? {};
  const auth = objectAt(objectAt(base?.body, 'auth'), 'params') ?? {};
  return { kind, connection, base, params, auth, place: placeOf(kind, params, auth) };
}

function placeOf(kind: PulledKind, params: JsonObject, auth: JsonObject): string {
  switch (kind) {
    case 'kinesis':
      return `stream ${params.stream} in ${auth.region}`;
    case 'event-hubs':
      return `event hub ${auth.namespace}/${params.eventHubName}`;
    case 'pubsub': {
      const name = String(params.subscriptionName);
      const isFull = name.startsWith('projects/');
      return `subscription ${isFull ? name : `projects/${auth.projectId}/subscriptions/${name}`}`;
    }
  }
}
