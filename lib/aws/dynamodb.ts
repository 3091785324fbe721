// Calls DynamoDB with parts of the SDK that its other clients bring along: its own client would add a tenth to the forwarder's cold start.
import { partition } from '@aws-sdk/core/client';
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/core/protocols';
import { isThrottlingError, isTransientError } from '@smithy/core/retry';
import { NodeHttpHandler, streamCollector } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Clock, systemClock } from '../aep/transport.ts';
import { Failure } from '../failure.ts';
import { inTime, limitsOf } from './client.ts';
import { awsCall } from './failure.ts';

/** A value of an item, as DynamoDB's API writes it. */
export interface TableValue {
  readonly S?: string;
  readonly N?: string;
  /** Bytes, in base64. */
  readonly B?: string;
  /** A set of texts. */
  readonly SS?: readonly string[];
  readonly M?: TableItem;
}
export interface TableItem {
  readonly [name: string]: TableValue;
}

/** The operations that are used. */
export type TableOperation = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Scan';

/** What an operation answers. */
export interface TableAnswer {
  readonly Item?: TableItem;
  readonly Attributes?: TableItem;
  readonly Items?: readonly TableItem[];
  readonly LastEvaluatedKey?: TableItem;
}

/**
 * Calls an operation with its input, both as in DynamoDB's API.
 * @param what says what is being done, for the failure
 * @throws Failure `AWS_UNAVAILABLE`, `AWS_REFUSED`; its cause is a `DynamoDbError` if DynamoDB answered
 */
export type TableCall = (
  what: string,
  operation: TableOperation,
  input: Readonly<Record<string, unknown>>,
) => Promise<TableAnswer>;

/** An error of DynamoDB's. Its name is the type, such as `ConditionalCheckFailedException`. */
export class DynamoDbError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
  /** What was there, if a condition was not met and the input asks for it. */
  readonly item: TableItem | undefined;
  constructor(name: string, message: string, status: number, item?: TableItem) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode: status };
    this.item = item;
  }
}

/** DynamoDB's error, if a call failed because its condition was not met. */
export function conditionNotMet(failure: unknown): DynamoDbError | undefined {
  const { cause } = failure as { readonly cause?: unknown };
  const notMet = cause instanceof DynamoDbError && cause.name === 'ConditionalCheckFailedException';
  return notMet ? cause : undefined;
}

/** @throws Failure `SETTINGS_INVALID`, where `why` says what needs the table */
export function tableName(table: string | undefined, why: string): string {
  if (table !== undefined) return table;
  throw new Failure('SETTINGS_INVALID', `PENSTOCK_TABLE is not set: ${why}`);
}

/** As often as the SDK tries. */
const TRIES = 3;
const FIRST_WAIT_MS = 50;
/** Calls take milliseconds. */
const LIMITS = { connectMs: 2_000, answerMs: 5_000 };

/** What a request is signed with, and where it goes. */
export interface DynamoDbAccess {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @param handler sends a request, as the SDK's clients send theirs */
export function createTableCall(
  access: () => DynamoDbAccess,
  handler: Pick<NodeHttpHandler, 'handle'> = new NodeHttpHandler(limitsOf(LIMITS)),
  clock: Clock = systemClock,
  random: () => number = Math.random,
): TableCall {
  const tryOnce = async (operation: TableOperation, body: string): Promise<TableAnswer> => {
    const request = await signed(operation, body, access(), new Date(clock.now()));
    const { response } = await handler.handle(request);
    const bytes = await streamCollector(response.body);
    return answerIn(response.statusCode, Buffer.from(bytes).toString());
  };
  return (what, operation, input) =>
    awsCall(what, async () => {
      const body = JSON.stringify(input);
      for (let tried = 1; ; tried++) {
        try {
          return await inTime(LIMITS.connectMs + LIMITS.answerMs, tryOnce(operation, body));
        } catch (error) {
          if (tried === TRIES || !mayPass(error)) throw error;
          await clock.sleep(random() * FIRST_WAIT_MS * 2 ** (tried - 1));
        }
      }
    });
}

/** As the SDK decides. Each try is signed anew: a signature expires while Lambda keeps a container frozen. */
function mayPass(error: unknown): boolean {
  const known = error as Parameters<typeof isTransientError>[0];
  return isThrottlingError(known) || isTransientError(known);
}

interface AnswerOrError extends TableAnswer {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
}

function parsedAnswer(text: string): AnswerOrError | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as AnswerOrError | undefined;
  } catch {
    return undefined;
  }
}

/** @throws DynamoDbError */
function answerIn(status: number, text: string): TableAnswer {
  const answer = parsedAnswer(text);
  if (status === 200 && answer !== undefined) return answer;
  const { __type = `status ${status}`, message, Message, Item } = answer ?? {};
  throw new DynamoDbError(__type.slice(__type.indexOf('#') + 1), message ?? Message ?? '', status, Item);
}

/** A request with its signature. */
export async function signed(
  operation: TableOperation,
  body: string,
  { endpoint, region, ...credentials }: DynamoDbAccess,
  signingDate: Date,
): Promise<HttpRequest> {
  const { protocol, hostname, host, port, pathname: path } = new URL(endpoint);
  const request = new HttpRequest({
    method: 'POST',
    protocol,
    hostname,
    ...(port !== '' && { port: Number(port) }),
    path,
    headers: {
      host,
      'content-type': 'application/x-amz-json-1.0',
      'content-length': String(Buffer.byteLength(body)),
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    },
    body,
  });
  const service = { service: 'dynamodb', region, credentials, sha256: Sha256, applyChecksum: false };
  return (await new SignatureV4(service).sign(request, { signingDate })) as HttpRequest;
}

/** The variables are Lambda's and the SDK's, which its other clients follow too. AWS: "Using Lambda environment variables". */
export function accessFrom(environment: Record<string, string | undefined>): DynamoDbAccess {
  const { AWS_REGION: region = '', AWS_SESSION_TOKEN: sessionToken } = environment;
  return {
    endpoint: configuredEndpoint(environment) || regionalEndpoint(region, environment),
    region,
    accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
    ...(sessionToken && { sessionToken }),
  };
}

/** AWS: "Service-specific endpoints", AWS SDKs and Tools Reference Guide. */
function configuredEndpoint(environment: Record<string, string | undefined>): string | undefined {
  if (environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined;
  return environment.AWS_ENDPOINT_URL_DYNAMODB || environment.AWS_ENDPOINT_URL;
}

/** AWS: "Dual-stack and FIPS endpoints", same guide. In GovCloud the plain endpoint is the one with FIPS. */
function regionalEndpoint(region: string, environment: Record<string, string | undefined>): string {
  const { name, dnsSuffix, dualStackDnsSuffix } = partition(region);
  const dual = environment.AWS_USE_DUALSTACK_ENDPOINT === 'true';
  const fips = environment.AWS_USE_FIPS_ENDPOINT === 'true' && (dual || name !== 'aws-us-gov');
  return `https://dynamodb${fips ? '-fips' : ''}.${region}.${dual ? dualStackDnsSuffix : dnsSuffix}`;
}
