// Whether an inlet takes a request at all: size, type, sandbox, token, rate (contract §6.1, §6.4).

import { Refusal } from '../errors.ts';
import { bearer, validToken } from '../gateway.ts';
import { type Call, callHeader, mediaType } from '../http.ts';
import { objectAt } from '../json.ts';
import type { Entity, Inlet, World } from '../state.ts';

/** Adobe does not say whether it is 10^6 or 2^20. The smaller one is used. */
const MAX_BODY_BYTES = 1_000_000;
const REQUESTS_PER_SECOND = 1_000;
const MESSAGES_PER_SECOND = 10_000;
const SYNC_PER_MINUTE = 60;

export function admitToInlet(
  world: World,
  call: Call,
  inletId: string,
): { inlet: Inlet; connection: Entity } {
  const inlet = world.state.inlets.get(inletId);
  const connection = inlet?.sandbox.connections.get(inlet.connectionId);
  if (!inlet || !connection)
    throw Refusal.inlet(404, 'Not Found', `inletId: [${inletId}] The inlet does not exist`);
  if (call.body.length > MAX_BODY_BYTES) {
    throw Refusal.inlet(
      413,
      'Payload Too Large',
      `inletId: [${inletId}] The payload of ${call.body.length} bytes is larger than 1 MB`,
    );
  }
  const encoding = callHeader(call, 'content-encoding');
  if (encoding && encoding !== 'identity') {
    throw Refusal.inlet(
      415,
      'Unsupported Media Type',
      `inletId: [${inletId}] Content-Encoding ${encoding} is not supported`,
    );
  }
  if (mediaType(call) !== 'application/json') {
    throw Refusal.inlet(
      415,
      'Unsupported Media Type',
      `inletId: [${inletId}] Content-Type must be application/json`,
    );
  }
  checkSandbox(world, call, inlet);
  if (objectAt(objectAt(connection.body, 'auth'), 'params')?.authenticationRequired === true)
    checkToken(world, call, inlet);
  return { inlet, connection };
}

/** Two spellings are met in the field; what a wrong value does is UNVERIFIED. */
function checkSandbox(world: World, call: Call, inlet: Inlet): void {
  const names = ['x-sandbox-name', 'sandbox-name'];
  if (world.settings.quirks['inlet-sandbox'] === 'required' && !names.some((name) => callHeader(call, name)))
    throw Refusal.inlet(400, 'Bad Request', `inletId: [${inlet.id}] The header x-sandbox-name is missing`);
  for (const name of names) {
    const given = callHeader(call, name);
    if (given === undefined || given === inlet.sandbox.name) continue;
    throw Refusal.inlet(
      400,
      'Bad Request',
      `inletId: [${inlet.id}] The inlet does not belong to the sandbox '${given}'`,
    );
  }
}

function checkToken(world: World, call: Call, inlet: Inlet): void {
  const token = bearer(call);
  if (!token) throw Refusal.inletAuthorization(401, `[${inlet.id}] Ims service token is empty`);
  if (validToken(world, token)) return;
  throw Refusal.inletAuthorization(
    world.settings.quirks['inlet-token'] === '401' ? 401 : 403,
    `[${inlet.id}] Ims service token is invalid or expired`,
  );
}

interface Window {
  second: number;
  requests: number;
  messages: number;
  minute: number;
  sync: number;
}

/** How many messages inlets have taken this second and this minute, by their ids. */
export type Windows = Map<string, Window>;

/** Throws 429, without Retry-After, when the inlet has had too much this second. */
export function countMessages(world: World, windows: Windows, inlet: Inlet, messages: number): void {
  if (!world.settings.rateLimits) return;
  const window = windowOf(world, windows, inlet);
  window.requests += 1;
  window.messages += messages;
  if (window.requests > REQUESTS_PER_SECOND || window.messages > MESSAGES_PER_SECOND) throw tooMany(inlet);
}

/** The same of messages that are to be checked before they are answered, in this minute. */
export function countSync(world: World, windows: Windows, inlet: Inlet): void {
  const window = windowOf(world, windows, inlet);
  window.sync += 1;
  if (window.sync > SYNC_PER_MINUTE) throw tooMany(inlet);
}

function windowOf(world: World, windows: Windows, inlet: Inlet): Window {
  const now = world.clock.now();
  const [second, minute] = [Math.floor(now / 1_000), Math.floor(now / 60_000)];
  const window = windows.get(inlet.id) ?? { second, requests: 0, messages: 0, minute, sync: 0 };
  if (window.second !== second) Object.assign(window, { second, requests: 0, messages: 0 });
  if (window.minute !== minute) Object.assign(window, { minute, sync: 0 });
  windows.set(inlet.id, window);
  return window;
}

function tooMany(inlet: Inlet): Refusal {
  return Refusal.inlet(429, 'Too Many Requests', `inletId: [${inlet.id}] Too many requests`);
}
