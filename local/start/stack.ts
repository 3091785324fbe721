// Everything on one machine: the simulated platform on a port, local AWS, the functions, and the secret they need.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createTableCall } from '../../lib/aws/dynamodb.ts';
import { createLedger } from '../../lib/aws/ledger.ts';
import { createRoutes } from '../../lib/aws/routes.ts';
import type { Ledger, Routes } from '../../lib/runtime.ts';
import { SCHEMA_CACHE_FACTOR } from '../../lib/waits.ts';
import { type Access, createAccess, TOKEN_HEADER } from '../aep/access.ts';
import { parseExactly } from '../aep/json.ts';
import { FAKE_CREDENTIAL } from '../aep/options.ts';
import type { Platform } from '../aep/platform.ts';
import type { Quirks } from '../aep/quirks.ts';
import { startServer } from '../aep/server.ts';
import type { Standard } from '../aep/xdm/standard.ts';
import { accessKeyOf, type Calls, callsOfTests } from '../aws/calls.ts';
import type { InvocationReport } from '../aws/delivery.ts';
import type { Executions } from '../aws/executions.ts';
import { startFunctionUrl } from '../aws/function-url.ts';
import { startGateway } from '../aws/gateway.ts';
import { type LocalAws, startLocalAws } from '../aws/index.ts';
import { createLocalMetrics, type LocalMetrics } from '../aws/metrics.ts';
import type { StateEvent } from '../aws/state-machine.ts';
import { startStatesApi } from '../aws/states-api.ts';
import { deployedFunctions, functionName } from './functions.ts';
import { createProvisioning, definitionWith, MACHINE, provisioningArn } from './provisioning.ts';
import { STAGE } from './stage.ts';
import { ensureNamed } from './streams.ts';
import { createWitness, type Witness } from './witness.ts';

export interface StackOptions {
  readonly warmUpSeconds: number;
  readonly seed: number;
  /** Where the dead-letter store is kept. */
  readonly folder: string;
  /** Sandboxes that the platform has besides its own. */
  readonly sandboxes: readonly string[];
  /** What of Adobe's XDM it knows; left out, what is built in. */
  readonly xdm?: Standard;
  /** Which variants it plays where Adobe's material says two things. */
  readonly quirks?: Partial<Quirks>;
  /** Who may look inside the platform; without it, a token of its own is drawn. */
  readonly access?: Access;
  /** Served instead of a new one, which `seed`, `sandboxes` and `warmUpSeconds` would make. */
  readonly platform?: Platform;
  /** Folder of the pipelines that deploy hooks can start, in place of `pipelines/`. */
  readonly pipelines?: string;
  /** Runs the bundles of `npm run build` instead of the sources. */
  readonly bundled?: boolean;
  /** How functions reach the dead-letter store: as files, or through S3's API in front of the same folder. */
  readonly store?: 'folder' | 's3';
  /** Whether a shard gives all its readers together no more than AWS's does. */
  readonly shardLimits?: boolean;
  /** Told of what functions and the state machine ask AWS for. */
  readonly calls?: Calls;
  readonly onLog?: (functionName: string, line: string) => void;
  readonly onInvocation?: (report: InvocationReport) => void;
}

export interface Refusal {
  /** What had come in. */
  readonly record: object;
  readonly why: string;
}

export interface Stack {
  readonly platform: Awaited<ReturnType<typeof startServer>>;
  readonly aws: LocalAws;
  /** Where all of the local AWS answers, for `AWS_ENDPOINT_URL`. */
  readonly awsUrl: string;
  readonly kinesis: KinesisClient;
  /** Of whoever runs this, in that region: a stranger finds a stream only where it was made. */
  kinesisIn(region: string): KinesisClient;
  readonly dynamoDb: DynamoDBClient;
  readonly secretsManager: SecretsManagerClient;
  /** Which routes each stream has. */
  readonly routes: Routes;
  /** Of the provisioning state machine. */
  readonly executions: Executions;
  /** When an event of an execution was by the platform's clock, which can be moved. In ms since the epoch. */
  platformTimeOf(event: StateEvent): number;
  /** What is kept of each pipeline. */
  readonly ledger: Ledger;
  /** Where deploy hooks are sent; their keys are in the secret `penstock/dev/hook`, which whoever wants them makes. */
  readonly hookUrl: string;
  createSecret(name: string, value: object): Promise<void>;
  /** What the functions' environment has on top of AWS's. */
  readonly settings: Record<string, string>;
  readonly deadLettersFolder: string;
  readonly witness: Witness;
  /** What the functions have counted. */
  readonly metrics: LocalMetrics;
  /** Rows that landed in a dataset, the first `limit`, through the simulator's own window: AEP's is Query Service. */
  readBack(datasetId: string, limit: number): Promise<unknown[]>;
  /** Rows of a dataset that were refused after they had been received, the newest `limit`, and why. */
  refusals(datasetId: string, limit: number): Promise<Refusal[]>;
  /** Why records that were received went nowhere, and how many. */
  losses(): { reason: string; messages: number }[];
  close(): Promise<void>;
}

const FORWARDER = functionName('forward');
const TABLE = `penstock-${STAGE}-pipelines`;
const BUCKET = 'dead-letters';
/** Between two looks at a stream that the platform reads by itself: a laptop need not wait a second for each. */
const PULL_MS = 250;

export async function startStack(options: StackOptions): Promise<Stack> {
  const { calls = callsOfTests() } = options;
  await mkdir(options.folder, { recursive: true });
  const witness = createWitness();
  const metrics = createLocalMetrics();
  const { access = createAccess() } = options;
  const platform = await startServer({
    port: 0,
    access,
    ...(options.platform && { platform: options.platform }),
    onReceived: witness.see,
    warmUpMs: options.warmUpSeconds * 1_000,
    pullMs: PULL_MS,
    schemaCacheMs: options.warmUpSeconds * SCHEMA_CACHE_FACTOR * 1_000,
    seed: options.seed,
    sandboxes: sandboxes(options.sandboxes),
    ...(options.xdm && { xdm: options.xdm }),
    ...(options.quirks && { quirks: options.quirks }),
  });
  const stateMachineArn = provisioningArn(STAGE);
  const states = await startStatesApi(
    {
      stateMachineArn,
      definition: () => definitionWith((key) => aws.functions.arn(functionName(key)), TABLE),
      executions: () => executions,
    },
    calls,
  );
  const settings = {
    PENSTOCK_STAGE: STAGE,
    PENSTOCK_IMS_URL: platform.origin,
    PENSTOCK_PLATFORM_URL: platform.origin,
    PENSTOCK_INLET_ORIGINS: platform.origin,
    PENSTOCK_DEAD_LETTERS_URL: options.store === 's3' ? `s3://${BUCKET}` : pathToFileURL(options.folder).href,
    PENSTOCK_FORWARDER: FORWARDER,
    PENSTOCK_REDRIVE: functionName('redrive'),
    PENSTOCK_ON_FAILURE_ARN: `arn:aws:s3:::${BUCKET}`,
    PENSTOCK_TABLE: TABLE,
    PENSTOCK_SCHEMA_REGISTRY: 'yes',
    PENSTOCK_STATE_MACHINE: stateMachineArn,
    AWS_ENDPOINT_URL_SFN: states.endpoint,
    PENSTOCK_TAGS: `stage=${STAGE}`,
    PENSTOCK_LIST_DELAY_SECONDS: '2',
    PENSTOCK_PUBLISHED_SECONDS: '1',
    // No deployed stack: nobody's records are lost here.
    PENSTOCK_SHORT_WAITS: 'yes',
    ...(options.pipelines !== undefined && { PENSTOCK_PIPELINES: options.pipelines }),
  };
  const aws = await startLocalAws({
    functions: deployedFunctions(options.bundled ?? false),
    // A dozen processes compile the same modules: the second one and all later ones need not.
    env: {
      ...settings,
      NODE_COMPILE_CACHE: fileURLToPath(new URL('../../.penstock/compile-cache', import.meta.url)),
    },
    tables: { [TABLE]: 'pipeline' },
    // In the cloud it is one bucket too: rejects below rejected/, what waits below parked/, what Lambda discards below aws/lambda/.
    onFailureFolder: options.folder,
    // Lambda looks once a second; a laptop need not wait for it.
    pace: { idleMs: 100 },
    calls,
    ...(options.shardLimits && { shardLimits: true }),
    onLog(name, line) {
      metrics.see(line);
      options.onLog?.(name, line);
    },
    ...(options.onInvocation && { onInvocation: options.onInvocation }),
  });
  platform.platform.kinesis = aws.endpoints.kinesis;
  const kinesis = new KinesisClient(clientOptions(aws, aws.endpoints.kinesis));
  const elsewhere = new Map<string, KinesisClient>();
  const dynamoDb = new DynamoDBClient(clientOptions(aws, aws.endpoints.dynamoDb));
  const tableCall = createTableCall(() => {
    const { endpoint, region, credentials } = clientOptions(aws, aws.endpoints.dynamoDb);
    return { endpoint, region, ...credentials };
  });
  const machineDynamoDb = new DynamoDBClient({
    ...clientOptions(aws, aws.endpoints.dynamoDb),
    credentials: { accessKeyId: accessKeyOf(MACHINE), secretAccessKey: 'local' },
  });
  const secretsManager = new SecretsManagerClient(clientOptions(aws, aws.endpoints.secretsManager));
  await createSecret(secretsManager, `penstock/${STAGE}/credentials`, {
    clientId: FAKE_CREDENTIAL.clientId,
    clientSecret: FAKE_CREDENTIAL.clientSecrets[0],
    organizationId: '0A1B2C3D4E5F60718293A4B5@AdobeOrg',
  });
  const platformTimes = new WeakMap<StateEvent, number>();
  const executions = createProvisioning({
    stage: STAGE,
    functions: aws.functions,
    dynamoDb: machineDynamoDb,
    calls,
    forwarder: FORWARDER,
    table: TABLE,
    warmUpSeconds: options.warmUpSeconds,
    onState: (event) => void platformTimes.set(event, platform.platform.clock.now()),
  });
  const gateway = await startGateway({ ...aws.services, states: states.endpoint });
  const hook = await startFunctionUrl((event) => aws.functions.invoke(functionName('deployHook'), event));
  return {
    platform,
    aws,
    awsUrl: gateway.endpoint,
    kinesis,
    kinesisIn(region) {
      const one =
        elsewhere.get(region) ?? new KinesisClient({ ...clientOptions(aws, aws.endpoints.kinesis), region });
      elsewhere.set(region, one);
      return one;
    },
    dynamoDb,
    secretsManager,
    routes: createRoutes(TABLE, tableCall),
    ledger: createLedger(TABLE, tableCall),
    createSecret: (name, value) => createSecret(secretsManager, name, value),
    executions,
    platformTimeOf: (event) => platformTimes.get(event) ?? event.at,
    hookUrl: hook.url,
    settings,
    deadLettersFolder: options.folder,
    witness,
    metrics,
    async readBack(datasetId, limit) {
      const { rows } = await look<{ rows: unknown[] }>(platform, `datasets/${datasetId}/rows?limit=${limit}`);
      return rows;
    },
    async refusals(datasetId, limit) {
      type Refused = { source: object; violations: { pointerToViolation: string; message: string }[] };
      const { rows } = await look<{ rows: Refused[] }>(
        platform,
        `datasets/${datasetId}/refused?limit=${Math.min(limit, 100_000)}`,
      );
      return rows.map(({ source, violations }) => ({
        record: source,
        why: violations
          .map(({ pointerToViolation, message }) => `${pointerToViolation}: ${message}`)
          .join('; '),
      }));
    },
    losses: () =>
      [...platform.platform.state.losses.values()].map(({ reason, messages }) => ({ reason, messages })),
    async close() {
      // First: without the functions an execution would retry what it cannot reach, for minutes.
      await executions.close();
      for (const one of [kinesis, ...elsewhere.values()]) one.destroy();
      dynamoDb.destroy();
      machineDynamoDb.destroy();
      secretsManager.destroy();
      await hook.close();
      await gateway.close();
      await states.close();
      await aws.close();
      await platform.close();
    },
  };
}

/** Creates the stream where it is not there, and returns its ARN. */
export function ensureStream(
  stack: Stack,
  streamName: string,
  shards: number,
  kinesis = stack.kinesis,
): Promise<string> {
  return ensureNamed(kinesis, streamName, shards);
}

async function look<T>({ origin, access }: Stack['platform'], page: string): Promise<T> {
  const headers = { [TOKEN_HEADER]: access.token };
  const answer = await fetch(`${origin}/_simulator/${page}`, { headers });
  if (!answer.ok) throw new Error(`the simulator answered ${answer.status} to /_simulator/${page}`);
  return parseExactly(await answer.text()) as T;
}

function sandboxes(wanted: readonly string[]) {
  const own = [
    { name: 'prod', title: 'Production', type: 'production', isDefault: true },
    { name: 'dev1', title: 'Development', type: 'development' },
  ] as const;
  const more = [...new Set(wanted)].filter((name) => !own.some((one) => one.name === name));
  return [...own, ...more.map((name) => ({ name, title: name }))];
}

function clientOptions(aws: LocalAws, endpoint: string) {
  return {
    endpoint,
    region: aws.env.AWS_REGION ?? '',
    credentials: {
      accessKeyId: aws.env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: aws.env.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
}

async function createSecret(client: SecretsManagerClient, name: string, value: object): Promise<void> {
  await client.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(value) }));
}
