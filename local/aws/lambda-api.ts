// Lambda's REST API on loopback: invocations, functions, event source mappings and their tags.
import { type Asked, type Calls, noCalls } from './calls.ts';
import { type Definitions, describing } from './lambda-functions.ts';
import { functionNamed, type InvokeFunction, invocation } from './lambda-invoke.ts';
import type { Mapping } from './mapping.ts';
import type { Mappings } from './mappings.ts';
import {
  type Account,
  type AwsError,
  type AwsRequest,
  type AwsResponse,
  checkScope,
  notSimulated,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

const COLLECTION = '/2015-03-31/event-source-mappings';
const TAGGED = '/2017-03-31/tags/';

/**
 * @param invoke left out, functions cannot be called
 * @param calls told of what functions ask for
 * @param definitions the functions that can be looked at
 */
export async function startLambdaApi(
  mappings: Mappings,
  account: Account,
  invoke?: InvokeFunction,
  calls: Calls = noCalls,
  definitions: Definitions = {},
): Promise<RunningServer> {
  return serve('application/json', async (request) => {
    checkScope(request, 'lambda');
    calls.request(request.headers.authorization, () => asked(mappings, account, request));
    const invoked = invoke && (await invocation(request, invoke, Object.keys(definitions)));
    if (invoked !== undefined) return invoked;
    const described = describing(request, definitions, account);
    if (described !== undefined) return described;
    if (request.path.startsWith(TAGGED)) return tags(mappings, request);
    const uuid = mappingId(request.path);
    if (uuid === '') return onCollection(mappings, account, request);
    return onMapping(mappings, account, request, uuid);
  });
}

/** Tags are asked for where something is made with them. */
function asked(mappings: Mappings, { region, accountId }: Account, request: AwsRequest): Asked[] {
  const arn = `arn:aws:lambda:${region}:${accountId}`;
  const called = functionNamed(request.path);
  if (called !== undefined)
    return [{ api: 'lambda:Invoke', action: 'lambda:InvokeFunction', resource: `${arn}:function:${called}` }];
  if (!request.path.startsWith(COLLECTION)) return [];
  const uuid = mappingId(request.path);
  const operation = OPERATIONS[`${request.method}${uuid === '' ? '' : ' one'}`];
  const call = { api: `lambda:${operation}`, action: `lambda:${operation}` };
  if (uuid === '' && request.method === 'GET') return [{ ...call, resource: '*' }];
  const functionOf = (name: string) => ({ 'lambda:FunctionArn': `${arn}:function:${name}` });
  if (uuid === '') {
    const { FunctionName = '', Tags } = parseBody(request.body);
    const name = mappings.functionName(String(FunctionName));
    const tagged = {
      action: 'lambda:TagResource',
      resource: `${arn}:event-source-mapping:00000000-0000-4000-8000-000000000000`,
    };
    return [{ ...call, resource: '*', conditions: functionOf(name) }, ...(Tags ? [tagged] : [])];
  }
  const resource = `${arn}:event-source-mapping:${uuid}`;
  const mapping = mappings.all.find((one) => one.uuid === uuid);
  // Of a mapping that is gone Lambda can name no function, so a condition on it is not met. `remove` of lib/aws/triggers.ts
  // expects that answer.
  if (mapping === undefined) return request.method === 'GET' ? [{ ...call, resource }] : [];
  return [{ ...call, resource, conditions: functionOf(mapping.functionName) }];
}

const OPERATIONS: Readonly<Record<string, string>> = {
  GET: 'ListEventSourceMappings',
  POST: 'CreateEventSourceMapping',
  'GET one': 'GetEventSourceMapping',
  'PUT one': 'UpdateEventSourceMapping',
  'DELETE one': 'DeleteEventSourceMapping',
};

/** The UUID in a path, '' for the collection itself. */
function mappingId(path: string): string {
  const trimmed = path.replace(/\/$/, '');
  if (trimmed === COLLECTION) return '';
  if (trimmed.startsWith(`${COLLECTION}/`)) return decodeURIComponent(trimmed.slice(COLLECTION.length + 1));
  throw notSimulated(`this part of Lambda: ${path}`, 404);
}

async function onCollection(mappings: Mappings, account: Account, request: AwsRequest): Promise<AwsResponse> {
  if (request.method === 'GET') return { status: 200, body: list(mappings, account, request.query) };
  if (request.method !== 'POST') throw methodNotAllowed(request);
  const created = await mappings.create(parseBody(request.body));
  return { status: 202, body: configuration(created, account) };
}

function onMapping(mappings: Mappings, account: Account, request: AwsRequest, uuid: string): AwsResponse {
  const answer = (status: number, mapping: Mapping) => ({ status, body: configuration(mapping, account) });
  if (request.method === 'GET') return answer(200, mappings.get(uuid));
  if (request.method === 'PUT') return answer(202, mappings.update(uuid, parseBody(request.body)));
  if (request.method === 'DELETE') return answer(202, mappings.remove(uuid));
  throw methodNotAllowed(request);
}

function list(mappings: Mappings, account: Account, query: URLSearchParams) {
  const streamArn = query.get('EventSourceArn');
  const functionName = query.get('FunctionName');
  const wanted = functionName && mappings.functionName(functionName);
  const found = mappings.all.filter(
    (one) => (!streamArn || one.eventSourceArn === streamArn) && (!wanted || one.functionName === wanted),
  );
  const start = Number(query.get('Marker') ?? 0);
  // Lambda returns at most 100 a page, whatever MaxItems says.
  const next = start + Math.min(Number(query.get('MaxItems') ?? 100), 100);
  return {
    EventSourceMappings: found.slice(start, next).map((mapping) => configuration(mapping, account)),
    ...(next < found.length ? { NextMarker: String(next) } : {}),
  };
}

function configuration(mapping: Mapping, { region, accountId }: Account) {
  const { start } = mapping;
  return {
    UUID: mapping.uuid,
    EventSourceMappingArn: `arn:aws:lambda:${region}:${accountId}:event-source-mapping:${mapping.uuid}`,
    EventSourceArn: mapping.eventSourceArn,
    FunctionArn: `arn:aws:lambda:${region}:${accountId}:function:${mapping.functionName}`,
    StartingPosition: start.type,
    ...(start.type === 'AT_TIMESTAMP' ? { StartingPositionTimestamp: start.timestamp.getTime() / 1000 } : {}),
    ...mapping.settings,
    TumblingWindowInSeconds: 0,
    State: mapping.state,
    StateTransitionReason: 'User action',
    LastModified: mapping.lastModified / 1000,
    LastProcessingResult: mapping.lastResult,
  };
}

function tags(mappings: Mappings, request: AwsRequest): AwsResponse {
  const arn = decodeURIComponent(request.path.slice(TAGGED.length));
  const { tags } = mappings.get(arn.slice(arn.lastIndexOf(':') + 1));
  if (request.method === 'GET') return { status: 200, body: { Tags: Object.fromEntries(tags) } };
  if (request.method === 'POST') {
    const added = (parseBody(request.body).Tags ?? {}) as Record<string, string>;
    for (const [key, value] of Object.entries(added)) tags.set(key, value);
  } else if (request.method === 'DELETE') {
    for (const key of request.query.getAll('tagKeys')) tags.delete(key);
  } else {
    throw methodNotAllowed(request);
  }
  return { status: 204 };
}

function methodNotAllowed({ method, path }: AwsRequest): AwsError {
  return notSimulated(`this part of Lambda: ${method} ${path}`, 405);
}
