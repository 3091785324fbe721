// Each kind of source in Flow Service's words: specifications, authentication, parameters.
// Contract §4.1, §4.3, §4.4.
import * as z from 'zod';
import { CONNECTION_SPECS, FLOW_SPECS } from '../../aep/flow-service.ts';
import { Failure } from '../../failure.ts';
import { parseSecret, type SecretSchema } from '../../json-secret.ts';
import type { Manifest, PulledSource, Source } from '../../manifest.ts';
import type { Planned } from '../../pipeline.ts';
import type { Runtime } from '../../runtime.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type Difference, difference } from './resource.ts';

/** Shown as a difference if a name is left out. */
const NO_NAME = 'none';

const SPEC_OF = {
  inlet: CONNECTION_SPECS.httpApi,
  kinesis: CONNECTION_SPECS.kinesis,
  'event-hubs': CONNECTION_SPECS.eventHubs,
  pubsub: CONNECTION_SPECS.pubSub,
} as const;

export function connectionSpecOf({ kind }: Source): string {
  return SPEC_OF[kind];
}

/** The other direction: what is not ours is called by its id. */
export function sourceKindOf(specId: string | undefined): string | undefined {
  return Object.entries(SPEC_OF).find(([, id]) => id === specId)?.[0] ?? specId;
}

export function flowSpecOf({ source }: Manifest): string {
  if (source.kind !== 'inlet') return FLOW_SPECS.streaming;
  return source.data === 'raw' ? FLOW_SPECS.httpApiWithMapping : FLOW_SPECS.httpApiWithoutMapping;
}

/** Whether AEP reads the source by itself: then nothing can hold records back while a flow changes. */
export function isPulled(source: Source): source is PulledSource {
  return source.kind !== 'inlet';
}

/** AEP's name of the authentication, which never changes for an existing connection. */
export function authSpecOf(source: Source): string {
  switch (source.kind) {
    case 'inlet':
      return 'Streaming Connection';
    case 'kinesis':
      return 'Aws Kinesis authentication credentials';
    case 'event-hubs':
      return 'Azure EventHub authentication credentials';
    case 'pubsub':
      return source.auth === 'project'
        ? 'Project Based Authentication'
        : 'Topic & Subscription Based Authentication';
  }
}

/** Parameters that are no secret, and that distinguish two connections. */
export function openAuthParams(source: PulledSource): Record<string, string> {
  switch (source.kind) {
    case 'kinesis':
      return { region: source.region };
    case 'event-hubs':
      return {
        namespace: source.namespace,
        ...(source.auth === 'event-hub' && { eventHubName: source.eventHub }),
      };
    case 'pubsub':
      return source.auth === 'project' ? { projectId: source.project } : fullNames(source);
  }
}

/**
 * Their differences, each `name, found, wanted`; `undefined` is a name that is left out. AEP need not tell
 * any of them. But if it tells the namespace of an event hub, it also tells the event hub that the key is
 * for.
 */
export function openAuthDifferences(
  source: PulledSource,
  told: Readonly<Record<string, unknown>>,
): readonly (readonly [name: string, found: unknown, wanted: unknown])[] {
  const wanted = openAuthParams(source);
  const differing = Object.entries(wanted).filter(
    ([name, value]) => told[name] !== undefined && told[name] !== value,
  );
  const scope = source.kind === 'event-hubs' && told.namespace !== undefined;
  const other = scope && (told.eventHubName === undefined) !== (wanted.eventHubName === undefined);
  return [
    ...differing.map(([name, value]) => [name, told[name], value] as const),
    ...(other ? [['eventHubName', told.eventHubName, wanted.eventHubName] as const] : []),
  ];
}

/**
 * What the source connection names. `reset` is where reading starts; it does not count for an existing
 * connection.
 */
export function sourceParams(source: Source): Record<string, string> {
  switch (source.kind) {
    case 'inlet':
      return {};
    case 'kinesis':
      return { stream: source.stream, dataType: source.data };
    case 'event-hubs':
      return {
        eventHubName: source.eventHub,
        dataType: source.data,
        consumerGroup: source.consumerGroup,
      };
    case 'pubsub':
      return {
        ...(source.auth === 'project'
          ? { topicName: source.topic, subscriptionName: source.subscription }
          : fullNames(source)),
        dataType: source.data,
      };
  }
}

/** What only one flow may read; absent if several may. Contract §4.3, §4.4. */
export function exclusivePlaceOf(source: Source): string | undefined {
  if (source.kind === 'pubsub') return `the subscription ${fullNames(source).subscriptionName}`;
  if (source.kind !== 'event-hubs') return undefined;
  const { namespace, eventHub, consumerGroup } = source;
  return `the consumer group ${consumerGroup} of the event hub ${namespace}/${eventHub}`;
}

/** `latest` or `earliest`, for sources that have a position to start from. */
export function resetOf(source: Source): string | undefined {
  if (source.kind !== 'kinesis' && source.kind !== 'event-hubs') return undefined;
  return source.startAt === 'now' ? 'latest' : 'earliest';
}

/**
 * Whether the plan replaces the source by another one: then the new flow cannot continue where the old one
 * stopped.
 */
export function readsElsewhere(plan: readonly Planned[]): boolean {
  return plan.some(({ elsewhere }) => elsewhere === true);
}

/** Parameters that say which place is read. */
const PLACE = ['stream', 'region', 'namespace', 'eventHubName', 'projectId', 'topicName', 'subscriptionName'];

/**
 * A parameter of the source that differs. Other credentials for the same place can leave a name out, or write
 * it differently.
 */
export function sourceDifference(name: string, found: unknown, wanted: unknown): Difference[] {
  const elsewhere =
    PLACE.includes(name) &&
    found !== undefined &&
    wanted !== undefined &&
    shortName(String(found)) !== shortName(String(wanted));
  return difference(`source ${name}`, found ?? NO_NAME, wanted ?? NO_NAME, 'replace').map((one) => ({
    ...one,
    elsewhere,
  }));
}

/** Pub/Sub's topics and subscriptions: the full name and the short name mean the same. */
function shortName(name: string): string {
  return name.replace(/^projects\/[^/]+\/(topics|subscriptions)\//, '');
}

function fullNames({ project, topic, subscription }: Extract<Source, { kind: 'pubsub' }>) {
  return {
    topicName: `projects/${project}/topics/${topic}`,
    subscriptionName: `projects/${project}/subscriptions/${subscription}`,
  };
}

const nonEmpty = z.string().min(1);

/** A service account's key file, as Google gives it. Only what identifies it as one is checked. */
const KeyFile = z.looseObject({
  type: z.literal('service_account'),
  private_key: nonEmpty,
  client_email: nonEmpty,
});

const SECRETS = {
  kinesis: z.strictObject({ accessKeyId: nonEmpty, secretKey: nonEmpty }),
  'event-hubs': z.strictObject({ sasKeyName: nonEmpty, sasKey: nonEmpty }),
  pubsub: KeyFile.transform((file) => ({ credentials: JSON.stringify(file) })),
} as const;

export interface SourceCredentials {
  /** Secret parameters of the authentication, by AEP's names. */
  readonly params: Readonly<Record<string, string>>;
  /** Distinguishes secrets without revealing them. */
  readonly fingerprint: string;
}

/**
 * The credentials that the manifest refers to. Read when needed, and never put into the document.
 * @throws Failure `SECRET_MISSING`, or `SECRET_INVALID` naming the fields that are wrong, never their values
 */
export async function readSourceCredentials(
  source: PulledSource,
  { secrets }: Runtime,
): Promise<SourceCredentials> {
  const id = source.credentials;
  const value = await secrets.get(id);
  if (value === undefined) {
    throw new Failure('SECRET_MISSING', `source.credentials: there is no secret ${id}`);
  }
  const schema: SecretSchema<Record<string, string>> = SECRETS[source.kind];
  const params = parseSecret(value, schema, { what: `the secret ${id}`, refused: 'is not usable' });
  return { params, fingerprint: fingerprintOf(params) };
}
