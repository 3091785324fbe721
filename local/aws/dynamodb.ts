// Amazon DynamoDB on loopback: dynalite in memory, its tables made at the start.
import type { Server } from 'node:http';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import { type Asked, type Calls, noCalls } from './calls.ts';
import {
  type Account,
  AwsError,
  type AwsRequest,
  type AwsResponse,
  checkScope,
  LOCAL_ACCOUNT,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

export interface DynamoDbOptions {
  /** Key attribute by table name: each table has one, a string. */
  tables?: Readonly<Record<string, string>>;
  account?: Account;
  /** Told of what functions ask for. */
  calls?: Calls;
}

/** What the SDK signs requests of the local server's own with would not be checked: any credential does. */
const OWN_HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  authorization: 'AWS4-HMAC-SHA256 Credential=local, Signature=local, SignedHeaders=local',
  'x-amz-date': 'local',
};

export async function startDynamoDb(options: DynamoDbOptions = {}): Promise<RunningServer> {
  const inner = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  for (const [name, key] of Object.entries(options.tables ?? {})) await createTable(inner, name, key);
  const { calls = noCalls, account = LOCAL_ACCOUNT } = options;
  const server = await serve('application/x-amz-json-1.0', (request) => {
    calls.request(request.headers.authorization, () => asked(request, account));
    return answer(inner, request);
  });
  return {
    endpoint: server.endpoint,
    close: async () => {
      await server.close();
      // Closes the store; the inner server never listened, so its own "not running" error is expected.
      await new Promise<void>((resolve) => inner.close(() => resolve()));
    },
  };
}

function asked({ headers, body }: AwsRequest, { region, accountId }: Account): Asked[] {
  const operation = String(headers['x-amz-target']).split('.').at(-1) ?? '';
  const { TableName, Key, Item } = parseBody(body);
  const key = (Key ?? Item) as { pipeline?: { S?: string } } | undefined;
  return [
    {
      api: `dynamodb:${operation}`,
      action: `dynamodb:${operation}`,
      resource: `arn:aws:dynamodb:${region}:${accountId}:table/${TableName}`,
      ...(key !== undefined && {
        conditions: { 'dynamodb:LeadingKeys': [kindOfKey(key.pipeline?.S ?? '')] },
      }),
    },
  ];
}

/** Policies tell items by how their keys end; of each kind one stands for the others. */
function kindOfKey(key: string): string {
  const [name, ...parts] = key.split('#');
  const kind = parts.at(-1);
  return kind === undefined || name === undefined ? 'name' : `name#${/^\d+$/.test(kind) ? parts[0] : kind}`;
}

async function answer(inner: Server, request: AwsRequest): Promise<AwsResponse> {
  checkScope(request, 'dynamodb');
  const response = await pass(inner, request.headers, request.body);
  return response.status === 400 ? withOldItem(inner, request, response) : response;
}

async function createTable(inner: Server, name: string, key: string): Promise<void> {
  await own(inner, 'CreateTable', {
    TableName: name,
    AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
    KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  });
  // Even with 0 ms the table becomes ACTIVE in a later turn.
  for (;;) {
    const { Table } = await own(inner, 'DescribeTable', { TableName: name });
    if ((Table as { TableStatus?: string }).TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Adds what `ReturnValuesOnConditionCheckFailure` asks for and dynalite does not know: the item as it is. */
async function withOldItem(
  inner: Server,
  { headers, body }: AwsRequest,
  response: AwsResponse,
): Promise<AwsResponse> {
  const failure = response.body as { __type?: string };
  const asked = parseBody(body);
  if (!failure.__type?.endsWith('#ConditionalCheckFailedException')) return response;
  if (asked.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD') return response;
  const { TableName, Key } = asked;
  const read = JSON.stringify({ TableName, Key, ConsistentRead: true });
  const { body: found } = await pass(inner, { ...headers, 'x-amz-target': target('GetItem') }, read);
  const { Item } = found as { Item?: unknown };
  return Item === undefined ? response : { ...response, body: { ...failure, Item } };
}

async function own(inner: Server, operation: string, body: object): Promise<Record<string, unknown>> {
  const headers = { ...OWN_HEADERS, 'x-amz-target': target(operation) };
  const response = await pass(inner, headers, JSON.stringify(body));
  if (response.status === 200) return response.body as Record<string, unknown>;
  throw new AwsError('InternalFailure', `${operation}: ${JSON.stringify(response.body)}`, 500);
}

const target = (operation: string) => `DynamoDB_20120810.${operation}`;

/**
 * Has dynalite answer a request that has come in whole.
 *
 * Left to itself it rethrows the errors of a request that the client aborted. That would end this process, as would a
 * function that is ended in the middle of a call.
 */
function pass(inner: Server, headers: AwsRequest['headers'], body: string): Promise<AwsResponse> {
  const request = Object.assign(Readable.from([Buffer.from(body)]), { method: 'POST', url: '/', headers });
  return new Promise((resolve) => {
    const response = {
      statusCode: 200,
      setHeader: () => undefined,
      end(text: string) {
        resolve({ status: this.statusCode, body: JSON.parse(text) as unknown });
      },
    };
    inner.emit('request', request, response);
  });
}
