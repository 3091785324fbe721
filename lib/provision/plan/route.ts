// Plans what becomes of a pipeline's route and of its stream's trigger, which belongs to all routes of the stream.
import { isDeepStrictEqual } from 'node:util';
import { publishedFormat } from '../../formats.ts';
import type { InletSource } from '../../manifest.ts';
import type { Pipeline, Planned } from '../../pipeline.ts';
import { standsForRules } from '../../presets.ts';
import {
  type PublishedRoute,
  parkIn,
  readRoute,
  streamSettingsOf,
  writtenDocument,
} from '../../published.ts';
import type { RouteList, StreamSettings } from '../../route-list.ts';
import type { Trigger } from '../../runtime.ts';
import { MAX_RECORD_AGE_SECONDS } from '../../shared-rules.ts';
import { inletIn, inletMark } from '../resources/inlet.ts';
import type { StreamContext } from '../resources/resource.ts';
import { closingIn, conflictWith, othersIn, readRouteList } from '../routes.ts';
import { unfitTrigger } from '../steps/consumer.ts';
import { otherRoutes, overlapText } from './overlaps.ts';

type OfStream = Pipeline & { readonly streamArn: string };
type PlannedRoute = Omit<Planned, 'resource' | 'name'>;

/** What is planned for the pipeline's route of its stream. */
export async function planRoute(
  pipeline: OfStream,
  source: InletSource,
  { runtime }: StreamContext,
): Promise<PlannedRoute> {
  const { manifest, streamArn, mode } = pipeline;
  const list = await readRouteList(runtime, streamArn);
  if (mode === 'retire') return planLeaving(pipeline, list, runtime);
  if (list !== undefined && list.streamArn !== streamArn) {
    const reason = `${Object.keys(list.routes).join(', ')} is published for ${list.streamArn}, another stream of that name; retire it first, or give the one of this stream another name`;
    return { action: 'conflict', reason };
  }
  const reason = conflictWith(list, manifest.name, settingsIn(source)) ?? withoutRegistry(source, runtime);
  if (reason !== undefined) return { action: 'conflict', reason };
  const published = await readRoute(runtime, streamArn, manifest.name);
  const rest = `${ofFormat(source)}${await besideOthers(pipeline, source, list, runtime)}`;
  if (published === undefined)
    return {
      action: 'create',
      reason: `${joinText(list, manifest.name, source, runtime.clock.now())}${rest}`,
    };
  if (published.sandbox !== manifest.sandbox) {
    const reason = `the pipeline is in the sandbox ${published.sandbox}; give the one in ${manifest.sandbox} another name`;
    return { action: 'conflict', reason };
  }
  return isAsWanted(published, pipeline, source) && list?.closing === undefined
    ? { action: 'keep', reason: `published by ${published.execution}${rest}` }
    : { action: 'update', reason: `the forwarder gets what has changed${rest}` };
}

/** Why the pipeline's records would wait for their schema for ever: its container may not ask for it. */
function withoutRegistry(
  { format }: InletSource,
  { settings }: StreamContext['runtime'],
): string | undefined {
  const asks = format !== undefined && 'schemaIn' in format && format.schemaIn === 'glue';
  if (!asks || settings.schemaRegistry) return undefined;
  return 'source.format has "schemaIn": "glue", and the deployment may not ask AWS Glue for schemas; deploy with glueSchemaRegistry: yes, or give the schema in the manifest';
}

/** The stream settings that the manifest asks for. */
function settingsIn({ compression, format, unrouted }: InletSource): StreamSettings {
  const published = publishedFormat(format);
  return streamSettingsOf({ compression, ...(published !== undefined && { format: published }), unrouted });
}

/** The rules that the format stands for, as far as the manifest does not say otherwise. */
function ofFormat({ format, records }: InletSource): string {
  if (!standsForRules(format)) return '';
  return `; with the format ${format?.kind} source.records is ${JSON.stringify(records)}`;
}

/** Which records go to other pipelines of the stream as well, and which go to none. */
async function besideOthers(
  { manifest: { name }, samples }: OfStream,
  source: InletSource,
  list: RouteList | undefined,
  runtime: StreamContext['runtime'],
): Promise<string> {
  const others = await otherRoutes(list, name, runtime);
  const text = overlapText({ pipeline: name, where: source.records?.where }, source, others, samples);
  return text === '' ? '' : `; ${text}`;
}

function joinText(list: RouteList | undefined, name: string, { startAt }: InletSource, now: number): string {
  const others = othersIn(list, name);
  if (others.length === 0) return 'this stream carries no pipeline yet';
  const earlier =
    startAt === 'now'
      ? ''
      : `. source.startAt (${startAt}) is for a new trigger only: the report of the run has the event that sends what arrived before`;
  const closing = closingIn(list, now);
  const leaving =
    closing === undefined
      ? ''
      : `, once ${others.join(', ')} is retired: the execution ${closing.execution} began that at ${closing.since}, and keeps others out until ${closing.until}. If it was stopped, retire ${others.join(', ')} again`;
  return `joins the stream beside ${others.join(', ')}${leaving}; it starts at its publication: what arrived before is not sent${earlier}`;
}

function isAsWanted(published: PublishedRoute, { resources }: Pipeline, source: InletSource): boolean {
  return (
    published.flowId === resources.flow?.id &&
    published.datasetId === resources.dataset?.id &&
    published.schemaId === resources.schema?.id &&
    published.identityDatasetId === resources['identity-dataset']?.id &&
    hasInlet(published, resources['base-connection']?.inlet) &&
    published.data === source.data &&
    isDeepStrictEqual(streamSettingsOf(published), settingsIn(source)) &&
    isDeepStrictEqual(published.records, source.records) &&
    (published.order ?? 'key') === source.order &&
    isDeepStrictEqual(published.park, parkIn(source).park) &&
    isDeepStrictEqual(published.rate, source.rate)
  );
}

/** AEP's list need not tell the inlet. Then publish reads the connection itself. */
function hasInlet(published: PublishedRoute, mark: string | undefined): boolean {
  return mark === undefined || mark === inletMark(inletIn(published));
}

/** What an execution left that was stopped while it retired the pipeline goes as well. */
async function planLeaving(
  { manifest, streamArn }: OfStream,
  list: RouteList | undefined,
  runtime: StreamContext['runtime'],
): Promise<PlannedRoute> {
  const isOnList = list?.routes[manifest.name] !== undefined;
  // One that is listed goes, whether or not its document can be read.
  const isLeft =
    isOnList ||
    (list !== undefined && othersIn(list, manifest.name).length === 0) ||
    (await writtenDocument(runtime, streamArn, manifest.name)) !== undefined;
  return isLeft
    ? { action: 'remove', reason: 'the pipeline is retired' }
    : { action: 'none', reason: 'the stream does not carry this pipeline' };
}

/** What is planned for the trigger: the first pipeline of a stream makes it, and it goes with the last one. */
export async function planTrigger(pipeline: Pipeline, { runtime }: StreamContext): Promise<Planned> {
  const { streamArn, mode, manifest } = pipeline;
  const entry = { resource: 'trigger' as const, name: streamArn ?? manifest.source.kind };
  if (streamArn === undefined) return { ...entry, action: 'none', reason: 'AEP reads the source itself' };
  const trigger = await runtime.triggers.find(streamArn);
  const list = await readRouteList(runtime, streamArn);
  const others = othersIn(list, manifest.name);
  if (mode === 'retire') {
    const isOnList = list?.routes[manifest.name] !== undefined;
    if (trigger === undefined || (others.length > 0 && !isOnList))
      return { ...entry, action: 'none', reason: 'nothing reads the stream for this pipeline' };
    return others.length > 0
      ? {
          ...entry,
          action: 'keep',
          reason: `the stream carries ${others.join(', ')} as well`,
          id: trigger.id,
        }
      : { ...entry, action: 'remove', reason: 'the pipeline is retired', id: trigger.id };
  }
  if (trigger === undefined) return { ...entry, ...MISSING_TRIGGER };
  const unfit = unfitTrigger(pipeline, trigger, runtime) ?? tooLate(pipeline, trigger);
  if (unfit !== undefined) {
    const shared = [manifest.name, ...others].join(', ');
    const reason = others.length === 0 ? unfit : `${shared} have one trigger: ${unfit}`;
    return { ...entry, action: 'conflict', reason, id: trigger.id };
  }
  return { ...entry, ...existing(trigger, others) };
}

/** Why nothing would ever be parked: Lambda discards the records before. */
function tooLate(
  { manifest: { source } }: Pipeline,
  { maximumRecordAgeSeconds: most }: Trigger,
): string | undefined {
  const afterSeconds = source.kind === 'inlet' ? parkIn(source).park?.afterSeconds : undefined;
  if (afterSeconds === undefined || most === undefined || most < 0 || afterSeconds < most) return undefined;
  return `nothing would be parked: source.parkAfterSeconds is ${afterSeconds}, and the trigger's MaximumRecordAgeInSeconds ${most}; give fewer seconds, or set the latter to ${MAX_RECORD_AGE_SECONDS}`;
}

const MISSING_TRIGGER = { action: 'create', reason: 'nothing reads the stream yet' } as const;

function existing({ id, state }: Trigger, others: readonly string[]): PlannedRoute {
  const now = state === 'on' ? 'it is on' : 'it is there and will be switched on';
  const theirs = others.length === 0 ? '' : `; the stream carries ${others.join(', ')} as well`;
  const reason = `${now}; it reads on from where it is, as startAt is for a new trigger only${theirs}`;
  return { action: state === 'on' ? 'keep' : 'update', reason, id };
}
