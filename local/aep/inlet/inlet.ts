// The streaming inlet: takes messages in, answers at once, and maps and validates them afterwards (contract §6).

import { type Answer, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import type { Fault } from '../faults.ts';
import { type Call, callHeader } from '../http.ts';
import { isObject, type Json, type JsonObject, parseExactly } from '../json.ts';
import type { Route } from '../router.ts';
import { countLoss, type Entity, type Inlet, type RefusedRow, type Sandbox, type World } from '../state.ts';
import { errorCode, shownViolation } from '../xdm/violations.ts';
import { admitToInlet, countMessages, countSync, type Windows } from './admission.ts';
import { land, tallyOf } from './landing.ts';
import { type Message, readMessage, readsFrom } from './messages.ts';
import {
  type Compiled,
  causedByMapping,
  type Outcome,
  type Pipeline,
  pipelineOf,
  process,
  schemaOf,
} from './pipeline.ts';
import { notInProfile, notLinked } from './profile.ts';
import { linkRow } from './tries.ts';

export interface InletCall extends Call {
  readonly faults: readonly Fault[];
}

interface Failure {
  readonly status: number;
  readonly message: string;
}

export interface Inlets {
  routes(): Route<InletCall>[];
  /** What a flow has read from its source by itself: nobody is answered. */
  takePulled(
    from: { sandbox: Sandbox; sourceId: string; flowId: string },
    messages: readonly Message[],
    bytes: number,
  ): void;
  /** Resolves when nothing is on its way to the lake. */
  idle(): Promise<void>;
}

/** What the inlets of a platform have in common. */
interface Inside {
  readonly world: World;
  readonly compiled: Compiled;
  readonly windows: Windows;
  readonly pending: Set<Promise<void>>;
  transaction: number;
}

export function createInlets(world: World): Inlets {
  const inside: Inside = {
    world,
    compiled: { schemas: new Map(), pipelines: new Map() },
    windows: new Map(),
    pending: new Set(),
    transaction: 0,
  };
  return {
    routes: () => [
      ['POST', '/collection/:inlet', (call, id = '') => single(inside, call, id)],
      ['POST', '/collection/batch/:inlet', (call, id = '') => batch(inside, call, id)],
    ],
    takePulled: (from, messages, bytes) => takePulled(inside, from, messages, bytes),
    async idle() {
      while (inside.pending.size > 0) await Promise.all(inside.pending);
    },
  };
}

/** What a flow has read from its source by itself: nobody is answered. */
function takePulled(
  inside: Inside,
  { sandbox, sourceId, flowId }: { sandbox: Sandbox; sourceId: string; flowId: string },
  messages: readonly Message[],
  bytes: number,
): void {
  const { world } = inside;
  world.state.counts.received += messages.length;
  world.settings.onReceived(
    messages.map(({ record }) => record),
    sourceId,
  );
  const inlet = { id: sourceId, sandbox, connectionId: sourceId };
  const work = () => runOrLose(inside, inlet, flowId, messages, bytes);
  if (world.settings.ingestDelayMs > 0) later(inside, work);
  else work();
}

function single(inside: Inside, call: InletCall, inletId: string): Answer {
  const { world } = inside;
  const { inlet, connection } = admitToInlet(world, call, inletId);
  if (call.notes) call.notes.messages = 1;
  countMessages(world, inside.windows, inlet, 1);
  const asked = call.query.get('syncValidation') ?? call.query.get('synchronousValidation');
  if (asked === 'true') countSync(world, inside.windows, inlet);
  const message = readMessage(world, inlet, connection, flowIdOf(call), jsonOf(world, call, inlet));
  if (typeof message === 'string') {
    throw Refusal.inlet(400, 'Invalid XDM Message Format', located(world, inlet, message));
  }
  const checked = asked === 'true' && validateNow(inside, inlet, message);
  take(inside, inlet, connection, [from(call, message, 0)], call.body.length);
  return json(200, {
    inletId: inlet.id,
    xactionId: `${world.clock.now()}:3120:${++inside.transaction}`,
    receivedTimeMs: received(world, world.clock.now()),
    syncValidation: checked ? { status: 'pass' } : { skipped: true },
  });
}

/** Always 207, also when every message failed. */
function batch(inside: Inside, call: InletCall, inletId: string): Answer {
  const { world } = inside;
  const { inlet, connection } = admitToInlet(world, call, inletId);
  const body = jsonOf(world, call, inlet);
  const given = isObject(body) ? body.messages : undefined;
  if (!Array.isArray(given) || given.length === 0) {
    throw Refusal.inlet(400, 'Bad Request', located(world, inlet, "'messages' must be a non-empty array"));
  }
  if (call.notes) call.notes.messages = given.length;
  countMessages(world, inside.windows, inlet, given.length);
  const flowId = flowIdOf(call);
  const partial = call.faults.filter((fault) => fault.kind === 'partial');
  const accepted: Message[] = [];
  const outcomes = given.map((each, index): Failure | undefined => {
    const struck = partial.find((fault) => chosen(fault, each, index));
    if (struck) return { status: struck.status ?? 400, message: struck.message ?? 'Simulated fault' };
    const message = readMessage(world, inlet, connection, flowId, each);
    if (typeof message === 'string') return { status: 400, message: located(world, inlet, message) };
    accepted.push(from(call, message, index));
    return undefined;
  });
  take(inside, inlet, connection, accepted, call.body.length);
  return multiStatus(inside, inlet, outcomes, partial);
}

function from({ notes }: Call, message: Message, index: number): Message {
  return notes === undefined ? message : { ...message, origin: { request: notes, index } };
}

/** The inlet has its own answer for a body that is no JSON (contract §6.3). */
function jsonOf(world: World, call: InletCall, inlet: Inlet): Json {
  try {
    return parseExactly(call.body.toString('utf8'));
  } catch {
    throw Refusal.inlet(400, 'Invalid JSON', located(world, inlet, 'Message is not valid JSON'));
  }
}

function multiStatus(
  inside: Inside,
  inlet: Inlet,
  outcomes: readonly (Failure | undefined)[],
  faults: readonly Fault[],
): Answer {
  const { world } = inside;
  const shapeB = (faults[0]?.shape ?? (world.settings.quirks['207'] === 'status' ? 'B' : 'A')) === 'B';
  const field = faults[0]?.field ?? (shapeB ? 'status' : 'statusCode');
  const asText = faults[0]?.asText ?? false;
  const now = world.clock.now();
  const batchId = `${now}:3120:${++inside.transaction}`;
  // Shape B ends its ids in `-{index}`, shape A in `:{index}` and has none on failures (contract §6.3).
  const prefix = shapeB ? `${world.ids.uuid()}-` : `${batchId}:`;
  const responses = outcomes.map((failure, index): JsonObject => {
    const xactionId = `${prefix}${index}`;
    if (!failure) return { xactionId };
    const status = asText ? String(failure.status) : failure.status;
    return { ...(shapeB ? { xactionId } : {}), [field]: status, message: failure.message };
  });
  return json(207, { inletId: inlet.id, batchId, receivedTimeMs: received(world, now), responses });
}

function received(world: World, now: number): number | string {
  return world.settings.quirks['received-time'] === 'string' ? String(now) : now;
}

/** For records that come as XDM: raw ones are not mapped yet. Records that fail are dropped. */
function validateNow(inside: Inside, inlet: Inlet, message: Message): boolean {
  const { world } = inside;
  const schemaRef = isObject(message.header.schemaRef) ? String(message.header.schemaRef.id) : undefined;
  const schema = schemaRef && schemaOf(world, inside.compiled, inlet.sandbox, schemaRef);
  if (!schema) return false;
  const found = schema.validate(message.record);
  if (found.length === 0) return true;
  const causes = found.map((violation) => ({ ...shownViolation(violation), causingExceptions: [] }));
  throw Refusal.inlet(400, 'Invalid XDM Message Format', located(world, inlet, 'Message is invalid'), {
    _streamingValidation: [
      {
        schemaLocation: '#',
        pointerToViolation: '#',
        message: `${found.length} schema violations found`,
        causingExceptions: causes,
      },
    ],
  });
}

/** Whether a flow takes the data is decided when it comes; what becomes of it, after the delay. */
function take(
  inside: Inside,
  inlet: Inlet,
  connection: Entity,
  messages: readonly Message[],
  bytes: number,
): void {
  const { world } = inside;
  world.state.counts.received += messages.length;
  world.settings.onReceived(
    messages.map(({ record }) => record),
    inlet.id,
  );
  const now = world.clock.now();
  for (const [flowId, group] of grouped(messages)) {
    const reason = closed(inlet, connection, flowId, now);
    if (reason) {
      countLoss(world.state, { reason, inletId: inlet.id, flowId }, group.length, now);
      continue;
    }
    const share = Math.ceil((bytes * group.length) / messages.length);
    const work = () => runOrLose(inside, inlet, flowId as string, group, share);
    if (world.settings.ingestDelayMs > 0) later(inside, work);
    else work();
  }
}

/** Why the flow does not take data now; nothing of it shows in the answer. */
function closed(inlet: Inlet, connection: Entity, flowId: string | null, now: number): string | undefined {
  if (connection.state !== 'enabled') return `the connection is ${connection.state}`;
  if (flowId === null) return 'no flow id';
  const flow = inlet.sandbox.flows.get(flowId);
  if (!flow) return 'no such flow';
  if (!readsFrom(inlet, connection, flow)) return 'the flow does not read from this inlet';
  if (flow.state !== 'enabled') return `the flow is ${flow.state}`;
  return now < flow.acceptsFrom ? 'the flow is not warm yet' : undefined;
}

function later(inside: Inside, work: () => void): void {
  const { world } = inside;
  const done = world.clock.sleep(world.settings.ingestDelayMs).then(work);
  const tracked = done.finally(() => inside.pending.delete(tracked));
  inside.pending.add(tracked);
}

/** The answer has been sent already, so an error of the simulator itself is counted as a loss, and stops nothing. */
function runOrLose(
  inside: Inside,
  inlet: Inlet,
  flowId: string,
  messages: readonly Message[],
  bytes: number,
): void {
  const { world } = inside;
  try {
    run(inside, inlet, flowId, messages, bytes);
  } catch (error) {
    const reason = `simulator error: ${error instanceof Error ? error.message : String(error)}`;
    countLoss(world.state, { reason, inletId: inlet.id, flowId }, messages.length, world.clock.now());
  }
}

function run(
  inside: Inside,
  inlet: Inlet,
  flowId: string,
  messages: readonly Message[],
  bytes: number,
): void {
  const { world } = inside;
  const flow = inlet.sandbox.flows.get(flowId);
  const pipeline = flow ? pipelineOf(world, inside.compiled, inlet.sandbox, flow) : 'the flow is gone';
  if (typeof pipeline === 'string') {
    countLoss(
      world.state,
      { reason: pipeline, inletId: inlet.id, flowId },
      messages.length,
      world.clock.now(),
    );
    return;
  }
  const rows: JsonObject[] = [];
  const refused: RefusedRow[] = [];
  let warnings = 0;
  for (const message of messages) {
    const outcome = process(pipeline, message.record);
    link(world, inlet, pipeline, message, outcome);
    if (message.profileOnly) {
      toProfile(world, inlet, pipeline, flowId, outcome);
      continue;
    }
    if (outcome.warnings.length > 0) warnings += 1;
    if (outcome.violations.length === 0) {
      linkRow(outcome.record, message.origin);
      rows.push(outcome.record);
      continue;
    }
    const mapper = causedByMapping(outcome);
    const row: RefusedRow = {
      stage: mapper ? 'mapper' : 'streamingValidation',
      code: mapper ? 'MAPPER-3700-400' : errorCode(outcome.violations),
      violations: outcome.violations,
      header: headerOf(world, message, pipeline.schemaId, pipeline.dataSet.id, flowId),
      body: bodyOf(outcome.record, pipeline.schemaId),
      source: message.record,
    };
    linkRow(row, message.origin);
    refused.push(row);
  }
  land(world, {
    sandbox: inlet.sandbox,
    dataSetId: pipeline.dataSet.id,
    flowId,
    bytes,
    rows,
    refused,
    warnings,
  });
}

/** Updates or deletes a part of a profile. It needs an identity, and need not be a whole record. */
function toProfile(
  world: World,
  inlet: Inlet,
  { dataSet }: Pipeline,
  flowId: string,
  { record }: Outcome,
): void {
  const { state, clock } = world;
  const reason = notInProfile(inlet.sandbox, dataSet, record);
  if (reason !== undefined) {
    countLoss(state, { reason, inletId: inlet.id, flowId }, 1, clock.now());
    return;
  }
  state.counts.profileOnly += 1;
  tallyOf({ sandbox: inlet.sandbox, dataSetId: dataSet.id }).profileOnly += 1;
}

/** Identities go their own way, whatever becomes of the data. */
function link(
  world: World,
  { sandbox }: Inlet,
  { dataSet, validate }: Pipeline,
  { header, links }: Message,
  { record }: Outcome,
) {
  if (!links) return;
  const { state } = world;
  const reason = notLinked(sandbox, dataSet, header, validate, record);
  if (reason === undefined) state.counts.linked += 1;
  else state.unlinked.set(reason, (state.unlinked.get(reason) ?? 0) + 1);
}

function headerOf(
  world: World,
  message: Message,
  schemaId: string,
  datasetId: string,
  flowId: string,
): JsonObject {
  const { organization: imsOrgId } = world.settings;
  return { schemaRef: schemaRef(schemaId), imsOrgId, datasetId, flowId, ...message.header };
}

function located(world: World, inlet: Inlet, message: string): string {
  return `inletId: [${inlet.id}] imsOrgId: [${world.settings.organization}] ${message}`;
}

function schemaRef(id: string): JsonObject {
  return { id, contentType: 'application/vnd.adobe.xed-full+json;version=1' };
}

function bodyOf(record: JsonObject, schemaId: string): JsonObject {
  return { xdmMeta: { schemaRef: schemaRef(schemaId) }, xdmEntity: record };
}

/** As a header, or as a query parameter of the same name. */
function flowIdOf(call: Call): string | null {
  return callHeader(call, 'x-adobe-flow-id') ?? call.query.get('x-adobe-flow-id');
}

function grouped(messages: readonly Message[]): Map<string | null, Message[]> {
  const groups = new Map<string | null, Message[]>();
  for (const message of messages) {
    const group = groups.get(message.flowId);
    if (group) group.push(message);
    else groups.set(message.flowId, [message]);
  }
  return groups;
}

/** By position, by count from the start, by content; without any of these, every message. */
function chosen(fault: Fault, message: Json, index: number): boolean {
  if (fault.messages) return fault.messages.includes(index);
  if (fault.containing !== undefined) return JSON.stringify(message).includes(fault.containing);
  return fault.count === undefined || index < fault.count;
}
