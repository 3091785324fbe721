// A stand-in of AWS on loopback: the calls that the command line makes of a stage, each answered as a test says, and all of them kept.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { isFailure, withFields } from '../../lib/failure.ts';
import { VERSION } from '../../lib/version.ts';

/**
 * `lambda:penstock-prod-status` of an invocation, `configuration:penstock-prod-status` of a look at that function.
 * `s3:ListBucket` is answered with keys and their sizes, `s3:GetObject` with a text. `AWSStepFunctions.StartExecution` of any
 * other call.
 */
type Operation = string;

export interface CallOfAws {
  readonly operation: Operation;
  readonly input: unknown;
  /** The region that its signature is of. */
  readonly region: string | undefined;
}

/** An answer of AWS: its body, or an error by AWS's name for it. A `Failure` that is thrown is the function's own. */
export type Answer = (input: never, call: number, region: string | undefined) => unknown;

/** @throws AwsError, which is answered as AWS does */
export class AwsError extends Error {
  readonly status: number;

  constructor(name: string, message = 'as the stand-in was told', status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

export const MACHINE = 'arn:aws:states:eu-west-1:123456789012:stateMachine:penstock-prod-provision';
export const EXECUTION = 'arn:aws:states:eu-west-1:123456789012:execution:penstock-prod-provision:0f1e2d3c';

/** A stack of this version, with the stage `prod`, in which nothing was applied. */
const HEALTHY: Readonly<Record<Operation, Answer>> = {
  'lambda:penstock-prod-status': (event: { readonly version?: true }) =>
    event.version === true ? { version: VERSION } : [],
  'AWSStepFunctions.ListStateMachines': () => ({
    stateMachines: [
      { name: 'penstock-prod-provision', stateMachineArn: MACHINE, creationDate: 1, type: 'STANDARD' },
    ],
  }),
  'AWSStepFunctions.StartExecution': () => ({ executionArn: EXECUTION, startDate: 1 }),
  'AWSStepFunctions.ListExecutions': () => ({ executions: [] }),
  'AWSStepFunctions.GetExecutionHistory': () => ({ events: [] }),
};

export interface StandIn {
  /** For the environment of a command. */
  readonly env: Readonly<Record<string, string>>;
  /** Every call, in the order in which they came. */
  readonly calls: readonly CallOfAws[];
  close(): Promise<void>;
}

/** @param answers what is another than in a healthy stack; `undefined`: AWS does not have it */
export async function startAwsStandIn(
  answers: Readonly<Record<Operation, Answer | undefined>> = {},
): Promise<StandIn> {
  const calls: CallOfAws[] = [];
  const all = { ...HEALTHY, ...answers };
  const counts = new Map<Operation, number>();
  const server = createServer(async (request, response) => {
    const { operation, isFunction } = operationOf(request);
    const body = await text(request);
    const input: unknown = body === '' ? queryOf(request) : JSON.parse(body);
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
    calls.push({ operation, input, region });
    const count = (counts.get(operation) ?? 0) + 1;
    counts.set(operation, count);
    try {
      const answer = all[operation];
      if (answer === undefined)
        throw new AwsError(
          isFunction ? 'ResourceNotFoundException' : 'UnknownOperationException',
          operation,
          isFunction ? 404 : 400,
        );
      const found = await answer(input as never, count, region);
      if (operation.startsWith('s3:')) {
        response.end(typeof found === 'string' ? found : listXml(found as Listed));
        return;
      }
      const done = JSON.stringify(found);
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(done);
    } catch (error) {
      if (isFailure(error)) {
        response.writeHead(200, { 'x-amz-function-error': 'Unhandled' });
        response.end(JSON.stringify(functionError(error)));
        return;
      }
      const { name, message, status = 500 } = error as AwsError;
      response.writeHead(status, { 'x-amzn-errortype': name });
      if (operation.startsWith('s3:')) {
        response.end(`<Error><Code>${name}</Code><Message>${message}</Message></Error>`);
        return;
      }
      response.end(JSON.stringify({ __type: name, message, Message: message }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIAFAKEFAKEFAKEFAKE',
      AWS_SECRET_ACCESS_KEY: 'fake-secret-access-key',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What S3 has of a bucket: keys and their sizes. */
export interface Listed {
  readonly objects: readonly { readonly key: string; readonly bytes: number }[];
  readonly more?: boolean;
}

function listXml({ objects, more = false }: Listed): string {
  const contents = objects.map(
    ({ key, bytes }) => `<Contents><Key>${key}</Key><Size>${bytes}</Size></Contents>`,
  );
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${contents.join('')}</ListBucketResult>`;
}

function operationOf({ url = '', method, headers }: IncomingMessage): {
  operation: Operation;
  isFunction: boolean;
} {
  const [, name, what] = /^\/2015-03-31\/functions\/([^/]+)\/(invocations|configuration)/.exec(url) ?? [];
  if (name !== undefined) {
    const kind = what === 'invocations' ? 'lambda' : 'configuration';
    return { operation: `${kind}:${decodeURIComponent(name)}`, isFunction: true };
  }
  if (method === 'GET')
    return { operation: url.includes('list-type=2') ? 's3:ListBucket' : 's3:GetObject', isFunction: false };
  return { operation: String(headers['x-amz-target']), isFunction: false };
}

/** `{ path: '/bucket/key', prefix: '…' }` of a call without a body. */
function queryOf({ url = '' }: IncomingMessage): object {
  const { pathname, searchParams } = new URL(`http://aws${url}`);
  return { path: decodeURIComponent(pathname), ...Object.fromEntries(searchParams) };
}

/** As Lambda passes on what a function has thrown. */
export function functionError(error: Error): object {
  const { name, message, stack = '' } = withFields(error as Parameters<typeof withFields>[0]);
  return { errorType: name, errorMessage: message, trace: stack.split('\n') };
}
