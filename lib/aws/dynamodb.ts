// Calls DynamoDB with a request that is signed here: the SDK's client would add a tenth to each cold start of the forwarder.
import { createHash, createHmac } from 'node:crypto';
import { type Clock, type Fetch, systemClock } from '../aep/transport.ts';
import { awsCall } from './failure.ts';
import { createFetch } from './http.ts';

/** A value of an item, as DynamoDB's API writes it. */
export interface TableValue {
  readonly S?: string;
  readonly N?: string;
  /** Bytes, in base64. */
  readonly B?: string;
  readonly M?: TableItem;
}
export interface TableItem {
  readonly [name: string]: TableValue;
}

/** The operations that are used. */
export type TableOperation = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

/**
 * Calls an operation with its input, both as in DynamoDB's API.
 * @param what says what is being done, for the failure
 * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`; its cause is a `DynamoDbError` if DynamoDB answered
 */
export type TableCall = (
  what: string,
  operation: TableOperation,
  input: Readonly<Record<string, unknown>>,
) => Promise<{ readonly Item?: TableItem; readonly Attributes?: TableItem }>;

/** An error of DynamoDB's. Its name is the type, such as `ConditionalCheckFailedException`. */
export class DynamoDbError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
  constructor(name: string, message: string, status: number) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode: status };
  }
}

/** As often as the SDK tries. */
const TRIES = 3;
const FIRST_WAIT_MS = 50;
/** Of a try, from the request to the end of its answer; calls take milliseconds. */
const TRY_MS = 5_000;
/** AWS: "Error handling with DynamoDB", errors to retry. */
const PASSING =
  /^(InternalServerError|ItemCollectionSizeLimitExceeded|LimitExceeded|ProvisionedThroughputExceeded|RequestLimitExceeded|ServiceUnavailable|Throttling|TransactionConflict)/;

/** What a request is signed with, and where it goes. */
export interface DynamoDbAccess {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** @param fetch without a proxy: no call to AWS uses one */
export function createTableCall(
  access: () => DynamoDbAccess,
  fetch: Fetch = createFetch(),
  clock: Clock = systemClock,
  random: () => number = Math.random,
): TableCall {
  return (what, operation, input) =>
    awsCall(what, async () => {
      const body = JSON.stringify(input);
      for (let tried = 1; ; tried++) {
        try {
          return (await tryOnce(operation, body, access(), fetch, clock)) as Awaited<ReturnType<TableCall>>;
        } catch (error) {
          if (tried === TRIES || !mayPass(error)) throw error;
          await clock.sleep(random() * FIRST_WAIT_MS * 2 ** (tried - 1));
        }
      }
    });
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof DynamoDbError)) return true;
  return error.$metadata.httpStatusCode >= 500 || PASSING.test(error.name);
}

async function tryOnce(
  operation: TableOperation,
  body: string,
  access: DynamoDbAccess,
  fetch: Fetch,
  clock: Clock,
): Promise<unknown> {
  const headers = signed(operation, body, access, new Date(clock.now()));
  const signal = AbortSignal.timeout(TRY_MS);
  const { status, body: chunks } = await reached(
    fetch(access.endpoint, { method: 'POST', headers, body, redirect: 'manual', signal }),
  );
  const all: Uint8Array[] = [];
  for await (const chunk of chunks ?? []) all.push(chunk);
  const answer = parsedAnswer(Buffer.concat(all).toString());
  if (status === 200 && answer !== undefined) return answer;
  const { __type = `status ${status}`, message, Message } = answer ?? {};
  throw new DynamoDbError(__type.slice(__type.indexOf('#') + 1), message ?? Message ?? '', status);
}

/** No answer counts as a network error, whatever undici calls it. */
async function reached<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw Object.assign(new Error(said, { cause }), { name: 'NetworkingError' });
  }
}

interface TableAnswer {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
}

function parsedAnswer(text: string): TableAnswer | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as TableAnswer | undefined;
  } catch {
    return undefined;
  }
}

/** Signature Version 4. AWS: "Create a signed AWS API request", IAM User Guide. */
export function signed(
  operation: TableOperation,
  body: string,
  { endpoint, region, accessKeyId, secretAccessKey, sessionToken }: DynamoDbAccess,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replace(/[:-]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.0',
    host: new URL(endpoint).host,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
    'x-amz-target': `DynamoDB_20120810.${operation}`,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value.trim()}\n`);
  const canonical = ['POST', '/', '', lines.join(''), names, sha256Hex(body)].join('\n');
  const scope = `${day}/${region}/dynamodb/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256Hex(canonical)].join('\n');
  const key = [day, region, 'dynamodb', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The variables are Lambda's and the SDK's. AWS: "Using Lambda environment variables"; "Service-specific endpoints". */
export function accessFrom(environment: Record<string, string | undefined>): DynamoDbAccess {
  const { AWS_REGION: region = '', AWS_ENDPOINT_URL_DYNAMODB: own, AWS_ENDPOINT_URL: all } = environment;
  return {
    endpoint: own || all || `https://dynamodb.${region}.${suffixOf(region)}`,
    region,
    accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
    sessionToken: environment.AWS_SESSION_TOKEN || undefined,
  };
}

/** AWS: "Amazon DynamoDB endpoints and quotas". */
function suffixOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
