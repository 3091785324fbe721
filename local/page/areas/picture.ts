// The picture of one source: the tree of all that reads it, down to the datasets. What is wrong stands beside it.

import type { Feed } from '../events.ts';
import { failureOf } from '../failures.ts';
import { type KnownPipeline, knownPipelines } from '../known.ts';
import { reportIn } from '../reported.ts';
import type { Stored } from '../store.ts';
import type { Health, Part, Picture, Trouble } from '../told.ts';
import type { Looked, Watched } from '../watched.ts';
import { fares, receivedByConnection, refusalsOf, sandboxOf, tallyOf, triggerOf } from './pipelines.ts';

/** The picture again whenever anything in it has changed. */
export function pictureFeed({ watched, store }: Looked, source: string): Feed {
  let told = '';
  return async (): Promise<Picture | undefined> => {
    const picture = pictureOf(watched, source, await store.rejected());
    const text = JSON.stringify(picture);
    if (text === told) return undefined;
    told = text;
    return picture;
  };
}

/** @param source a stream's name, or that of another source */
export function pictureOf(watched: Watched, source: string, stored: readonly Stored[]): Picture {
  const pipelines = [...knownPipelines(watched.executions.all).values()].filter(
    (known) => known.source === source,
  );
  const [first] = pipelines;
  if (first === undefined) return { source, parts: [], links: [], troubles: [] };
  const trunk = trunkOf(watched, first);
  const branches = pipelines.map((known) => branchOf(watched, known, stored));
  const before = trunk.at(-1)?.id ?? '';
  return {
    source,
    parts: [...trunk, ...branches.flatMap(({ parts }) => parts)],
    links: [
      ...chain(trunk),
      ...branches.flatMap(({ links, parts: [head] }) => [[before, head.id] as const, ...links]),
    ],
    troubles: branches.flatMap(({ troubles }) => troubles),
  };
}

function chain(parts: readonly Part[]): (readonly [string, string])[] {
  return parts.slice(1).map((part, index) => [parts[index]?.id ?? '', part.id]);
}

/** What all pipelines of a source share: the source itself, and the trigger where Lambda reads it. */
function trunkOf(watched: Watched, first: KnownPipeline): Part[] {
  const { source, manifest } = first;
  const kind = manifest?.source.kind ?? 'inlet';
  const head = { id: 'source', kind: SOURCES[kind], name: source, health: 'good' as const };
  if (kind !== 'inlet') return [{ ...head, says: 'AEP reads it by itself', counts: [], facts: [] }];
  const { records, redelivered, discarded, invocations, shards } = watched.aws.mappings.progress(source);
  const trigger = triggerOf(watched, first);
  return [
    {
      ...head,
      says:
        shards.length === 0
          ? 'nobody reads it yet'
          : `${shards.length} ${shards.length === 1 ? 'shard' : 'shards'}`,
      counts: [['read', records - redelivered]],
      facts: shards.map(({ shardId, checkpoint }) => [shardId, checkpoint ?? 'nothing read yet']),
    },
    {
      id: 'trigger',
      kind: 'Trigger',
      name: 'Lambda',
      health: trigger === undefined ? 'off' : trigger.state === 'Enabled' ? 'good' : 'busy',
      says: trigger === undefined ? 'not there yet' : trigger.state.toLowerCase(),
      counts: [['invocations', invocations], ...some('again', redelivered), ...some('discarded', discarded)],
      facts:
        trigger === undefined
          ? []
          : [
              ['function', trigger.functionName],
              ['id', trigger.uuid],
              ['last result', trigger.lastResult],
            ],
    },
  ];
}

/** A count that is worth a word only where there is something to count. */
const some = (what: string, value: number): (readonly [string, number])[] =>
  value > 0 ? [[what, value]] : [];

const SOURCES = {
  inlet: 'Stream',
  kinesis: 'Stream',
  'event-hubs': 'Event hub',
  pubsub: 'Subscription',
} as const;

interface Branch {
  /** The first comes behind what all pipelines of the source share. */
  readonly parts: readonly [Part, ...Part[]];
  readonly links: readonly (readonly [string, string])[];
  readonly troubles: readonly Trouble[];
}

function branchOf(watched: Watched, known: KnownPipeline, stored: readonly Stored[]): Branch {
  const rejects = stored.filter(({ pipeline }) => pipeline === known.name);
  const first = pipelinePart(watched, known);
  const way = [first, ...waysParts(watched, known)];
  const { refused } = tallyOf(watched, known);
  const troubles = troublesOf(watched, known, { rejected: rejects.length, refused });
  // What AEP reads by itself passes no dead-letter store of ours.
  if (!isFed(known)) return { parts: [first, ...way.slice(1)], links: chain(way), troubles };
  const kept = deadLettersPart(known.name, rejects);
  return {
    parts: [first, ...way.slice(1), kept],
    links: [...chain(way), [first.id, kept.id]],
    troubles,
  };
}

const isFed = ({ manifest }: KnownPipeline) => manifest?.source.kind === 'inlet';

function pipelinePart(watched: Watched, known: KnownPipeline): Part {
  const { name, sandbox, manifest } = known;
  const rules = (manifest?.source.kind === 'inlet' && manifest.source.records?.where?.length) || 0;
  const takes = rules === 0 ? 'every record' : `records that fit ${rules} ${rules === 1 ? 'rule' : 'rules'}`;
  return {
    id: `${name}/pipeline`,
    kind: 'Pipeline',
    name,
    ...fares(watched, known),
    counts: [],
    facts: [
      ['sandbox', sandbox],
      ['takes', takes],
    ],
  };
}

/** The parts in AEP, in the order in which a message passes them. */
function waysParts(watched: Watched, known: KnownPipeline): Part[] {
  const { manifest } = known;
  const received = receivedByConnection(watched).get(known.made?.['base-connection']?.id ?? '') ?? 0;
  const { landed, refused, profileOnly } = tallyOf(watched, known);
  const flow = flowOf(watched, known);
  const inlet = isFed(known)
    ? inletPart(watched, known, received)
    : resourcePart(known, 'base-connection', 'Connection', 'reads the source');
  const counts = [
    ['rows', landed] as const,
    ...some('refused', refused),
    ...some('in Profile alone', profileOnly),
  ];
  return [
    inlet,
    { ...resourcePart(known, 'flow', 'Flow', flow.says), health: flow.health },
    ...(manifest?.mapping === undefined
      ? []
      : [resourcePart(known, 'mapping', 'Mapping', `${manifest.mapping.length} rules`)]),
    resourcePart(known, 'dataset', 'Dataset', 'keeps the rows', counts),
    resourcePart(known, 'schema', 'Schema', schemaSays(known)),
  ];
}

function inletPart(watched: Watched, known: KnownPipeline, received: number): Part {
  const refusals = refusalsOf(watched, known);
  const says = refusals === undefined ? 'takes messages in' : `refuses them with ${refusals.status}`;
  const counts = [['received', received] as const, ...some('refused', refusals?.requests ?? 0)];
  const part = resourcePart(known, 'base-connection', 'Inlet', says, counts);
  return refusals === undefined ? part : { ...part, health: 'bad' };
}

/** A resource of AEP's, as far as it is made. */
function resourcePart(
  { name, made }: KnownPipeline,
  resource: 'base-connection' | 'flow' | 'mapping' | 'dataset' | 'schema',
  kind: string,
  says: string,
  counts: Part['counts'] = [],
): Part {
  const one = made?.[resource];
  return {
    id: `${name}/${resource}`,
    kind,
    name: one?.name ?? 'not made yet',
    health: one === undefined ? 'off' : 'good',
    says,
    counts,
    facts: one === undefined ? [] : [['id', one.id]],
  };
}

function deadLettersPart(name: string, rejects: readonly Stored[]): Part {
  const isEmpty = rejects.length === 0;
  return {
    id: `${name}/dead-letters`,
    kind: 'Dead letters',
    name: 'dead-letter store',
    health: isEmpty ? 'good' : 'bad',
    says: isEmpty ? 'nothing was rejected' : 'kept with their reasons',
    counts: [['rejected', rejects.length]],
    facts: [...Map.groupBy(rejects, ({ entry }) => entry.reason)].map(([reason, those]) => [
      reason,
      String(those.length),
    ]),
  };
}

function schemaSays({ manifest }: KnownPipeline): string {
  const schema = manifest?.schema;
  if (schema === undefined || 'id' in schema) return 'given by its id';
  return `class ${schema.class}, ${schema.fieldGroups.length} field groups`;
}

function flowOf(watched: Watched, known: KnownPipeline): { readonly health: Health; readonly says: string } {
  const flow = sandboxOf(watched, known)?.flows.get(known.made?.flow?.id ?? '');
  if (flow === undefined) return { health: known.made === undefined ? 'off' : 'bad', says: 'is not in AEP' };
  if (flow.state !== 'enabled') return { health: 'bad', says: `is ${flow.state}` };
  const left = Math.ceil((flow.acceptsFrom - watched.platform.platform.clock.now()) / 1000);
  return left > 0
    ? { health: 'busy', says: `warm in ${left} s` }
    : { health: 'good', says: 'enabled and warm' };
}

/** What is wrong, each with what to do next. */
function troublesOf(
  watched: Watched,
  known: KnownPipeline,
  { rejected, refused }: { readonly rejected: number; readonly refused: number },
): Trouble[] {
  const { name: pipeline, last, made } = known;
  const troubles: Trouble[] = [];
  const failed = failureOf(last, reportIn(last));
  if (failed !== undefined)
    troubles.push({
      pipeline,
      what: `Its execution failed${failed.state && ` at ${failed.state}`}. ${failed.code}: ${failed.what}`,
      next: failed.next,
    });
  const refusals = refusalsOf(watched, known);
  if (refusals !== undefined)
    troubles.push({
      pipeline,
      what: `The inlet has refused ${refusals.requests} requests since it last took one, the last with ${refusals.status}.`,
      next: 'Look at its answers in Requests. If you have switched a fault on, end it: what waits is sent then.',
    });
  for (const { reason, messages, flowId } of watched.platform.platform.state.losses.values())
    if (flowId !== null && flowId === made?.flow?.id)
      troubles.push({
        pipeline,
        what: `AEP took ${messages} messages in and lost them: ${reason}.`,
        next: 'Look at the flow, correct it, and send them again from the stream (redrive).',
      });
  if (rejected > 0)
    troubles.push({
      pipeline,
      what: `${rejected} ${rejected === 1 ? 'message was' : 'messages were'} rejected. The dead-letter store keeps them with their reasons.`,
      next: 'Correct the cause, then redrive.',
    });
  if (refused > 0)
    troubles.push({
      pipeline,
      what: `${refused} ${refused === 1 ? 'row was' : 'rows were'} refused after AEP had received the messages.`,
      next: 'Read the reason in the failed batch, correct the mapping or the records, then reconcile and redrive.',
    });
  return troubles;
}
