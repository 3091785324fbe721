// The source of a manifest, from what AEP tells of a base and a source connection.

import type { InletSource } from '../manifest.ts';
import { tagInDescription } from '../provision/resources/ownership-tag.ts';
import { sourceKindOf } from '../provision/resources/source.ts';
import type { AppliedSource } from './applied.ts';
import { type Expressed, type ImportFinding, kept, notTold, unsaidMembers } from './finding.ts';
import type { WalkedFlow } from './walked.ts';

type Params = Readonly<Record<string, unknown>>;

/** What AEP never tells, and the caller may. */
export interface ToldSource {
  /** Of an inlet: the Kinesis stream that is to feed it. */
  readonly stream?: string | undefined;
  /** Of a pulled source: the name of the secret with its credentials. */
  readonly sourceCredentials?: string | undefined;
  /** Of a pipeline of Penstock's: the source as this stage has applied it. */
  readonly applied?: AppliedSource | undefined;
}

/** A member is absent where AEP does not tell it. A finding says so. */
export function drawSource(walked: WalkedFlow, told: ToldSource): Expressed<Record<string, unknown>> {
  const { base, source } = walked;
  const kind = sourceKindOf(base.connectionSpec?.id ?? source.connectionSpec?.id);
  const made =
    kind === 'inlet'
      ? inletOf(walked, told)
      : pulledOf(kind, { ...base.auth?.params }, source.params ?? {}, told);
  const format = source.data?.format ?? 'json';
  const odd = format === 'json' ? [] : [kept('source', `the source connection reads ${format}, not json`)];
  const more = unsaidMembers('source', 'the source connection says of its data', source.data, ['format']);
  return { value: { kind, ...made.value }, findings: [...made.findings, ...odd, ...more] };
}

/** What Penstock does before the inlet, and with the trigger. */
const BEFORE_INLET = [
  'records',
  'format',
  'compression',
  'unrouted',
  'order',
  'onOutage',
  'parkAfterSeconds',
  'rate',
  'startAt',
  'fanOut',
] as const satisfies readonly (keyof InletSource)[];

/** AEP sees nothing of it. This stage does not know it either if another one has applied the pipeline, or it was retired. */
function unseen({ flow }: WalkedFlow, applied: AppliedSource | undefined): ImportFinding[] {
  const pipeline = tagInDescription(flow.description)?.pipeline;
  if (pipeline === undefined || applied !== undefined) return [];
  const why = `it is Penstock's pipeline ${pipeline}, AEP does not see what happens before the inlet, and this stage has not applied this dataflow to the end. Take from the manifest that was applied what it says of ${BEFORE_INLET.join(', ')}, or import it by the stage that has applied it`;
  return [notTold('source.records', why)];
}

/** The members of the applied source that AEP never tells. */
function beforeInlet(applied: AppliedSource): Params {
  return Object.fromEntries(
    BEFORE_INLET.filter((name) => applied[name] !== undefined).map((name) => [name, applied[name]]),
  );
}

const UNTOLD_INLET = { dataType: undefined, authenticationRequired: undefined };

const NO_STREAM =
  'AEP does not know what feeds its inlet: name the Kinesis stream that Penstock is to feed it from. Whoever feeds it now has to stop then, or records arrive twice';

function inletOf(walked: WalkedFlow, told: ToldSource): Expressed<Params> {
  const { base, mappingSet, source } = walked;
  const { dataType, authenticationRequired } = base.auth?.params ?? UNTOLD_INLET;
  const { applied } = told;
  const stream = told.stream ?? applied?.stream ?? tagInDescription(base.description)?.notes?.stream;
  const data = dataType ?? (mappingSet === undefined ? 'xdm' : 'raw');
  return {
    value: {
      ...(stream !== undefined && { stream }),
      data,
      ...(authenticationRequired !== undefined && { authenticationRequired }),
      ...(applied !== undefined && beforeInlet(applied)),
    },
    findings: [
      ...(stream === undefined ? [notTold('source.stream', NO_STREAM)] : []),
      ...(dataType === undefined
        ? [kept('source.data', `AEP does not tell it; "${data}" is what the flow looks like`)]
        : []),
      ...(authenticationRequired === undefined
        ? [kept('source.authenticationRequired', 'AEP does not tell it; left out, it means true')]
        : []),
      ...unknownParams(source.params ?? {}, []),
      ...unseen(walked, applied),
    ],
  };
}

const NO_CREDENTIALS =
  'AEP never shows a secret: put its credentials into a secret of Secrets Manager, and name that';

function pulledOf(
  kind: string | undefined,
  auth: Params,
  params: Params,
  { sourceCredentials: given, applied }: ToldSource,
): Expressed<Params> {
  const sourceCredentials = given ?? applied?.credentials;
  const own = PULLED[kind as keyof typeof PULLED](auth, params);
  const reset = params.reset === 'earliest' ? { startAt: 'earliest' } : {};
  const value = {
    ...own.value,
    ...reset,
    ...(params.dataType !== undefined && { data: params.dataType }),
    ...(sourceCredentials !== undefined && { credentials: sourceCredentials }),
  };
  const untold = own.needs.filter((name) => own.value[name] === undefined);
  return {
    value: Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)),
    findings: [
      ...[...untold, ...(params.dataType === undefined ? ['data'] : [])].map((name) =>
        notTold(`source.${name}`, 'AEP does not tell it of this connection'),
      ),
      ...(sourceCredentials === undefined ? [notTold('source.credentials', NO_CREDENTIALS)] : []),
      ...unknownParams(params, [...own.reads, 'dataType', 'reset']),
    ],
  };
}

/** Names alone: a value may be a secret. */
function unknownParams(params: Params, known: readonly string[]): ImportFinding[] {
  return Object.keys(params)
    .filter((name) => !known.includes(name))
    .map((name) =>
      kept(
        `source.${name}`,
        `the source connection has a parameter ${name}, for which a manifest has no word`,
      ),
    );
}

interface PulledParts {
  readonly value: Readonly<Record<string, unknown>>;
  /** Members without which it is no source. */
  readonly needs: readonly string[];
  /** Parameters of the source connection that it is made from. */
  readonly reads: readonly string[];
}

const PULLED = {
  kinesis: (auth: Params, params: Params): PulledParts => ({
    value: { stream: params.stream, region: auth.region },
    needs: ['stream', 'region'],
    reads: ['stream'],
  }),
  'event-hubs': (auth: Params, params: Params): PulledParts => ({
    value: {
      namespace: auth.namespace,
      eventHub: params.eventHubName,
      ...(auth.eventHubName !== undefined && { auth: 'event-hub' }),
      ...(params.consumerGroup !== undefined && { consumerGroup: params.consumerGroup }),
    },
    needs: ['namespace', 'eventHub'],
    reads: ['eventHubName', 'consumerGroup'],
  }),
  pubsub: (auth: Params, params: Params): PulledParts => {
    const [topicProject, topic] = pubSubName(params.topicName);
    const [project, subscription] = pubSubName(params.subscriptionName);
    const ofProject = auth.projectId !== undefined;
    return {
      value: {
        project: auth.projectId ?? project ?? topicProject,
        topic,
        subscription,
        ...(!ofProject && (project ?? topicProject) !== undefined && { auth: 'subscription' }),
      },
      needs: ['project', 'topic', 'subscription'],
      reads: ['topicName', 'subscriptionName'],
    };
  },
} as const;

/** `projects/{project}/topics/{topic}`, or the short name alone. */
function pubSubName(name: unknown): [project: string | undefined, short: string | undefined] {
  if (typeof name !== 'string') return [undefined, undefined];
  const [, project, short] = /^projects\/([^/]+)\/(?:topics|subscriptions)\/(.+)$/.exec(name) ?? [];
  return [project, short ?? name];
}
