// Every function of the bundle, what it is there for, and which libraries it is made of: a function without a line fails a test.
import { fileURLToPath } from 'node:url';
import type { Effect } from './doors.ts';

export interface Start {
  /** As `serverless.yml` calls it. */
  readonly name: string;
  /** Below `functions/`, without its ending. */
  readonly file: string;
  readonly effect: Effect;
  /** Run-time dependencies that it uses, besides zod and an HTTP client. */
  readonly libraries: readonly string[];
  /** What is different in its environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

const LOGGER = '@aws-lambda-powertools/logger';
const METRICS = '@aws-lambda-powertools/metrics';
const client = (name: string) => `@aws-sdk/client-${name}`;
const STEP = [LOGGER, client('secrets-manager')];
const TRIGGER_STEP = [...STEP, client('lambda'), client('kinesis')];

/** The token comes from elsewhere, although from the same door. */
const AEP: Effect = {
  what: 'a request to Experience Platform',
  service: 'aep',
  request: /^(?!POST \/ims\/)[A-Z]+ /,
};
const INLET: Effect = { what: 'records at the inlet', service: 'aep', request: /^POST \/collection\// };
const of = (what: string, service: Effect['service']): Effect => ({ what, service });

const step = (name: string, file = name): Start => ({
  name,
  file: `provision/${file}`,
  effect: AEP,
  libraries: STEP,
});

export const STARTS: readonly Start[] = [
  {
    ...step('begin'),
    effect: of('the stream looked up in Kinesis', 'kinesis'),
    libraries: [LOGGER, client('secrets-manager'), client('kinesis')],
  },
  { ...step('plan'), libraries: TRIGGER_STEP },
  step('schema'),
  step('identity'),
  step('dataset'),
  step('identityDataset', 'identity-dataset'),
  step('baseConnection', 'base-connection'),
  step('sourceConnection', 'source-connection'),
  step('targetConnection', 'target-connection'),
  step('mapping'),
  step('flow'),
  { ...step('verify'), libraries: [LOGGER, client('secrets-manager')] },
  step('publish'),
  { ...step('trigger'), effect: of('the mapping looked up in Lambda', 'lambda'), libraries: TRIGGER_STEP },
  { ...step('stop'), effect: of('the mapping looked up in Lambda', 'lambda'), libraries: TRIGGER_STEP },
  { ...step('retire'), libraries: TRIGGER_STEP },
  { ...step('rollback'), libraries: TRIGGER_STEP },
  { ...step('report'), effect: of('the report written into the table', 'dynamodb') },
  {
    name: 'status',
    file: 'status',
    effect: of('the report read from the table', 'dynamodb'),
    libraries: [...TRIGGER_STEP, client('s3'), client('cloudwatch-logs')],
  },
  { name: 'drift', file: 'drift', effect: AEP, libraries: TRIGGER_STEP },
  { name: 'import', file: 'import', effect: AEP, libraries: STEP },
  {
    name: 'tap',
    file: 'tap',
    effect: of('the stream looked up in Kinesis', 'kinesis'),
    libraries: [...STEP, client('kinesis')],
  },
  {
    name: 'forward',
    file: 'forward',
    effect: INLET,
    libraries: [LOGGER, METRICS, client('secrets-manager'), client('s3')],
  },
  {
    name: 'redrive',
    file: 'redrive',
    effect: of('the stream read in Kinesis', 'kinesis'),
    libraries: [
      LOGGER,
      METRICS,
      client('secrets-manager'),
      client('s3'),
      client('kinesis'),
      client('lambda'),
    ],
  },
  {
    name: 'reconcile',
    file: 'reconcile',
    effect: AEP,
    libraries: [
      LOGGER,
      METRICS,
      client('secrets-manager'),
      client('s3'),
      client('kinesis'),
      client('lambda'),
    ],
  },
  {
    name: 'cleanup',
    file: 'cleanup',
    effect: of('the mappings listed in Lambda', 'lambda'),
    libraries: [LOGGER, client('secrets-manager'), client('lambda'), client('kinesis')],
    // Of the stack that is measured with nothing is to go.
    environment: { PENSTOCK_STAGE: 'other', PENSTOCK_FORWARDER: 'other' },
  },
  {
    name: 'deployHook',
    file: 'deploy-hook',
    effect: of('an execution started', 'states'),
    libraries: [LOGGER, client('secrets-manager'), client('sfn')],
    // For the ordinary bundle, which reads them; into the other one they are built.
    environment: { PENSTOCK_PIPELINES: fileURLToPath(new URL('../examples', import.meta.url)) },
  },
];
