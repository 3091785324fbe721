// AWS on a laptop, in one call: Kinesis, DynamoDB, Secrets Manager, Lambda's mappings, logs, and the functions themselves.
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { type AccessKeys, createAccessKeys } from './access-keys.ts';
import { accessKeyOf, type Calls, noCalls, OWN_KEY } from './calls.ts';
import type { Clock } from './clock.ts';
import type { InvocationReport } from './delivery.ts';
import { startDynamoDb } from './dynamodb.ts';
import { createFunctionHost, type FunctionDefinition, type FunctionHost } from './function-host.ts';
import type { Services } from './gateway.ts';
import { startGlue } from './glue.ts';
import { type KinesisFault, type LocalKinesis, startKinesis } from './kinesis.ts';
import { startLambdaApi } from './lambda-api.ts';
import { startLogsApi } from './logs-api.ts';
import { createMappings, type Mappings } from './mappings.ts';
import { createOnFailure, type OnFailureDelivery } from './on-failure.ts';
import { startS3 } from './s3.ts';
import { type LocalSecretsManager, startSecretsManager } from './secrets-manager.ts';
import { type Account, LOCAL_ACCOUNT } from './server.ts';
import { createShardLimits } from './shard-limits.ts';
import type { Pace } from './shard-reader.ts';

export interface LocalAwsOptions {
  functions: Record<string, FunctionDefinition>;
  /** For every function, on top of what points it at the local services. */
  env?: Record<string, string>;
  account?: Account;
  /** Tables to make: the key attribute by the table's name. */
  tables?: Readonly<Record<string, string>>;
  pace?: Partial<Pace>;
  /** How long a mapping stays in Creating, Enabling, …; 100 ms when left out. */
  transitionMs?: number;
  kinesisFault?: KinesisFault;
  /** Whether a shard gives its readers no more than AWS's does; as much as is asked for when left out. */
  shardLimits?: boolean;
  onLog?(functionName: string, line: string): void;
  onInvocation?(report: InvocationReport): void;
  /** Stands for every bucket, a mapping's on-failure destination or one that is asked for through S3's API; without it there is none. */
  onFailureFolder?: string;
  /** Told of what functions ask for, and AWS with their roles. */
  calls?: Calls;
  /** Told of every on-failure document, also of those for queues and topics, which go nowhere else. */
  onFailure?(delivery: OnFailureDelivery): void;
  /** What the age of records, the pauses between retries, and a mapping's states go by. */
  clock?: Clock;
}

export interface LocalAws {
  /** What points an unchanged AWS SDK client, here or in a function, at the local services. */
  env: Record<string, string>;
  endpoints: { kinesis: string; dynamoDb: string; secretsManager: string; lambda: string };
  /** The same and the others, by the word for a service in the scope of a signature. */
  services: Services;
  kinesis: LocalKinesis;
  /** Keys of strangers, who read a stream by their own. */
  keys: AccessKeys;
  secrets: LocalSecretsManager;
  mappings: Mappings;
  functions: FunctionHost;
  close(): Promise<void>;
}

export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const account = options.account ?? LOCAL_ACCOUNT;
  const { kinesisFault: fault, onLog, onInvocation, pace, tables, transitionMs, clock } = options;
  const { onFailureFolder: folder, onFailure: onDelivery } = options;
  const { calls = noCalls } = options;
  const keys = createAccessKeys();
  const limits = options.shardLimits ? createShardLimits() : undefined;
  const kinesis = await startKinesis({
    account,
    calls,
    keys,
    ...(fault && { fault }),
    ...(limits && { limits }),
  });
  const dynamoDb = await startDynamoDb({ account, calls, ...(tables && { tables }) });
  const secrets = await startSecretsManager({ account, calls });
  const glue = await startGlue(account, calls);
  const logs = await startLogsApi(account, calls, Object.keys(options.functions));
  const s3 = folder === undefined ? undefined : await startS3(folder, calls);
  const credentials = { accessKeyId: OWN_KEY, secretAccessKey: 'local' };
  const clientAs = (accessKeyId: string) =>
    new KinesisClient({
      endpoint: kinesis.endpoint,
      region: account.region,
      credentials: { ...credentials, accessKeyId },
    });
  const client = clientAs(credentials.accessKeyId);
  const readers = new Map<string, KinesisClient>();
  const mappings = createMappings({
    account,
    kinesis: client,
    kinesisAs(name) {
      const reader = readers.get(name) ?? clientAs(accessKeyOf(name));
      readers.set(name, reader);
      return reader;
    },
    functions: Object.keys(options.functions),
    invoke: (name, event) => functions.invoke(name, event),
    onFailure: createOnFailure({
      calls,
      ...(folder !== undefined && { folder }),
      ...(onDelivery && { onDelivery }),
    }),
    ...(onInvocation && { onInvocation }),
    ...(clock && { clock }),
    ...(pace && { pace }),
    ...(transitionMs !== undefined && { transitionMs }),
  });
  const invoke = (name: string, event: unknown) => functions.invoke(name, event);
  const lambda = await startLambdaApi(mappings, account, invoke, calls, options.functions);
  const env = {
    AWS_REGION: account.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
    AWS_ENDPOINT_URL_GLUE: glue.endpoint,
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: logs.endpoint,
    ...(s3 && { AWS_ENDPOINT_URL_S3: s3.endpoint }),
  };
  const functions = createFunctionHost({
    functions: options.functions,
    account,
    env: { ...env, ...options.env },
    onLog(functionName, line) {
      logs.put(functionName, line);
      onLog?.(functionName, line);
    },
  });

  return {
    env,
    endpoints: {
      kinesis: kinesis.endpoint,
      dynamoDb: dynamoDb.endpoint,
      secretsManager: secrets.endpoint,
      lambda: lambda.endpoint,
    },
    services: {
      kinesis: kinesis.endpoint,
      dynamodb: dynamoDb.endpoint,
      secretsmanager: secrets.endpoint,
      lambda: lambda.endpoint,
      glue: glue.endpoint,
      logs: logs.endpoint,
      ...(s3 && { s3: s3.endpoint }),
    },
    kinesis,
    keys,
    secrets,
    mappings,
    functions,
    close: async () => {
      await lambda.close();
      // Ending the functions first would turn an invocation in flight into a failure. A poller waits for its invocation; a
      // function that hangs is ended by its own timeout.
      await mappings.close();
      await functions.close();
      for (const one of [client, ...readers.values()]) one.destroy();
      await Promise.all([s3, logs, glue, secrets, dynamoDb, kinesis].map((server) => server?.close()));
    },
  };
}
