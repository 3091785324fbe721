// What AWS itself does with the roles, and the local AWS does not: by AWS's documentation. It is judged like a call.
import type { Call } from '../../local/aws/calls.ts';
import { LOCAL_ACCOUNT } from '../../local/aws/server.ts';
import { functionName } from '../../local/start/functions.ts';
import { MACHINE } from '../../local/start/provisioning.ts';
import { functionIn, type Resolved } from './resolve.ts';

const { region, accountId } = LOCAL_ACCOUNT;
const STREAM = `arn:aws:kinesis:${region}:${accountId}:stream/customers`;

export function callsByAws(template: Resolved): Call[] {
  const functions = template.ofType('AWS::Lambda::Function').map(([id]) => functionIn(id));
  const store = template.arnOf('UndeliveredBucket');
  return [
    ...functions.flatMap((by) => [...logsOf(by), ...tracesOf(by)]),
    // https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html, "Execution role"; ListStreams is there for the console alone.
    ...['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'].map(
      (operation) => ({ by: 'forward', action: `kinesis:${operation}`, resource: STREAM }),
    ),
    // https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html: what is given up goes to the bucket.
    { by: 'forward', action: 's3:ListBucket', resource: store },
    { by: 'forward', action: 's3:PutObject', resource: `${store}/aws/lambda/id/shardId-000000000000/2026` },
    // https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html: an event that the function has failed on.
    { by: 'deployHook', action: 'sqs:SendMessage', resource: template.arnOf('HookDeadLetters') },
    ...logDelivery(),
    ...tracesOf(MACHINE),
    // https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html
    ...['GetSamplingRules', 'GetSamplingTargets'].map((operation) => ({
      by: MACHINE,
      action: `xray:${operation}`,
      resource: '*',
    })),
  ];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html; the group is made with the stack. */
function logsOf(by: string): Call[] {
  const group = `arn:aws:logs:${region}:${accountId}:log-group:/aws/lambda/${functionName(by)}`;
  return ['CreateLogStream', 'PutLogEvents'].map((operation) => ({
    by,
    action: `logs:${operation}`,
    resource: `${group}:log-stream:2026/11/28/[$LATEST]0123456789abcdef`,
  }));
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html */
function tracesOf(by: string): Call[] {
  return ['PutTraceSegments', 'PutTelemetryRecords'].map((operation) => ({
    by,
    action: `xray:${operation}`,
    resource: '*',
  }));
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html, "IAM Policies for logging to CloudWatch Logs" */
function logDelivery(): Call[] {
  return [
    'CreateLogDelivery',
    'GetLogDelivery',
    'UpdateLogDelivery',
    'DeleteLogDelivery',
    'ListLogDeliveries',
    'PutResourcePolicy',
    'DescribeResourcePolicies',
    'DescribeLogGroups',
  ].map((operation) => ({ by: MACHINE, action: `logs:${operation}`, resource: '*' }));
}

export interface ServiceUse {
  /** Of the service that uses the key by itself. */
  readonly principal: string;
  readonly actions: readonly string[];
  readonly context: Readonly<Record<string, string>>;
}

/** Who uses the key without anybody's role: only its own policy says yes to them. */
export function usesByServices(template: Resolved): ServiceUse[] {
  const groups = template.ofType('AWS::Logs::LogGroup').map(([id]) => template.arnOf(id));
  return [
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html, "Step 2: Set permissions on the KMS key"
    ...groups.map((group) => ({
      principal: `logs.${region}.amazonaws.com`,
      actions: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:DescribeKey',
      ],
      context: { 'aws:logs:arn': group },
    })),
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, "Enable compatibility between event sources from AWS services and encrypted topics"
    {
      principal: 'cloudwatch.amazonaws.com',
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      context: { 'aws:sns:topicArn': template.arnOf('AlarmTopic') },
    },
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html, "a dead-letter queue encrypted with a customer managed key"
    {
      principal: 'events.amazonaws.com',
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      context: { 'aws:sqs:arn': template.arnOf('HookDeadLetters') },
    },
  ];
}
