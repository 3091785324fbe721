// What all resources of Flow Service share: how they are shown, listed, guarded by etags, and not found (contract §4.2).

import { type Answer, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { condition, fits, partsOf } from '../filter.ts';
import { type AdmittedCall, callHeader, jsonObjectBody, wholeNumber } from '../http.ts';
import { isObject, type Json, type JsonObject, objectAt, textAt, valuesAt } from '../json.ts';
import { PatchError, patched } from '../json-patch.ts';
import type { Entity, World } from '../state.ts';
import { SECRET_PARAMS } from './specs.ts';

export const BASE = '/data/foundation/flowservice';
const DEFAULT_LIMIT = 20;
const HIGHEST_LIMIT = 100;

export function newEntity(world: World, call: AdmittedCall, body: JsonObject, state: string): Entity {
  if ('state' in body || 'State' in body)
    throw invalid('1410-400', '`State` is not allowed in a create request.');
  const now = world.clock.now();
  return {
    id: world.ids.uuid(),
    etag: world.ids.etag(),
    state,
    createdAt: now,
    updatedAt: now,
    createdBy: call.clientId,
    body,
  };
}

export function created(kind: string, entity: Entity): Answer {
  return json(
    201,
    { id: entity.id, etag: entity.etag },
    { location: `${BASE}/${kind}/${entity.id}`, etag: entity.etag },
  );
}

export function shown(world: World, call: AdmittedCall, entity: Entity): JsonObject {
  const client = {
    createdBy: `${entity.createdBy}@techacct.adobe.com`,
    updatedBy: `${entity.createdBy}@techacct.adobe.com`,
  };
  return {
    id: entity.id,
    createdAt: entity.createdAt,
    updatedAt: entity.updatedAt,
    ...client,
    createdClient: entity.createdBy,
    updatedClient: entity.createdBy,
    sandboxId: call.sandbox.id,
    sandboxName: call.sandbox.name,
    imsOrgId: world.settings.organization,
    ...withoutSecrets(entity.body),
    version: entity.etag,
    etag: entity.etag,
    state: entity.state,
  };
}

function withoutSecrets(body: JsonObject): JsonObject {
  const auth = objectAt(body, 'auth');
  const params = objectAt(auth, 'params');
  if (!auth || !params) return body;
  const open = Object.fromEntries(Object.entries(params).filter(([name]) => !SECRET_PARAMS.includes(name)));
  return { ...body, auth: { ...auth, params: open } };
}

/** Read one: an array of one, not a bare object. */
export function one(item: JsonObject): Answer {
  return json(200, { items: [item] }, typeof item.etag === 'string' ? { etag: item.etag } : {});
}

export function list(given: AdmittedCall, kind: string, items: JsonObject[]): Answer {
  const { call, from } = continued(given);
  const counting = call.query.get('count')?.toLowerCase() === 'true';
  if (counting && call.query.has('limit')) {
    const detail = 'The limit and count parameters cannot be given together in the same request.';
    throw invalid('1401-400', detail);
  }
  const conditions = call.query.getAll('property').map(condition);
  const wanted = items.filter((item) => conditions.every((each) => fits(item, each, true)));
  if (counting) return json(200, { count: wanted.length });
  const limit = wholeNumber(call, 'limit', DEFAULT_LIMIT, 1, HIGHEST_LIMIT);
  const page = ordered(wanted, call.query.get('orderby') ?? call.query.get('orderBy')).slice(
    from,
    from + limit,
  );
  const more = from + limit < wanted.length;
  const links: JsonObject = more ? { next: { href: nextHref(call, kind, from + limit) } } : {};
  return json(200, { items: page, _links: links });
}

/**
 * The token is all that the link carries: Adobe's description shows it so, and its client takes what lies behind the first `=`.
 * That it remembers the list it goes on with, for whoever follows the link as it is, is ours.
 */
function nextHref({ query }: AdmittedCall, kind: string, from: number): string {
  const token = Buffer.from(JSON.stringify([from, String(query)])).toString('base64url');
  return `/${kind}?continuationToken=${token}`;
}

/** The list that a token goes on with; what the request itself asks for stands before what the token remembers. */
function continued(call: AdmittedCall): { call: AdmittedCall; from: number } {
  const token = call.query.get('continuationToken');
  if (token === null) return { call, from: 0 };
  const { from, query } = remembered(token);
  for (const name of new Set(call.query.keys())) query.delete(name);
  for (const [name, value] of call.query) if (name !== 'continuationToken') query.append(name, value);
  return { call: { ...call, query }, from };
}

function remembered(token: string): { from: number; query: URLSearchParams } {
  try {
    const [from, query]: unknown[] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof from === 'number' && from > 0 && Number.isSafeInteger(from) && typeof query === 'string')
      return { from, query: new URLSearchParams(query) };
  } catch {
    // None of ours.
  }
  throw invalid('1451-400', 'Invalid params continuationToken provided in query params.');
}

function ordered(items: JsonObject[], orderBy: string | null): JsonObject[] {
  if (!orderBy) return items;
  const sign = orderBy.startsWith('-') ? -1 : 1;
  const path = orderBy.replace(/^[+\- ]/, '');
  const key = (item: JsonObject): Json => valuesAt(item, path)[0] ?? null;
  return [...items].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right);
    return sign * String(left).localeCompare(String(right));
  });
}

/** `POST …/search`: the query grammar is undocumented; conditions joined by `&` or `AND` are taken. */
export function search(call: AdmittedCall, kind: string, items: JsonObject[]): Answer {
  const body = jsonObjectBody(call);
  const query = new URLSearchParams();
  for (const part of partsOf(textAt(body, 'queryString') ?? '', /&|\sand\s/i)) {
    const wanted = part.trim().replace(/^property=/, '');
    if (wanted !== '') query.append('property', wanted);
  }
  for (const name of ['limit', 'orderby', 'count', 'continuationToken']) {
    if (body[name] !== undefined) query.set(name, String(body[name]));
  }
  return list({ ...call, query }, kind, items);
}

/** The changed body, if the caller knows the current version. */
export function patchedBody(
  world: World,
  call: AdmittedCall,
  kind: string,
  entity: Entity,
  patch: Json,
): JsonObject {
  guard(world, call, entity);
  const operations: Json = isObject(patch) ? [patch] : patch;
  try {
    return patched(entity.body, operations);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (error.operation) throw invalid('1434-400', `Unsupported operation '${error.operation}' received.`);
    throw invalid('1455-400', `An error has occurred while validating patch instructions: ${error.message}`, {
      type: kind,
    });
  }
}

function guard(world: World, call: AdmittedCall, entity: Entity): void {
  const given = callHeader(call, 'if-match');
  if (!given) {
    throw Refusal.flow('1403-400', 'Header is missing', "The header 'If-Match' is missing in the request.");
  }
  if (given === entity.etag || given === '*') return;
  if (world.settings.quirks['stale-etag'] === 'message') {
    const errorMessage = `Supplied version=[${given}] does not match the current version on entity=[${entity.etag}]`;
    throw new Refusal(412, { errorMessage });
  }
  const detail = `The supplied version '${given}' does not match the current version on entity '${entity.etag}'.`;
  throw Refusal.flow('1404-412', 'Version not matching', detail, { id: entity.id });
}

export function invalid(code: string, detail: string, report: JsonObject = {}): Refusal {
  return Refusal.flow(code, 'Invalid request', detail, report);
}

/** 404 for the resource in the path, 400 for one that a body names (contract §4.2: listed as 400, shown as 404). */
export function missing(call: AdmittedCall, type: string, id: string, status: 400 | 404): Refusal {
  const detail = `The requested ${type} resource ${id} is not found. Verify the resource ID before trying again.`;
  return Refusal.flow(`1439-${status}`, 'Resource not found', detail, {
    id,
    'request-id': call.requestId,
    type,
  });
}
