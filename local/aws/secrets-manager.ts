// AWS Secrets Manager on loopback: the operations Penstock and its users need, with AWS's own error types.

import { type Asked, type Calls, noCalls } from './calls.ts';
import { operations } from './secret-operations.ts';
import { createSecretStore, type SecretStore } from './secret-store.ts';
import {
  type Account,
  AwsError,
  type AwsRequest,
  type AwsResponse,
  checkScope,
  LOCAL_ACCOUNT,
  notSimulated,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

export interface SecretsManagerOptions {
  account?: Account;
  now?: () => number;
  /** Told of what functions ask for. */
  calls?: Calls;
}

export interface InjectedError {
  /** Only this operation, for example `GetSecretValue`; any when left out. */
  operation?: string;
  /** `ThrottlingException`, `InternalServiceError`, `DecryptionFailure`, … */
  type: string;
  /** How many requests it strikes; 1 when left out. The SDK retries, so a caller sees an error after 3. */
  times?: number;
}

export interface LocalSecretsManager extends RunningServer {
  inject(error: InjectedError): void;
  /** How often each operation was asked, refused requests included. */
  readonly requests: ReadonlyMap<string, number>;
}

const SERVER_ERRORS = new Set(['InternalServiceError', 'InternalFailure', 'ServiceUnavailable']);

export async function startSecretsManager(options: SecretsManagerOptions = {}): Promise<LocalSecretsManager> {
  const { account = LOCAL_ACCOUNT, calls = noCalls } = options;
  const store = createSecretStore(account, options.now ?? Date.now);
  const injected: (InjectedError & { left: number })[] = [];
  const requests = new Map<string, number>();

  function answer(request: AwsRequest): AwsResponse {
    checkScope(request, 'secretsmanager');
    const [service, name = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const operation = service === 'secretsmanager' ? operations[name] : undefined;
    if (!operation) throw notSimulated(`${name} of Secrets Manager`);
    requests.set(name, (requests.get(name) ?? 0) + 1);
    const input = parseBody(request.body);
    calls.request(request.headers.authorization, () => asked(name, input, store, account));
    strike(name);
    return { status: 200, body: operation(store, input) };
  }

  function strike(operation: string): void {
    const error = injected.find((one) => one.left > 0 && (one.operation ?? operation) === operation);
    if (!error) return;
    error.left -= 1;
    throw new AwsError(
      error.type,
      'Injected by the local Secrets Manager.',
      SERVER_ERRORS.has(error.type) ? 500 : 400,
    );
  }

  const server = await serve('application/x-amz-json-1.1', answer);
  return { ...server, requests, inject: (error) => injected.push({ ...error, left: error.times ?? 1 }) };
}

/**
 * The ARN of a secret that exists ends with six letters. One that does not exist is read by the ARN without them, and
 * created under one with them; both are told. Source: AWS, "Identify Secrets Manager resources in policies": with `-??????`
 * alone the answer is "denied", and not "not found".
 */
function asked(
  operation: string,
  { SecretId, Name, Tags }: Record<string, unknown>,
  store: SecretStore,
  { region, accountId }: Account,
): Asked[] {
  const call = { api: `secrets-manager:${operation}`, action: `secretsmanager:${operation}` };
  if (operation === 'ListSecrets') return [{ ...call, resource: '*' }];
  const id = String(SecretId ?? Name);
  const found = store.find(id);
  if (found !== undefined) return [{ ...call, resource: found.arn }];
  const arn = id.startsWith('arn:') ? id : `arn:aws:secretsmanager:${region}:${accountId}:secret:${id}`;
  const made = `${arn}-AbCdEf`;
  return [
    ...[arn, made].map((resource) => ({ ...call, resource })),
    ...(Tags ? [{ action: 'secretsmanager:TagResource', resource: made }] : []),
  ];
}
