// What Lambda tells of its functions: ListFunctions, GetFunction, GetFunctionConfiguration.
import { pathToFileURL } from 'node:url';
import type { FunctionDefinition } from './function-host.ts';
import { functionIn } from './lambda-invoke.ts';
import { pageOf } from './paging.ts';
import { type Account, AwsError, type AwsRequest, type AwsResponse } from './server.ts';

/** By name. */
export type Definitions = Readonly<Record<string, FunctionDefinition>>;

const PATH = /^\/2015-03-31\/functions(?:\/([^/]+)(\/configuration)?)?\/?$/;

/** A page of ListFunctions: API reference of Lambda, `MaxItems`. */
const MAX_FUNCTIONS = 50;

/** What they are all made at here: when this process began. */
const MADE_AT = new Date();

/** `undefined` for a request that is another operation's. */
export function describing(
  { method, path, query }: AwsRequest,
  definitions: Definitions,
  account: Account,
): AwsResponse | undefined {
  const [, named, configuration] = PATH.exec(path) ?? [];
  if (method !== 'GET' || !PATH.test(path)) return undefined;
  if (named === undefined) return list(query, definitions, account);
  const { name, qualifier } = functionIn(decodeURIComponent(named), query.get('Qualifier'));
  const definition = definitions[name];
  if (definition === undefined) throw functionNotFound(name, account);
  const Configuration = configurationOf(name, definition, account, qualifier);
  if (configuration !== undefined) return { status: 200, body: Configuration };
  // Nothing is uploaded here: the code is where it is.
  const Code = { RepositoryType: 'local', Location: String(urlOf(definition.module)) };
  return { status: 200, body: { Configuration, Code, Tags: {} } };
}

function list(query: URLSearchParams, definitions: Definitions, account: Account): AwsResponse {
  const names = Object.keys(definitions).toSorted();
  const size = Math.min(Number(query.get('MaxItems') ?? MAX_FUNCTIONS), MAX_FUNCTIONS);
  const { items, next } = pageOf(names, query.get('Marker'), size, 'InvalidParameterValueException');
  const Functions = items.map((name) =>
    configurationOf(name, definitions[name] as FunctionDefinition, account),
  );
  return { status: 200, body: { Functions, ...(next && { NextMarker: next }) } };
}

function configurationOf(
  name: string,
  { handler = 'handler', timeoutSeconds = 3, memoryMB = 1024 }: FunctionDefinition,
  { region, accountId }: Account,
  qualifier?: string,
) {
  const arn = `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  return {
    FunctionName: name,
    FunctionArn: qualifier === undefined ? arn : `${arn}:${qualifier}`,
    Role: `arn:aws:iam::${accountId}:role/${name}`,
    Runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
    Handler: handler,
    CodeSize: 0,
    Description: '',
    Timeout: timeoutSeconds,
    MemorySize: memoryMB,
    // As Lambda writes it: `2026-11-28T16:00:00.000+0000`.
    LastModified: MADE_AT.toISOString().replace('Z', '+0000'),
    Version: '$LATEST',
    PackageType: 'Zip',
    Architectures: [process.arch === 'arm64' ? 'arm64' : 'x86_64'],
    State: 'Active',
    LastUpdateStatus: 'Successful',
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` },
  };
}

function urlOf(module: string | URL): string | URL {
  return typeof module === 'string' && !module.startsWith('file:') ? pathToFileURL(module) : module;
}

function functionNotFound(name: string, { region, accountId }: Account): AwsError {
  return new AwsError(
    'ResourceNotFoundException',
    `Function not found: arn:aws:lambda:${region}:${accountId}:function:${name}`,
    404,
  );
}
