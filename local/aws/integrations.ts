// Step Functions' own calls to DynamoDB and to itself, by the Resource of a Task: parameters, results and errors as it has them.
import {
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';

export type Integration = (parameters: unknown) => Promise<unknown>;

/** What DescribeExecution says of an execution, as far as it is known here. */
export interface ExecutionDescription {
  readonly name: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly startDate: Date;
  readonly stopDate?: Date;
  readonly input?: unknown;
  readonly output?: unknown;
}

export interface IntegrationTargets {
  readonly dynamoDb: Pick<DynamoDBClient, 'send'>;
  /** `undefined` where there is no such execution. */
  describe(executionArn: string): ExecutionDescription | undefined;
}

/**
 * The parameters of each integration that AWS documents: with any other one the machine is not made. Of DynamoDB:
 * https://docs.aws.amazon.com/step-functions/latest/dg/connect-ddb.html. Of an SDK integration no page lists them; `ExecutionArn` is what all samples give.
 */
const GET_ITEM = [
  'AttributesToGet',
  'ConsistentRead',
  'ExpressionAttributeNames',
  'Key',
  'ProjectionExpression',
  'ReturnConsumedCapacity',
  'TableName',
];
const UPDATE_ITEM = [
  'AttributeUpdates',
  'ConditionalOperator',
  'ConditionExpression',
  'Expected',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'Key',
  'ReturnConsumedCapacity',
  'ReturnItemCollectionMetrics',
  'ReturnValues',
  'TableName',
  'UpdateExpression',
];

const DESCRIBE_EXECUTION = ['ExecutionArn'];

/** By the Resource of a Task. */
export const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  'arn:aws:states:::dynamodb:getItem': GET_ITEM,
  'arn:aws:states:::dynamodb:updateItem': UPDATE_ITEM,
  'arn:aws:states:::aws-sdk:sfn:describeExecution': DESCRIBE_EXECUTION,
};

/** The integrations for `runStateMachine`. */
export function serviceIntegrations({ dynamoDb, describe }: IntegrationTargets): Record<string, Integration> {
  return {
    'arn:aws:states:::dynamodb:getItem': dynamoDbCall(GET_ITEM, (input) =>
      dynamoDb.send(new GetItemCommand(input as unknown as GetItemCommandInput)),
    ),
    'arn:aws:states:::dynamodb:updateItem': dynamoDbCall(UPDATE_ITEM, (input) =>
      dynamoDb.send(new UpdateItemCommand(input as unknown as UpdateItemCommandInput)),
    ),
    'arn:aws:states:::aws-sdk:sfn:describeExecution': async (parameters) => {
      const { ExecutionArn } = parameters as { ExecutionArn: string };
      const found = describe(ExecutionArn);
      // The API calls it ExecutionDoesNotExist; for an SDK integration Step Functions adds what is missing at the end:
      // https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
      if (!found) {
        throw named('Sfn.ExecutionDoesNotExistException', `Execution Does Not Exist: '${ExecutionArn}'`);
      }
      return described(ExecutionArn, found);
    },
  };
}

function dynamoDbCall(
  known: readonly string[],
  call: (input: Record<string, unknown>) => Promise<object>,
): Integration {
  return async (parameters) => {
    const input = parameters as Record<string, unknown>;
    const other = Object.keys(input).find((name) => !known.includes(name));
    if (other) throw named('States.Runtime', `The field "${other}" is not supported by Step Functions`);
    try {
      return withMetadata(await call(input));
    } catch (error) {
      throw dynamoDbError(error);
    }
  };
}

/** A recorded result has the answer's HTTP part in it, so a state that keeps all of it keeps that too. */
function withMetadata(answer: object): object {
  const { $metadata, ...result } = answer as { $metadata?: { requestId?: string } };
  return {
    ...result,
    SdkHttpMetadata: { HttpStatusCode: 200 },
    SdkResponseMetadata: { RequestId: $metadata?.requestId ?? crypto.randomUUID() },
  };
}

/**
 * `DynamoDB.` and the service's own name; what the service has no class of its own for is `DynamoDB.AmazonDynamoDBException`.
 * Both as in AWS's sample of a semaphore: https://github.com/aws-samples/aws-stepfunctions-examples
 */
function dynamoDbError(error: unknown): Error {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode === undefined) return named('DynamoDB.SdkClientException', message);
  const unclassed = name === 'ValidationException';
  return named(unclassed ? 'DynamoDB.AmazonDynamoDBException' : `DynamoDB.${name}`, message);
}

function described(executionArn: string, found: ExecutionDescription): object {
  const { name, status, startDate, stopDate, input, output } = found;
  const included = { Included: true };
  return {
    ExecutionArn: executionArn,
    StateMachineArn: executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]*$/, ''),
    Name: name,
    Status: status,
    StartDate: startDate.toISOString(),
    ...(stopDate && { StopDate: stopDate.toISOString() }),
    ...(input !== undefined && { Input: JSON.stringify(input), InputDetails: included }),
    ...(output !== undefined && { Output: JSON.stringify(output), OutputDetails: included }),
  };
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
