// The state machine that provisions, written short: `npm run generate` makes functions/provision/states.asl.json of it.
import { TRANSIENT } from '../lib/failure.ts';

type States = Readonly<Record<string, object>>;

/** In seconds; more than the 120 that Lambda gives a step, so that Lambda is the one to say that it took too long. */
const STEP_SECONDS = 130;

const STEP_RETRY = [
  {
    ErrorEquals: [TRANSIENT, 'Lambda.TooManyRequestsException'],
    IntervalSeconds: 2,
    BackoffRate: 2,
    MaxAttempts: 4,
    MaxDelaySeconds: 30,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.Unknown',
      'Runtime.ExitError',
      'Runtime.OutOfMemory',
      'Sandbox.Timedout',
      'States.Timeout',
    ],
    IntervalSeconds: 40,
    BackoffRate: 1.5,
    MaxAttempts: 3,
    MaxDelaySeconds: 90,
  },
];

interface Step {
  readonly comment?: string;
  readonly next: string;
  /** Where it goes when it fails, and where its failure is written. */
  readonly caught?: string;
  readonly failure?: string;
}

/** A state that calls the function of its name. */
function step(name: string, { comment, next, caught = 'rollback', failure }: Step): States {
  const key = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    [name]: {
      ...(comment !== undefined && { Comment: comment }),
      Type: 'Task',
      Resource: { 'Fn::GetAtt': [key, 'Arn'] },
      TimeoutSeconds: STEP_SECONDS,
      Retry: STEP_RETRY,
      Catch: [catching('States.ALL', caught, failure)],
      Next: next,
    },
  };
}

function catching(error: string, next: string, path = '$.failure') {
  return { ErrorEquals: [error], ResultPath: path, Next: next };
}

/** Errors of a service that pass. */
const DYNAMODB = [
  'DynamoDB.ProvisionedThroughputExceededException',
  'DynamoDB.RequestLimitExceeded',
  'DynamoDB.ThrottlingException',
  'DynamoDB.InternalServerError',
  'DynamoDB.TransactionConflictException',
  'DynamoDB.SdkClientException',
];
const STEP_FUNCTIONS = ['Sfn.ThrottlingException', 'Sfn.InternalServerException', 'Sfn.SdkClientException'];

interface Call {
  readonly comment: string;
  readonly resource: string;
  readonly parameters: object;
  /** What is kept of the answer, and where; nothing is where they are left out. */
  readonly select?: object;
  readonly path?: string;
  readonly passing: readonly string[];
  readonly caught: readonly object[];
  readonly next: string;
}

/** A state that calls a service of AWS without a function. */
function call({ comment, resource, parameters, select, path, passing, caught, next }: Call) {
  return {
    Comment: comment,
    Type: 'Task',
    Resource: `arn:aws:states:::${resource}`,
    TimeoutSeconds: 30,
    Parameters: parameters,
    ...(select !== undefined && { ResultSelector: select }),
    ResultPath: path ?? null,
    Retry: [
      {
        ErrorEquals: [...passing, 'States.Timeout'],
        IntervalSeconds: 1,
        BackoffRate: 2,
        MaxAttempts: 6,
        MaxDelaySeconds: 20,
        JitterStrategy: 'FULL',
      },
    ],
    Catch: caught,
    Next: next,
  };
}

const ITEM = { TableName: { Ref: 'PipelineTable' }, Key: { pipeline: { 'S.$': '$.manifest.name' } } };
const OWNER = { ExpressionAttributeNames: { '#owner': 'owner' } };
const ME = { ':me': { 'S.$': '$$.Execution.Id' } };
const NOW = { ':now': { 'S.$': '$$.Execution.StartTime' } };
const ONE = { ':one': { N: '1' } };

/** A change of the lease, where the condition holds. */
function updateLease(
  how: Omit<Call, 'resource' | 'parameters' | 'passing'>,
  update: string,
  condition: string,
  values: object,
) {
  const parameters = {
    ...ITEM,
    UpdateExpression: update,
    ConditionExpression: condition,
    ...OWNER,
    ExpressionAttributeValues: values,
  };
  return call({ ...how, resource: 'dynamodb:updateItem', parameters, passing: DYNAMODB });
}

const TAKE = 'SET #owner = :me, since = :now ADD entered :one';
const NOT_TAKEN = [
  catching('DynamoDB.ConditionalCheckFailedException', 'holder', '$.refused'),
  catching('States.ALL', 'report'),
];

/** The first of the choices that holds, or `otherwise`. */
function choose(comment: string | undefined, choices: readonly object[], otherwise: string) {
  return {
    Type: 'Choice',
    ...(comment !== undefined && { Comment: comment }),
    Choices: choices,
    Default: otherwise,
  };
}

const is = (variable: string, value: string) => ({ Variable: variable, StringEquals: value });
const present = (variable: string) => ({ Variable: variable, IsPresent: true });

export const STATE_MACHINE = {
  Comment:
    "Makes a pipeline in Adobe Experience Platform from a manifest. Every Task has the name of its file in this folder. A step that died silently is retried only when no list of AEP's can be too old to show what it made.",
  TimeoutSeconds: 7_200,
  StartAt: 'start',
  States: {
    start: {
      Type: 'Pass',
      Comment: 'Adds the execution, which the ownership tag names.',
      Parameters: {
        'id.$': '$$.Execution.Id',
        'name.$': '$$.Execution.Name',
        'startedAt.$': '$$.Execution.StartTime',
      },
      ResultPath: '$.execution',
      Next: 'begin',
    },
    ...step('begin', {
      comment: 'Checks the request, and makes the document of it.',
      caught: 'report',
      next: 'begun',
    }),
    begun: choose(
      'A plan changes nothing and needs no lease.',
      [{ ...is('$.mode', 'plan'), Next: 'plan' }],
      'lease',
    ),

    lease: updateLease(
      { comment: 'One execution at a time works on a pipeline.', caught: NOT_TAKEN, next: 'leased' },
      TAKE,
      'attribute_not_exists(#owner) OR #owner = :me',
      { ...ME, ...NOW, ...ONE },
    ),
    leased: { Type: 'Pass', Result: true, ResultPath: '$.leased', Next: 'plan' },
    holder: call({
      comment: 'Which execution has the lease?',
      resource: 'dynamodb:getItem',
      parameters: { ...ITEM, ConsistentRead: true, ProjectionExpression: '#owner, entered', ...OWNER },
      select: { 'item.$': '$.Item' },
      path: '$.holder',
      passing: DYNAMODB,
      caught: [catching('States.ALL', 'report')],
      next: 'held',
    }),
    held: choose(
      'The lease may have been returned since.',
      [{ ...present('$.holder.item.owner.S'), Next: 'ask' }],
      'lease',
    ),
    ask: call({
      comment: 'Does the holder still run?',
      resource: 'aws-sdk:sfn:describeExecution',
      parameters: { 'ExecutionArn.$': '$.holder.item.owner.S' },
      select: { 'status.$': '$.Status' },
      path: '$.holder.execution',
      passing: STEP_FUNCTIONS,
      caught: [
        catching('Sfn.ExecutionDoesNotExistException', 'grace', '$.holder.unknown'),
        catching('States.ALL', 'report'),
      ],
      next: 'asked',
    }),
    asked: choose(
      undefined,
      [
        {
          Or: ['RUNNING', 'PENDING_REDRIVE'].map((status) => is('$.holder.execution.status', status)),
          Next: 'busy',
        },
      ],
      'grace',
    ),
    busy: {
      Type: 'Pass',
      Parameters: {
        Error: 'Penstock.Busy',
        code: 'BUSY',
        next: 'Wait until it has ended, then start this one again.',
        'Cause.$':
          "States.Format('BUSY: the execution {} works on the pipeline {} | Next: Wait until it has ended, then start this one again.', $.holder.item.owner.S, $.manifest.name)",
      },
      ResultPath: '$.failure',
      Next: 'report',
    },
    grace: {
      Type: 'Wait',
      Comment: 'The holder has ended, but a step of it may still run, at most until its time limit.',
      Seconds: STEP_SECONDS,
      Next: 'take-over',
    },
    'take-over': updateLease(
      {
        comment: 'Only from the holder that was found, and only if no step has worked on the pipeline since.',
        caught: NOT_TAKEN,
        next: 'leased',
      },
      TAKE,
      '(#owner = :old AND entered = :seen) OR #owner = :me',
      {
        ...ME,
        ...NOW,
        ...ONE,
        ':old': { 'S.$': '$.holder.item.owner.S' },
        ':seen': { 'N.$': '$.holder.item.entered.N' },
      },
    ),

    ...step('plan', {
      comment: 'Finds what exists and what differs, before any change.',
      caught: 'report',
      next: 'planned',
    }),
    planned: choose(
      'The request asks only for a plan, the plan has conflicts, or the token is of another state.',
      [
        { Or: [is('$.mode', 'plan'), present('$.failure')], Next: 'report' },
        { ...is('$.mode', 'retire'), Next: 'stop' },
      ],
      'schema',
    ),

    ...step('schema', { next: 'base-connection' }),
    ...step('base-connection', { next: 'mapping' }),
    ...step('mapping', { next: 'identity' }),
    ...step('identity', { next: 'dataset' }),
    ...step('dataset', { next: 'identity-dataset' }),
    ...step('identity-dataset', { next: 'source-connection' }),
    ...step('source-connection', { next: 'target-connection' }),
    ...step('target-connection', { next: 'flow' }),
    ...step('flow', { next: 'warm' }),
    warm: choose(
      'A flow that was kept is warm already.',
      [{ Variable: '$.waitSeconds', NumericGreaterThan: 0, Next: 'warm-up' }],
      'verify',
    ),
    'warm-up': {
      Type: 'Wait',
      Comment: 'AEP may lose what is sent to a new flow.',
      SecondsPath: '$.waitSeconds',
      Next: 'verify',
    },
    ...step('verify', { comment: 'Warm now? Flow enabled, samples as expected.', next: 'publish' }),
    ...step('publish', {
      comment: 'From here on the forwarder knows the pipeline, and sends to its flow.',
      next: 'trigger',
    }),
    ...step('trigger', { comment: 'Switched on last.', next: 'old' }),
    old: choose(
      'Waits until nothing is on its way to the old flow.',
      [{ ...present('$.old[0]'), Next: 'drain' }],
      'report',
    ),

    ...step('stop', { comment: "Retiring begins: stops the pipeline's input.", next: 'drain' }),
    drain: { Type: 'Wait', SecondsPath: '$.drainSeconds', Next: 'retire' },
    ...step('retire', { comment: 'Removes what is not needed any more.', next: 'report' }),

    ...step('rollback', {
      comment: 'Undoes what this execution made, or keeps it if the problem passes.',
      caught: 'report',
      failure: '$.rollbackFailure',
      next: 'report',
    }),
    ...step('report', {
      comment: 'Writes the same report at the end of every execution.',
      caught: 'ending',
      failure: '$.reportFailure',
      next: 'ending',
    }),
    ending: choose(
      undefined,
      [
        {
          And: [
            present('$.leased'),
            { Variable: '$.leased', BooleanEquals: true },
            present('$.manifest.name'),
          ],
          Next: 'release',
        },
      ],
      'ended',
    ),
    release: updateLease(
      {
        comment:
          'The first try may have returned the lease although its answer was lost. Another execution takes over a lease that was not returned.',
        caught: [catching('States.ALL', 'ended', '$.releaseFailure')],
        next: 'ended',
      },
      'REMOVE #owner, since ADD entered :one',
      '#owner = :me',
      { ...ME, ...ONE },
    ),
    ended: choose(undefined, [{ ...present('$.failure'), Next: 'failed' }], 'done'),
    done: { Type: 'Succeed' },
    failed: { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
  },
};

/** As text: a list of words stands in one line where it has room, as the formatter has it. */
export function statesText(): string {
  const text = JSON.stringify(STATE_MACHINE, null, 2);
  return `${text.replace(/^(.*)\[\n((?:\s+"[^"]*",?\n)+)\s+\](,?)$/gm, (whole, before, words, after) => {
    const line = `${before}[${words.trim().split(/\n\s*/).join(' ')}]${after}`;
    return line.length <= MAX_LINE ? line : whole;
  })}\n`;
}

/** Of biome.json: `lineWidth`. */
const MAX_LINE = 110;
