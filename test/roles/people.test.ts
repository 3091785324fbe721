// B 6: the policies of docs/deploy.md, for whoever deploys and whoever is on call, judged by the evaluator that judges the roles.
import { readFileSync } from 'node:fs';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Folder, type Packaged, packageFolder } from '../template/packaged.ts';
import { judgeOf } from './judge.ts';
import { functionIn } from './resolve.ts';

const PAGE = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
const ACCOUNT = '123456789012';
const REGION = 'eu-west-1';

interface Policy {
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
  }[];
}

function policyOf(who: string): Policy {
  const [, text = ''] = new RegExp(`<!-- ${who} -->\n\`\`\`json\n([^]*?)\n\`\`\``).exec(PAGE) ?? [];
  return JSON.parse(text) as Policy;
}

async function judged(
  policy: Policy,
  action: string,
  resource: string,
  context: Record<string, string> = {},
): Promise<string> {
  const response = await runSimulation(
    {
      request: {
        action,
        principal: `arn:aws:iam::${ACCOUNT}:role/somebody`,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: context,
      },
      identityPolicies: [{ name: 'own', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(action.startsWith('kms:') && resource.includes(':key/') && { resourcePolicy: KEY_POLICY }),
    },
    {},
  );
  if (response.resultType === 'error')
    return `${action} cannot be judged: ${JSON.stringify(response.errors)}`;
  if (response.resultType !== 'single') return `${action} is about many resources`;
  return response.overallResult;
}

/** AWS's default, which the stack's own key has too: the account's IAM decides. */
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
  ],
};

const inRegion = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const KEY = inRegion('kms', 'key/0f1e2d3c-aaaa-4bbb-8ccc-123456789abc');
const STACK = inRegion('cloudformation', 'stack/penstock-prod/0f1e2d3c');
/** CloudFormation's names for what the template gives none. */
const BUCKET = 'arn:aws:s3:::penstock-prod-undeliveredbucket-0a1b2c3d4e5f';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/penstock-prod-PlanRole-0A1B2C3D4E5F`;
const FUNCTION = inRegion('lambda', 'function:penstock-prod-plan');
const GROUP = inRegion('logs', 'log-group:/aws/lambda/penstock-prod-plan');
const RULE = inRegion('events', 'rule/penstock-prod-hook');
const TOPIC = inRegion('sns', 'penstock-prod-AlarmTopic-0A1B2C3D4E5F');
const QUEUE = inRegion('sqs', 'penstock-prod-hook-dead-letters');
const TABLE = inRegion('dynamodb', 'table/penstock-prod-pipelines');
const MACHINE = inRegion('states', 'stateMachine:penstock-prod-provision');

/** To make one and to take it away, as the handlers of AWS's resource types say ("permissions" of their schemas). */
const MADE_BY: Readonly<Record<string, { readonly actions: readonly string[]; readonly on: string }>> = {
  'AWS::CloudFormation::CustomResource': { actions: ['lambda:InvokeFunction'], on: FUNCTION },
  'AWS::CloudWatch::Alarm': {
    actions: ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms', 'cloudwatch:TagResource'],
    on: inRegion('cloudwatch', 'alarm:penstock-prod-throttled'),
  },
  'AWS::CloudWatch::Dashboard': {
    actions: ['cloudwatch:PutDashboard', 'cloudwatch:DeleteDashboards'],
    on: `arn:aws:cloudwatch::${ACCOUNT}:dashboard/penstock-prod`,
  },
  'AWS::DynamoDB::Table': {
    actions: [
      'dynamodb:CreateTable',
      'dynamodb:DeleteTable',
      'dynamodb:UpdateContinuousBackups',
      'dynamodb:UpdateTimeToLive',
      'dynamodb:TagResource',
    ],
    on: TABLE,
  },
  'AWS::Events::Rule': {
    actions: [
      'events:PutRule',
      'events:PutTargets',
      'events:RemoveTargets',
      'events:DeleteRule',
      'events:TagResource',
    ],
    on: RULE,
  },
  // Inline in the role.
  'AWS::IAM::Policy': {
    actions: ['iam:PutRolePolicy', 'iam:GetRolePolicy', 'iam:DeleteRolePolicy'],
    on: ROLE,
  },
  'AWS::IAM::Role': {
    actions: [
      'iam:CreateRole',
      'iam:PutRolePolicy',
      'iam:PutRolePermissionsBoundary',
      'iam:TagRole',
      'iam:DeleteRolePolicy',
      'iam:DeleteRole',
    ],
    on: ROLE,
  },
  'AWS::KMS::Alias': {
    actions: ['kms:CreateAlias', 'kms:DeleteAlias'],
    on: inRegion('kms', 'alias/penstock-prod'),
  },
  'AWS::KMS::Key': {
    actions: [
      'kms:EnableKeyRotation',
      'kms:PutKeyPolicy',
      'kms:TagResource',
      'kms:CreateAlias',
      'kms:CreateGrant',
    ],
    on: KEY,
  },
  'AWS::Kinesis::Stream': {
    actions: [
      'kinesis:CreateStream',
      'kinesis:StartStreamEncryption',
      'kinesis:IncreaseStreamRetentionPeriod',
      'kinesis:DeleteStream',
    ],
    on: inRegion('kinesis', 'stream/clicks'),
  },
  'AWS::Lambda::EventInvokeConfig': {
    actions: ['lambda:PutFunctionEventInvokeConfig', 'lambda:DeleteFunctionEventInvokeConfig'],
    on: FUNCTION,
  },
  'AWS::Lambda::Function': {
    actions: [
      'lambda:CreateFunction',
      'lambda:UpdateFunctionCode',
      'lambda:PutFunctionConcurrency',
      'lambda:TagResource',
      'lambda:DeleteFunction',
    ],
    on: FUNCTION,
  },
  'AWS::Lambda::Permission': { actions: ['lambda:AddPermission', 'lambda:RemovePermission'], on: FUNCTION },
  'AWS::Lambda::Url': {
    actions: ['lambda:CreateFunctionUrlConfig', 'lambda:DeleteFunctionUrlConfig'],
    on: FUNCTION,
  },
  'AWS::Logs::LogGroup': {
    actions: [
      'logs:CreateLogGroup',
      'logs:PutRetentionPolicy',
      'logs:AssociateKmsKey',
      'logs:TagResource',
      'logs:DeleteLogGroup',
    ],
    on: GROUP,
  },
  'AWS::Logs::MetricFilter': { actions: ['logs:PutMetricFilter', 'logs:DeleteMetricFilter'], on: GROUP },
  'AWS::S3::Bucket': {
    actions: [
      's3:CreateBucket',
      's3:PutEncryptionConfiguration',
      's3:PutBucketPublicAccessBlock',
      's3:PutBucketOwnershipControls',
      's3:PutBucketVersioning',
      's3:PutLifecycleConfiguration',
      's3:PutBucketTagging',
    ],
    on: BUCKET,
  },
  'AWS::S3::BucketPolicy': { actions: ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy'], on: BUCKET },
  'AWS::SNS::Subscription': { actions: ['sns:Subscribe'], on: TOPIC },
  'AWS::SNS::Topic': {
    actions: ['sns:CreateTopic', 'sns:SetTopicAttributes', 'sns:TagResource', 'sns:DeleteTopic'],
    on: TOPIC,
  },
  'AWS::SNS::TopicPolicy': { actions: ['sns:SetTopicAttributes'], on: TOPIC },
  'AWS::SQS::Queue': {
    actions: ['sqs:CreateQueue', 'sqs:SetQueueAttributes', 'sqs:TagQueue', 'sqs:DeleteQueue'],
    on: QUEUE,
  },
  'AWS::SQS::QueuePolicy': { actions: ['sqs:SetQueueAttributes'], on: QUEUE },
  'AWS::StepFunctions::StateMachine': {
    actions: [
      'states:CreateStateMachine',
      'states:UpdateStateMachine',
      'states:TagResource',
      'states:DeleteStateMachine',
    ],
    on: MACHINE,
  },
};

const NETWORK = { subnetIds: 'subnet-0123456789abcdef0', securityGroupIds: 'sg-0123456789abcdef0' };

let folder: Folder;
let packaged: Packaged;
beforeAll(async () => {
  folder = await packageFolder();
  packaged = await folder.pack(
    { stream: 'clicks', hookUrl: 'yes', ...NETWORK },
    { stage: 'prod', region: REGION },
  );
});
afterAll(() => folder.remove());

describe('B 6: whoever deploys', () => {
  const policy = policyOf('deployer');

  it('may make and remove every kind of thing that is in the template', async () => {
    const types = new Set(Object.values(packaged.template.Resources).map(({ Type }) => Type));
    expect([...types].filter((type) => MADE_BY[type] === undefined)).toEqual([]);
    const denied: string[] = [];
    for (const type of types)
      for (const action of MADE_BY[type]?.actions ?? []) {
        const said = await judged(policy, action, MADE_BY[type]?.on ?? '');
        if (said !== 'Allowed') denied.push(`${type}: ${action}: ${said}`);
      }
    expect(denied).toEqual([]);
  });

  it('may make the stack, and give its roles to Lambda and Step Functions alone', async () => {
    for (const action of [
      'CreateStack',
      'CreateChangeSet',
      'ExecuteChangeSet',
      'DescribeStackEvents',
      'DeleteStack',
    ])
      expect([action, await judged(policy, `cloudformation:${action}`, STACK)]).toEqual([action, 'Allowed']);
    const pass = (service: string) =>
      judged(policy, 'iam:PassRole', ROLE, { 'iam:PassedToService': service });
    expect(
      await Promise.all(['lambda.amazonaws.com', 'states.amazonaws.com', 'ec2.amazonaws.com'].map(pass)),
    ).toEqual(['Allowed', 'Allowed', 'ImplicitlyDenied']);
  });

  it.each([
    ['iam:CreateRole', `arn:aws:iam::${ACCOUNT}:role/admin`],
    ['lambda:UpdateFunctionCode', inRegion('lambda', 'function:other')],
    ['secretsmanager:GetSecretValue', inRegion('secretsmanager', 'secret:penstock/prod/credentials-AbCdEf')],
    ['cloudformation:DeleteStack', inRegion('cloudformation', 'stack/penstock-prod2/0f1e2d3c')],
    ['iam:AttachRolePolicy', ROLE],
  ])('may not %s on %s', async (action, resource) => {
    expect(await judged(policy, action, resource)).toBe('ImplicitlyDenied');
  });

  it('has names of the stack, as the template gives them', () => {
    const text = JSON.stringify(packaged.template);
    for (const name of [
      'penstock-prod-pipelines',
      'penstock-prod-hook-dead-letters',
      'penstock-prod-provision',
      'penstock-prod-hook',
      'alias/penstock-prod',
      '/aws/vendedlogs/states/penstock-prod-provision',
    ])
      expect(text).toContain(name);
  });
});

describe('B 6: whoever is on call', () => {
  const policy = policyOf('on-call');
  const viaS3 = { 'kms:ViaService': `s3.${REGION}.amazonaws.com` };

  it.each([
    ['lambda:InvokeFunction', inRegion('lambda', 'function:penstock-prod-status'), {}],
    ['lambda:InvokeFunction', inRegion('lambda', 'function:penstock-prod-redrive'), {}],
    ['lambda:PutFunctionConcurrency', inRegion('lambda', 'function:penstock-prod-deployHook'), {}],
    ['states:ListExecutions', MACHINE, {}],
    ['states:StartExecution', MACHINE, {}],
    ['states:DescribeExecution', inRegion('states', 'execution:penstock-prod-provision:build-42'), {}],
    ['logs:StartQuery', inRegion('logs', 'log-group:/aws/lambda/penstock-prod-forward'), {}],
    ['logs:GetQueryResults', GROUP, {}],
    ['s3:GetObject', `${BUCKET}/rejected/customers/2026/11/28/a.json`, {}],
    ['kms:Decrypt', KEY, viaS3],
    ['kinesis:IncreaseStreamRetentionPeriod', inRegion('kinesis', 'stream/clicks'), {}],
    ['sqs:ReceiveMessage', QUEUE, {}],
  ])('may do what the runbook says: %s on %s', async (action, resource, context) => {
    expect(await judged(policy, action, resource, context)).toBe('Allowed');
  });

  it.each([
    [
      'secretsmanager:GetSecretValue',
      inRegion('secretsmanager', 'secret:penstock/prod/credentials-AbCdEf'),
      {},
    ],
    ['kms:Decrypt', KEY, { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com` }],
    ['s3:DeleteObject', `${BUCKET}/rejected/customers/2026/11/28/a.json`, {}],
    ['lambda:UpdateFunctionCode', FUNCTION, {}],
    ['lambda:InvokeFunction', inRegion('lambda', 'function:penstock-prod-publish'), {}],
    ['dynamodb:DeleteItem', TABLE, {}],
  ])('may not %s on %s', async (action, resource, context) => {
    expect(await judged(policy, action, resource, context)).toBe('ImplicitlyDenied');
  });
});

describe('B 6: every function in a network', () => {
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: Lambda asks with the function's role.
  it.each([
    ['ec2:CreateNetworkInterface', 'subnet/subnet-0123456789abcdef0'],
    ['ec2:CreateNetworkInterface', 'security-group/sg-0123456789abcdef0'],
    ['ec2:DeleteNetworkInterface', 'network-interface/eni-0123456789abcdef0'],
    ['ec2:AssignPrivateIpAddresses', 'network-interface/eni-0123456789abcdef0'],
    ['ec2:UnassignPrivateIpAddresses', 'network-interface/eni-0123456789abcdef0'],
    ['ec2:DescribeNetworkInterfaces', undefined],
    ['ec2:DescribeSubnets', undefined],
  ])('has Lambda do %s', async (action, what) => {
    const judge = judgeOf(packaged);
    const names = judge.template.ofType('AWS::Lambda::Function').map(([id]) => functionIn(id));
    const resource = what === undefined ? '*' : inRegion('ec2', what);
    const verdicts = await Promise.all(names.map((by) => judge.judge({ by, action, resource })));
    expect(names.length).toBeGreaterThan(22);
    expect(verdicts.flat().filter(({ allowed }) => !allowed)).toEqual([]);
  });
});

describe.each(['deployer', 'on-call'])('B 6: the policy of the %s', (who) => {
  it('names no action that AWS does not know', async () => {
    const { Statement } = policyOf(who);
    const unknown: string[] = [];
    for (const { Action, Resource } of Statement)
      for (const action of [Action].flat().filter((one) => !one.includes('*'))) {
        const [first = '*'] = [Resource].flat();
        const said = await judged(policyOf(who), action, first.replaceAll('*', first === '*' ? '*' : 'a'));
        if (/cannot be judged/.test(said) && /action/i.test(said)) unknown.push(said);
      }
    expect(unknown).toEqual([]);
  });

  it('fits a managed policy, which has 6,144 characters at most without its white space', () => {
    expect(JSON.stringify(policyOf(who)).length).toBeLessThanOrEqual(6_144);
  });
});
