// The source of a manifest, from what AEP tells of a base and a source connection.

import { tagInDescription } from '../provision/resources/ownership-tag.ts';
import { sourceKindOf } from '../provision/resources/source.ts';
import { type Expressed, type ImportFinding, kept, notTold, unsaidMembers } from './finding.ts';
import type { WalkedFlow } from './walked.ts';

type Params = Readonly<Record<string, unknown>>;

/** What AEP never tells, and the caller may. */
export interface ToldSource {
  /** Of an inlet: the Kinesis stream that is to feed it. */
  readonly stream?: string | undefined;
  /** Of a pulled source: the name of the secret with its credentials. */
  readonly sourceCredentials?: string | undefined;
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

/** Of a pipeline of Penstock's, AEP does not see what Penstock does before the inlet. */
function unseen({ flow }: WalkedFlow): ImportFinding[] {
  const pipeline = tagInDescription(flow.description)?.pipeline;
  if (pipeline === undefined) return [];
  const why = `it is Penstock's pipeline ${pipeline}, and AEP does not see what happens before the inlet: records, format, order, rate and the like. Take them from the manifest that was applied, or go on with that one`;
  return [notTold('source.records', why)];
}

const UNTOLD_INLET = { dataType: undefined, authenticationRequired: undefined };

const NO_STREAM =
  'AEP does not know what feeds its inlet: name the Kinesis stream that Penstock is to feed it from. Whoever feeds it now has to stop then, or records arrive twice';

function inletOf(walked: WalkedFlow, told: ToldSource): Expressed<Params> {
  const { base, mappingSet, source } = walked;
  const { dataType, authenticationRequired } = base.auth?.params ?? UNTOLD_INLET;
  const stream = told.stream ?? tagInDescription(base.description)?.notes?.stream;
  const data = dataType ?? (mappingSet === undefined ? 'xdm' : 'raw');
  return {
    value: {
      ...(stream !== undefined && { stream }),
      data,
      ...(authenticationRequired !== undefined && { authenticationRequired }),
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
      ...unseen(walked),
    ],
  };
}

const NO_CREDENTIALS =
  'AEP never shows a secret: put its credentials into a secret of Secrets Manager, and name that';

function pulledOf(
  kind: string | undefined,
  auth: Params,
  params: Params,
  { sourceCredentials }: ToldSource,
): Expressed<Params> {
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
