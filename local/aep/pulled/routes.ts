// The simulator's own pages about sources that the platform reads by itself: their state, and records for the simulated ones.

import { type Answer, empty, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { connection } from '../flow-service/connections.ts';
import { BASE as FLOW_SERVICE } from '../flow-service/entities.ts';
import { type AdmittedCall, type Call, jsonObjectBody } from '../http.ts';
import { isObject, type Json, own, textAt } from '../json.ts';
import type { Platform } from '../platform-interface.ts';
import type { Route } from '../router.ts';
import { type HeldRecord, heldAt, REFUSALS } from './memory.ts';
import { passes, type Reading } from './reading.ts';
import { type PulledSource, sourceBehind } from './source.ts';

const BASE = '/_simulator/sources';

export function sourceRoutes(platform: Platform): Route<Call>[] {
  return [
    ['GET', BASE, () => json(200, { sources: platform.sources() as unknown as Json })],
    ['POST', `${BASE}/:id/records`, (call, id = '') => put(platform, call, id)],
    ['POST', `${BASE}/:id/refuse`, (call, id = '') => refuse(platform, call, id)],
  ];
}

/** The platform's own test of a connection, which asks what is behind it. */
export function connectionTestRoutes(reading: Reading): Route<AdmittedCall>[] {
  return [
    [
      'GET',
      `${FLOW_SERVICE}/connections/:id/test`,
      async (call, id = '') =>
        json(200, { result: await passes(reading, call.sandbox, connection(call, id)) }),
    ],
  ];
}

function put(platform: Platform, call: Call, id: string): Answer {
  const source = played(platform, id);
  const { records } = jsonObjectBody(call);
  if (!Array.isArray(records)) throw wrong("'records' must be an array.");
  const given = records.map((record, index) => heldOf(source, record, index, platform.clock.now()));
  heldAt(platform.state.pulled, source.place).records.push(...given);
  platform.readSources();
  return json(200, { place: source.place, records: given.length });
}

function refuse(platform: Platform, call: Call, id: string): Answer {
  const source = played(platform, id);
  const { why = null } = jsonObjectBody(call);
  if (why !== null && (typeof why !== 'string' || own(REFUSALS, why) === undefined))
    throw wrong(`'why' must be one of ${Object.keys(REFUSALS).join(', ')}, or null.`);
  heldAt(platform.state.pulled, source.place).refuses = (why ?? undefined) as
    | keyof typeof REFUSALS
    | undefined;
  platform.readSources();
  return empty(204);
}

/** A source whose records are put in here. */
function played(platform: Platform, id: string): PulledSource {
  for (const sandbox of platform.state.sandboxes.values()) {
    const connection = sandbox.sourceConnections.get(id);
    const source = connection && sourceBehind(sandbox, connection);
    if (source?.kind === 'kinesis')
      throw wrong('A Kinesis stream is read for real: put the records into the stream.');
    if (source !== undefined) return source;
  }
  throw Refusal.problem(
    404,
    'NotFoundError',
    `There is no source connection ${id} that the platform reads by itself.`,
  );
}

/** In the source's own form. */
function heldOf({ kind }: PulledSource, record: Json, index: number, now: number): HeldRecord {
  const field = kind === 'pubsub' ? 'data' : 'body';
  const text = textAt(record, field);
  // By Google's model a message has data, attributes or both.
  const isEmpty = kind === 'pubsub' && isObject(record) && isObject(record.attributes);
  if (text === undefined && !isEmpty) throw wrong(`records[${index}].${field} must be a text in base64.`);
  const bytes = Buffer.from(text ?? '', 'base64');
  if (unpadded(bytes.toString('base64')) !== unpadded(text ?? ''))
    throw wrong(`records[${index}].${field} is not base64.`);
  const told = textAt(record, kind === 'pubsub' ? 'publishTime' : 'enqueuedTimeUtc');
  const at = told === undefined ? now : Date.parse(told);
  if (Number.isNaN(at)) throw wrong(`records[${index}]: '${told}' is no time.`);
  return { bytes, at };
}

/** Base64 without its padding, which has two characters at most. */
const unpadded = (text: string): string => text.replace(/={1,2}$/, '');

function wrong(detail: string): Refusal {
  return Refusal.problem(400, 'BadRequestError', detail);
}
