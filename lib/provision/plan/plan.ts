// The plan: looks at what is there, and says what to do about each resource and why. Changes nothing.
import { CONNECTION_SPECS } from '../../aep/flow-service.ts';
import type { Sandbox } from '../../aep/sandboxes.ts';
import { Failure } from '../../failure.ts';
import { credentialsIn, sandboxIn } from '../../kept-manifest.ts';
import { Manifest } from '../../manifest.ts';
import { didYouMean } from '../../nearest.ts';
import { merges } from '../../operations.ts';
import { nameInAep, type Pipeline, type Planned, type ResourceKey } from '../../pipeline.ts';
import { streamNameOf } from '../../published.ts';
import type { Ledger, LedgerRecord } from '../../runtime.ts';
import { findSandbox, toldSandbox } from '../../sandbox.ts';
import { clip, clipMiddle, jsonBytes, MAX_CAUSE } from '../clip.ts';
import { readKnown } from '../known.ts';
import { outcomeBefore } from '../outcome.ts';
import { asMade, inventory, withOthers } from '../resources/ensure.ts';
import {
  type Context,
  type Decision,
  type Difference,
  type Found,
  givenIn,
  ifThere,
  inFull,
  isConsequence,
  needsTenant,
  type Resource,
  type StreamContext,
} from '../resources/resource.ts';
import { resourcesOf } from '../resources/resources.ts';
import { exclusivePlaceOf, isPulled, readSourceCredentials, readsElsewhere } from '../resources/source.ts';
import { readRouteList } from '../routes.ts';
import { arrayWarnings } from './array-warnings.ts';
import { cloudWarnings } from './cloud.ts';
import { foreseenOf } from './foreseen.ts';
import { leadBackWarnings } from './lead-back.ts';
import { movedFailure } from './moved.ts';
import { planRoute, planTrigger } from './route.ts';
import { noteDecision, type ResourcesRead, readingOnce, stateRead } from './state-read.ts';
import { movedParts, planToken } from './token.ts';

/**
 * The pipeline with its plan. What is kept is in `resources` already, so steps need not look again. Conflicts
 * become the `failure` of an execution that was to change something; the plan still lists everything.
 * @throws Failure `AEP_NOT_FOUND` if the manifest's own `$id` is not there; `SECRET_*` of the source's
 * credentials.
 * @throws Failure `EVENT_INVALID` if it should retire a pipeline that never existed.
 */
export async function plan(pipeline: Pipeline, given: StreamContext): Promise<Pipeline> {
  const { mode, manifest } = pipeline;
  const context = { ...given, runtime: readingOnce(given.runtime) };
  const read: ResourcesRead = new Map();
  const record = await context.runtime.ledger.read(manifest.name);
  let planned = await prepared({ ...pipeline, ...enteredSoFar(pipeline, record) }, record, context);
  for (const resource of resourcesOf(planned))
    planned = await (mode === 'retire'
      ? planRemoval(resource, planned, context)
      : planResource(resource, planned, context, read));
  planned = mode === 'retire' ? sparing(planned) : withoutUsed(planned);
  const rest = [await planPublish(planned, record, context), await planTrigger(planned, context)];
  planned = { ...planned, plan: boundedPlan([...planned.plan, ...rest]) };
  if (mode === 'retire') {
    await checkWas(planned, record, context.runtime.ledger);
    planned = { ...planned, warnings: [] };
  } else planned = await withToken(await withWarnings(planned, context), record, read, context);
  if (planned.failure !== undefined) return planned;
  const conflicts = planned.plan.filter(({ action }) => action === 'conflict');
  if (mode === 'plan' || conflicts.length === 0) return planned;
  const lines = conflicts.map(
    ({ resource, name, reason, differences = [] }) => `${resource} ${name}: ${inFull(reason, differences)}`,
  );
  const next = 'Resolve each conflict as described, then start it again.';
  const { message, code } = new Failure('CONFLICT', clip(lines.join(' / '), MAX_CAUSE), { next });
  return { ...planned, failure: { Error: 'Penstock.Conflict', Cause: message, code, next } };
}

/** With it the first step knows that it is the first: this execution has the lease, and no step has begun. */
function enteredSoFar({ execution }: Pipeline, record: LedgerRecord | undefined): Pick<Pipeline, 'entered'> {
  return record?.owner === execution.id ? { entered: record.entered ?? 0 } : {};
}

/** With the token of what was read. If the request has one of another state, that is its failure. */
async function withToken(
  planned: Pipeline,
  record: LedgerRecord | undefined,
  read: ResourcesRead,
  context: StreamContext,
): Promise<Pipeline> {
  const state = await stateRead(planned, record, read, context);
  const known = { ...planned, token: planToken(state) };
  const { token } = planned;
  const moved = token === undefined ? [] : movedParts(token, state);
  if (token === undefined || moved.length === 0) return known;
  const failure = movedFailure(moved, { token, state, plan: known.plan });
  return { ...known, moved, ...outcomeBefore(record?.report, planned), failure };
}

/** With warnings, and in a plan with the type of the sandbox: who applies it by hand may be asked for its name. */
async function withWarnings(planned: Pipeline, context: StreamContext): Promise<Pipeline> {
  const { mode, manifest } = planned;
  const asked = mode === 'plan' || manifest.source.kind === 'pubsub';
  const found = asked ? await findSandbox(context.aep, manifest.sandbox) : undefined;
  const twice = await ingestedTwice(planned, context);
  const doubled = new Set<Planned['resource']>([
    ...(twice === undefined ? [] : [entranceOf(manifest)]),
    ...(readAgain(planned) ? (['flow'] as const) : []),
  ]);
  const warnings = await warningsOf(planned, found, twice, context);
  return {
    ...planned,
    plan: planned.plan.map((one) => (doubled.has(one.resource) ? { ...one, readTwice: true } : one)),
    warnings,
    ...(asked && { sandbox: toldSandbox(manifest.sandbox, found) }),
  };
}

/** What the inventory needs first. A missing secret is reported before anything is made. */
async function prepared(
  pipeline: Pipeline,
  record: LedgerRecord | undefined,
  { aep, runtime }: StreamContext,
): Promise<Pipeline> {
  const { manifest, mode } = pipeline;
  if (isPulled(manifest.source) && mode !== 'retire') await readSourceCredentials(manifest.source, runtime);
  const tenant = needsTenant(manifest) ? await aep.schemaRegistry.tenantId() : undefined;
  return { ...pipeline, ...readKnown(record?.known), ...(tenant !== undefined && { tenant }) };
}

/**
 * A pipeline that was retired may be retired again: the ledger knows it. If the ledger does not know it and
 * nothing of it exists, the name is most likely misspelt.
 */
async function checkWas(
  { plan, old, manifest }: Pipeline,
  record: LedgerRecord | undefined,
  ledger: Ledger,
): Promise<void> {
  if (record?.manifest !== undefined || record?.known !== undefined) return;
  if (old.length > 0 || plan.some(({ action }) => action !== 'none')) return;
  // This execution's lease has made the item already.
  const others = (await ledger.names()).filter((name) => name !== manifest.name);
  const near = didYouMean([manifest.name], others);
  throw new Failure(
    'EVENT_INVALID',
    `there is nothing to retire: no pipeline ${manifest.name} has been applied, and nothing of it is in the sandbox ${manifest.sandbox}${near}`,
    { next: 'Retire it under the name it was applied by: status with {} lists the pipelines there are.' },
  );
}

/** Most bytes in the document of 256 KB: all texts of resources, one such text, and the failure. */
const MAX_SAID = 36_000;
const MAX_REASON = 1_500;
const MAX_VALUE = 150;
const MAX_DIFFERENCES = 25;

type Entry = Omit<Planned, 'resource' | 'name'>;

function withEntry(pipeline: Pipeline, key: ResourceKey, entry: Entry): Pipeline {
  const name = nameInAep(key, pipeline.manifest);
  return { ...pipeline, plan: [...pipeline.plan, { resource: key, name, ...entry }] };
}

async function planResource(
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
  read: ResourcesRead,
): Promise<Pipeline> {
  const { key } = resource;
  const { manifest } = pipeline;
  if (!resource.needed(manifest))
    return withEntry(pipeline, key, { action: 'none', reason: 'this pipeline needs none' });
  const given = givenIn(manifest, resource);
  if (given !== undefined) {
    const { id } = given;
    const { differences, revision, details } = await given.check(context, pipeline);
    read.set(key, { id, differences, revision });
    const made = { id, name: id, how: 'given' as const, ...details };
    const known = { ...pipeline, resources: { ...pipeline.resources, [key]: made } };
    if (differences.length === 0)
      return withEntry(known, key, { action: 'keep', reason: 'named by the manifest', id });
    const reason = `${id}, which the manifest names, does not fit`;
    return withEntry(known, key, {
      action: 'conflict',
      reason,
      id,
      differences: toldDifferences(differences),
    });
  }
  const decision = await inventory(resource, pipeline, context);
  noteDecision(read, key, decision);
  const known = withFound(withOthers(pipeline, resource, decision), resource, decision);
  const entry = permittedEntry(planEntry(resource, decision, pipeline), manifest.allowIrreversible);
  return withEntry(known, key, await possible(entry, resource, pipeline, context));
}

/** A change that is not possible is a conflict before anything is changed. */
async function possible(
  entry: Entry,
  resource: Resource,
  pipeline: Pipeline,
  context: Context,
): Promise<Entry> {
  if (entry.action === 'keep' || entry.action === 'conflict') return entry;
  const reason =
    resource.kind === 'changeable' || resource.kind === 'entries'
      ? await resource.impossible?.(context, pipeline)
      : undefined;
  return reason === undefined ? entry : { ...entry, action: 'conflict', reason };
}

/**
 * Resources that stay are known to those after them. Resources still to be changed are known too, and marked.
 */
function withFound(pipeline: Pipeline, resource: Resource, { action, found }: Decision): Pipeline {
  if (found === undefined || (action !== 'keep' && action !== 'update' && action !== 'adopt'))
    return pipeline;
  const made = { ...asMade(resource, pipeline, found), ...(action !== 'keep' && { pending: true }) };
  return { ...pipeline, resources: { ...pipeline.resources, [resource.key]: made } };
}

function planEntry(resource: Resource, { action, reason, found }: Decision, { manifest }: Pipeline): Entry {
  const all = found?.differences ?? [];
  // Each change is named once; what follows from it names it as reason. A conflict is settled at its own
  // resource.
  const differences = toldDifferences(action === 'conflict' ? all : all.filter((one) => !isConsequence(one)));
  const irreversible = action !== 'keep' && resource.kind === 'switch' ? resource.irreversible : undefined;
  return {
    action,
    reason: `${reason}${renamed(resource, found, manifest)}`,
    ...(found !== undefined && { id: found.id }),
    ...(differences.length > 0 && { differences }),
    ...(action !== 'keep' && all.some(({ elsewhere }) => elsewhere === true) && { elsewhere: true }),
    ...(irreversible !== undefined && { irreversible }),
  };
}

/** The name of a mapping set is its ownership tag, not the name in the manifest. */
function renamed({ key }: Resource, found: Found | undefined, manifest: Manifest): string {
  if (found?.name === undefined || key === 'mapping' || found.name === nameInAep(key, manifest)) return '';
  return `; it is called ${found.name} in AEP: names are not changed`;
}

/**
 * Shortens the plan for a reader: each resource gets its share of the document's room, and says what is left
 * out.
 */
function boundedPlan(plan: readonly Planned[]): Planned[] {
  const share = Math.floor(MAX_SAID / plan.length);
  return plan.map((one) => {
    const reason = clipMiddle(one.reason, Math.min(MAX_REASON, Math.floor(share / 2)));
    const rest = one.differences && {
      differences: shownDifferences(one.differences, share - jsonBytes(reason)),
    };
    return { ...one, reason, ...rest };
  });
}

/** As many of the first differences as there is room for, each shortened. */
function shownDifferences(differences: Differences, room: number): Differences {
  const short = differences.slice(0, MAX_DIFFERENCES).map(({ field, found, wanted }) => ({
    field: clip(field, MAX_VALUE),
    found: clip(found, MAX_VALUE),
    wanted: clip(wanted, MAX_VALUE),
  }));
  while (short.length > 0 && jsonBytes(short) > room) short.pop();
  const more = differences.length - short.length;
  return more === 0 ? short : [...short, { field: '…', found: `${more} more`, wanted: `${more} more` }];
}

type Differences = NonNullable<Planned['differences']>;

/** Without the advice. */
function toldDifferences(differences: readonly Difference[]): Differences {
  return differences.map(({ field, found, wanted }) => ({ field, found, wanted }));
}

function permittedEntry(entry: Entry, allowed: boolean): Entry {
  if (entry.irreversible === undefined || allowed) return entry;
  const reason = `${entry.irreversible}; "allowIrreversible": true in the manifest allows it`;
  return { ...entry, action: 'conflict', reason };
}

/** Resources that hold data or describe it. They are removed only if the request says so. */
const HOLDS_DATA = /^(schema|identity|profile|dataset|identity-dataset|field-group:.*)$/;

async function planRemoval(resource: Resource, pipeline: Pipeline, context: Context): Promise<Pipeline> {
  const { key } = resource;
  const { manifest, deleteData } = pipeline;
  const none = (reason: string) => withEntry(pipeline, key, { action: 'none', reason });
  if (!resource.needed(manifest)) return none('this pipeline needs none');
  if (givenIn(manifest, resource) !== undefined) return none('named by the manifest: it is not ours');
  const { found, others } = await inventory(
    resource,
    { ...pipeline, manifest: { ...manifest, adopt: false } },
    context,
  );
  if (found?.ownershipTag?.pipeline !== manifest.name) return none('there is none of ours');
  const elsewhere = found.differences.filter(
    ({ field }) => field === 'source.stream' || field === 'source.kind',
  );
  if (elsewhere.length > 0) {
    const reason = 'it reads from another place: retire it with the manifest that is in force';
    return withEntry(pipeline, key, {
      action: 'conflict',
      reason,
      id: found.id,
      differences: toldDifferences(elsewhere),
    });
  }
  const ours = [...new Map([found, ...others].map((one) => [one.id, one])).values()];
  const known = {
    ...pipeline,
    resources: { ...pipeline.resources, [key]: asMade(resource, pipeline, found) },
  };
  const stays = staysBecause(resource, deleteData);
  if (stays !== undefined) return withEntry(known, key, { action: 'keep', reason: stays, id: found.id });
  const going = withOthers(known, resource, { action: 'replace', reason: '', found, others: ours });
  return withEntry(going, key, { action: 'remove', reason: 'the pipeline is retired', id: found.id });
}

/** Was to be removed by an earlier manifest, and is wanted by this one. */
function withoutUsed(pipeline: Pipeline): Pipeline {
  const { old, resources } = pipeline;
  return { ...pipeline, old: old.filter(({ resource, id }) => resources[resource]?.id !== id) };
}

/** A schema in Profile cannot be removed, nor can its field groups and identities. */
function sparing(pipeline: Pipeline): Pipeline {
  if (pipeline.resources.schema?.union !== true) return pipeline;
  const forEver = (key: string) => /^(schema|identity|field-group:.*)$/.test(key);
  const reason = 'the schema is in Profile: AEP cannot undo it';
  return {
    ...pipeline,
    old: pipeline.old.filter(({ resource }) => !forEver(resource)),
    plan: pipeline.plan.map((one) =>
      one.action === 'remove' && forEver(one.resource) ? { ...one, action: 'keep' as const, reason } : one,
    ),
  };
}

function staysBecause({ key, kind }: Resource, deleteData: boolean): string | undefined {
  if (HOLDS_DATA.test(key) && !deleteData) return 'it is removed only with "deleteData": true';
  return kind === 'switch' ? 'AEP cannot undo it' : undefined;
}

async function planPublish(
  pipeline: Pipeline,
  record: LedgerRecord | undefined,
  context: StreamContext,
): Promise<Planned> {
  const { manifest, streamArn, mode, home } = pipeline;
  const entry = { resource: 'publish' as const, name: streamArn ?? manifest.source.kind };
  const sandbox = sandboxIn(record?.manifest);
  if (sandbox !== undefined && sandbox !== manifest.sandbox) {
    const reason = `the pipeline is in the sandbox ${sandbox}; retire it there first, or give the one in ${manifest.sandbox} another name and stream`;
    return { ...entry, action: 'conflict', reason };
  }
  const credentials = credentialsIn(record?.manifest);
  if (record?.manifest !== undefined && credentials !== manifest.credentials) {
    const [before, now] = [credentials, manifest.credentials].map((one) => one ?? "the stage's own");
    const reason = `the pipeline was made with the credentials ${before}; retire it with those first, or give the one with ${now} another name`;
    return { ...entry, action: 'conflict', reason };
  }
  if (home !== undefined && home !== manifest.sandbox) {
    const reason = `an unfinished execution has left ${Object.keys(pipeline.hints).join(', ')} in the sandbox ${home}; retire it there first, or finish it there`;
    return { ...entry, action: 'conflict', reason };
  }
  if (streamArn === undefined || manifest.source.kind !== 'inlet') {
    const reader = mode === 'retire' ? undefined : await otherReader(manifest, context.runtime);
    return reader === undefined
      ? { ...entry, action: 'none', reason: 'AEP reads the source itself: nothing is forwarded' }
      : { ...entry, action: 'conflict', reason: reader };
  }
  return { ...entry, ...(await planRoute({ ...pipeline, streamArn }, manifest.source, context)) };
}

/** Another pipeline that reads the same source. Each of the two would get a part of the messages. */
async function otherReader(
  { name, source }: Manifest,
  { ledger }: StreamContext['runtime'],
): Promise<string | undefined> {
  const place = exclusivePlaceOf(source);
  if (place === undefined) return undefined;
  const other = await appliedBesides(name, ledger, (theirs) => exclusivePlaceOf(theirs) === place);
  if (other === undefined) return undefined;
  return `${place} can have only one reader, and the pipeline ${other} reads it: retire that one, or give this one another source`;
}

/** The name of another pipeline of this deployment with such a source. */
async function appliedBesides(
  name: string,
  ledger: StreamContext['runtime']['ledger'],
  isSuch: (source: Manifest['source']) => boolean,
): Promise<string | undefined> {
  for (const other of await ledger.names()) {
    if (other === name) continue;
    const applied = Manifest.safeParse((await ledger.read(other))?.manifest);
    if (applied.success && isSuch(applied.data.source)) return other;
  }
  return undefined;
}

async function warningsOf(
  pipeline: Pipeline,
  sandbox: Sandbox | undefined,
  twice: string | undefined,
  context: StreamContext,
): Promise<string[]> {
  const { source } = pipeline.manifest;
  const action = (key: ResourceKey) => pipeline.plan.find(({ resource }) => resource === key)?.action;
  const grows = pipeline.plan.some(
    (one) =>
      one.action === 'update' && (one.resource === 'schema' || one.resource.startsWith('field-group:')),
  );
  const { refused, doubtful } = foreseenOf(pipeline.manifest);
  return [
    ...refused,
    ...doubtful,
    // `begin` has looked at the stream.
    ...pipeline.warnings,
    ...cloudWarnings(pipeline.manifest, sandbox),
    ...(twice === undefined ? [] : [twice]),
    ...(isPulled(source) && takesOver(pipeline)
      ? [readAgain(pipeline) ? pulledTwice(source.kind) : MOVED]
      : []),
    ...(grows && action('flow') === 'keep'
      ? ['AEP may validate records against the old schema for up to 15 minutes']
      : []),
    ...(pipeline.manifest.dataset.profile === true && action('dataset') === 'update'
      ? ['Records already in the dataset do not go to Profile: only new ones do']
      : []),
    ...leadBackWarnings(pipeline.manifest),
    ...(await arraysOf(pipeline, context)),
  ];
}

/** Whether a new flow comes after an old one. */
function takesOver({ old, plan }: Pipeline): boolean {
  const action = plan.find(({ resource }) => resource === 'flow')?.action;
  return old.some(({ resource }) => resource === 'flow') && action !== 'keep';
}

/** Whether a new flow reads again what the old one has read: AEP reads the source by itself, and the place is the same. */
function readAgain(pipeline: Pipeline): boolean {
  return isPulled(pipeline.manifest.source) && takesOver(pipeline) && !readsElsewhere(pipeline.plan);
}

/** Where records come in: the forwarder's way, or the flow that reads by itself. */
function entranceOf({ source }: Manifest): Planned['resource'] {
  return source.kind === 'inlet' ? 'publish' : 'flow';
}

/** Uses the schema's fields in AEP. For a schema still to be made, the manifest and the samples tell. */
async function arraysOf(
  { manifest, samples, resources, tenant }: Pipeline,
  { aep }: StreamContext,
): Promise<string[]> {
  const schemaId = resources.schema?.id;
  const asked = merges(manifest) && schemaId !== undefined;
  const fields = asked ? await ifThere(aep.schemaRegistry.getFields(schemaId)) : undefined;
  return arrayWarnings(manifest, samples, fields, tenant);
}

const MOVED =
  'The old flow stops before the new one starts. The new one reads another place, from startAt on. Nothing reads what the old one has not read by then';

function pulledTwice(kind: 'kinesis' | 'event-hubs' | 'pubsub'): string {
  return kind === 'pubsub'
    ? 'The old flow stops before the new one starts. Messages that arrive in between are read late; what the old one has not acknowledged is read twice'
    : 'The old flow stops before the new one starts: records that arrive in between are read late. To miss none, the new one reads from the oldest record of the source: what the old one has read is read twice';
}

/** Warnings: the forwarder feeds a stream that AEP also reads by itself, or reads for another pipeline. */
async function ingestedTwice({ manifest, streamArn }: Pipeline, { aep, runtime }: StreamContext) {
  const { source } = manifest;
  if (source.kind === 'kinesis') {
    const isSameStream = (theirs: Manifest['source']) =>
      theirs.kind === 'kinesis' && theirs.stream === source.stream && theirs.region === source.region;
    const published = await readRouteList(runtime, source.stream);
    const other = published?.streamArn.includes(`:${source.region}:`)
      ? Object.keys(published.routes).join(', ')
      : await appliedBesides(manifest.name, runtime.ledger, isSameStream);
    if (other === undefined) return undefined;
    return `The stream ${source.stream} carries the pipeline ${other} as well: its data would be ingested twice`;
  }
  if (source.kind !== 'inlet' || streamArn === undefined) return undefined;
  const stream = streamNameOf(streamArn);
  const readers = await aep.flowService.findStreamReaders(CONNECTION_SPECS.kinesis, stream);
  if (readers.length === 0) return undefined;
  return `AEP reads a Kinesis stream ${stream} by itself as well (source connection ${readers.map(({ id }) => id).join(', ')}): its data would be ingested twice`;
}
