// AWS Secrets Manager on loopback: the operations Penstock and its users need, with AWS's own error types.

import { operations } from './secret-operations.ts';
import { SecretStore } from './secret-store.ts';
import {
  type Account,
  AwsError,
  type AwsRequest,
  type AwsResponse,
  checkScope,
  localAccount,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

export interface SecretsManagerOptions {
  account?: Account;
  now?: () => number;
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

const serverErrors = new Set(['InternalServiceError', 'InternalFailure', 'ServiceUnavailable']);

export async function startSecretsManager(options: SecretsManagerOptions = {}): Promise<LocalSecretsManager> {
  const store = new SecretStore(options.account ?? localAccount, options.now ?? Date.now);
  const injected: (InjectedError & { left: number })[] = [];
  const requests = new Map<string, number>();

  function answer(request: AwsRequest): AwsResponse {
    checkScope(request, 'secretsmanager');
    const [service, name = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const operation = service === 'secretsmanager' ? operations[name] : undefined;
    if (!operation) throw new AwsError('UnknownOperationException', `Not available locally: ${name}`);
    requests.set(name, (requests.get(name) ?? 0) + 1);
    strike(name);
    return { status: 200, body: operation(store, parseBody(request.body)) };
  }

  function strike(operation: string): void {
    const error = injected.find((one) => one.left > 0 && (one.operation ?? operation) === operation);
    if (!error) return;
    error.left -= 1;
    throw new AwsError(
      error.type,
      'Injected by the local Secrets Manager.',
      serverErrors.has(error.type) ? 500 : 400,
    );
  }

  const server = await serve('application/x-amz-json-1.1', answer);
  return { ...server, requests, inject: (error) => injected.push({ ...error, left: error.times ?? 1 }) };
}
