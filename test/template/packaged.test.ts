import { readdirSync, readFileSync } from 'node:fs';
import aslValidator from 'asl-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../lib/hook/bundle.ts';
import { deployedFunctions } from '../../local/start/functions.ts';
import { EXAMPLES } from '../support/hooks.ts';
import { hooked } from './hooked.ts';
import { type Folder, type Packaged, packageFolder, type Resource } from './packaged.ts';

// What a careful reader looks for in the template as it is deployed, and in the zips. cfn-lint and checkov: `npm run review`.

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const RECORD = read('docs/decisions/0005-template-review.md');

let folder: Folder;
let packaged: Packaged;
/** Built and packaged once more, with parameters: each time takes seconds. */
let again: Packaged;
let resources: Packaged['template']['Resources'];

beforeAll(async () => {
  folder = await packageFolder(readdirSync(EXAMPLES));
  packaged = await folder.pack();
  again = await folder.pack({
    stream: 'clicks',
    forwardConcurrency: '20',
    alarmEmail: 'a@example.com',
    hookUrl: 'yes',
    glueSchemaRegistry: 'yes',
    codePipeline: 'deploy',
    runbookUrl: 'https://wiki.example/penstock',
  });
  resources = packaged.template.Resources;
});
afterAll(() => folder.remove());

const ofType = (type: string): [string, Resource][] =>
  Object.entries(resources).filter(([, { Type }]) => Type === type);
const functions = () => ofType('AWS::Lambda::Function');
const KEY = { 'Fn::GetAtt': ['Key', 'Arn'] };

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}
const statementsOf = (role: Resource): Statement[] =>
  role.Properties.Policies.flatMap(
    ({ PolicyDocument }: { PolicyDocument: { Statement: Statement[] } }) => PolicyDocument.Statement,
  );
const actionsOf = ({ Action }: Statement): string[] => [Action].flat() as string[];

describe('functions', () => {
  it('run on the newest Node there is, on arm64, traced', () => {
    expect(functions().length).toBeGreaterThan(22);
    for (const [name, { Properties }] of functions()) {
      expect(Properties, name).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
    }
    expect(resources.Provision?.Properties.TracingConfiguration).toEqual({ Enabled: true });
  });

  it('13 A 3: have the names, memory and timeouts that they have on a laptop', () => {
    const settings = (name: string, memoryMB: unknown, timeoutSeconds: unknown) => ({
      name,
      memoryMB,
      timeoutSeconds,
    });
    const deployed = functions().map(([, { Properties }]) =>
      settings(Properties.FunctionName, Properties.MemorySize, Properties.Timeout),
    );
    const local = Object.entries(deployedFunctions(true)).map(([name, { memoryMB, timeoutSeconds }]) =>
      settings(name, memoryMB, timeoutSeconds),
    );
    const byName = (all: { name: string }[]) => all.toSorted((a, b) => a.name.localeCompare(b.name));
    expect(byName(local)).toEqual(byName(deployed));
  });

  it('have a role each, and no other uses it', () => {
    const roles = functions().map(([name, { Properties }]) => {
      expect(Properties.Role, name).toEqual({
        'Fn::GetAtt': [name.replace('LambdaFunction', 'Role'), 'Arn'],
      });
      return Properties.Role['Fn::GetAtt'][0] as string;
    });
    expect(new Set(roles).size).toBe(functions().length);
  });

  it('have a log group that forgets and is encrypted, and write into no other', () => {
    for (const [name] of functions()) {
      const group = name.replace('LambdaFunction', 'LogGroup');
      expect(resources[group]?.Properties, group).toMatchObject({ RetentionInDays: 30, KmsKeyId: KEY });
      const role = resources[name.replace('LambdaFunction', 'Role')] as Resource;
      const writes = statementsOf(role).filter((one) => actionsOf(one).includes('logs:PutLogEvents'));
      expect(writes.map(({ Resource }) => Resource)).toEqual([{ 'Fn::GetAtt': [group, 'Arn'] }]);
    }
  });

  it('B 6: are in no network, and under no boundary, where nobody asks for it', () => {
    const text = JSON.stringify(packaged.template);
    for (const word of ['VpcConfig', 'ec2:', 'PermissionsBoundary']) expect(text).not.toContain(word);
  });

  it('B 4: wait in full, unless shortWaits=yes is deployed: who starts and who begins know it', () => {
    const knowing = functions().flatMap(([name, { Properties }]) => {
      const { PENSTOCK_SHORT_WAITS } = Properties.Environment.Variables;
      return PENSTOCK_SHORT_WAITS === undefined ? [] : [[name, PENSTOCK_SHORT_WAITS]];
    });
    expect(knowing.toSorted()).toEqual([
      ['BeginLambdaFunction', 'no'],
      ['DeployHookLambdaFunction', 'no'],
    ]);
  });

  it('have no secret in their environment', () => {
    for (const [name, { Properties }] of functions()) {
      const text = JSON.stringify(Properties.Environment);
      expect(text, name).not.toMatch(/p8e-|clientSecret|password|token/i);
      for (const variable of Object.keys(Properties.Environment.Variables))
        expect(variable).toMatch(/^PENSTOCK_/);
    }
  });
});

describe('permissions', () => {
  const roles = () => ofType('AWS::IAM::Role');

  it('no action is a wildcard', () => {
    const all = roles().flatMap(([, role]) => statementsOf(role).flatMap(actionsOf));
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('a resource that is any has its reason in the record', () => {
    const any = new Set(
      roles().flatMap(([, role]) =>
        statementsOf(role)
          .filter(({ Resource }) => [Resource].flat().includes('*'))
          .flatMap(actionsOf),
      ),
    );
    expect([...any].toSorted()).toEqual([
      'lambda:CreateEventSourceMapping',
      'lambda:ListEventSourceMappings',
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
      'secretsmanager:ListSecrets',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
    for (const action of ['lambda:CreateEventSourceMapping', 'lambda:ListEventSourceMappings'])
      expect(RECORD).toContain(`\`${action}\``);
    for (const word of ['xray:', 'secretsmanager:ListSecrets', 'LogDelivery']) expect(RECORD).toContain(word);
  });

  it('any trigger of the account can be looked at, and none but the forwarder’s made, changed or deleted', () => {
    const changes = roles().flatMap(([, role]) =>
      statementsOf(role).filter((one) =>
        actionsOf(one).some((action) => /^lambda:(Create|Update|Delete)/.test(action)),
      ),
    );
    expect(changes.length).toBeGreaterThan(4);
    for (const { Condition } of changes)
      expect(JSON.stringify(Condition)).toMatch(
        /ArnEquals.*lambda:FunctionArn.*function:penstock-dev-forward"/,
      );
  });

  it('every use of a key goes through a service that is named', () => {
    const uses = roles().flatMap(([, role]) =>
      statementsOf(role).filter((one) => actionsOf(one).some((action) => action.startsWith('kms:'))),
    );
    expect(uses.length).toBeGreaterThan(20);
    for (const { Condition } of uses) expect(JSON.stringify(Condition)).toContain('kms:ViaService');
  });

  it('whoever reads secrets, the table or the store may decrypt them', () => {
    const services = [
      ['secretsmanager:GetSecretValue', 'secretsmanager.'],
      ['dynamodb:', 'dynamodb.'],
      ['s3:GetObject', 's3.'],
      ['s3:PutObject', 's3.'],
      ['kinesis:GetRecords', 'kinesis.'],
    ];
    for (const [name, role] of roles()) {
      const statements = statementsOf(role);
      const keys = JSON.stringify(statements.filter((one) => JSON.stringify(one.Action).includes('kms:')));
      for (const [action = '', service = ''] of services) {
        const used = statements.some((one) => actionsOf(one).some((one) => one.startsWith(action)));
        expect(keys.includes(`"${service}`), `${name} ${service}`).toBe(
          used ||
            services.some(([a = '', s]) => s === service && JSON.stringify(statements).includes(`"${a}`)),
        );
      }
    }
  });

  it('the state machine may call its steps, all of them and nothing else', () => {
    const { Properties } = resources.Provision as Resource;
    const [text, parts] = Properties.DefinitionString['Fn::Sub'] as [string, object];
    const definition = JSON.parse(text) as { States: Record<string, { Type: string }> };
    const steps = Object.values(parts)
      .filter((part) => 'Fn::GetAtt' in part)
      .map((part) => part['Fn::GetAtt'][0]);
    const calls = statementsOf(resources.ProvisionRole as Resource).find(
      ({ Action }) => Action === 'lambda:InvokeFunction',
    );
    const called = (calls as Statement).Resource as { 'Fn::GetAtt': [string] }[];
    const allowed = called.map((one) => one['Fn::GetAtt'][0]);
    expect(allowed.toSorted()).toEqual([...new Set(steps)].toSorted());
    expect(Properties.RoleArn).toEqual({ 'Fn::GetAtt': ['ProvisionRole', 'Arn'] });
    expect(aslValidator(definition).isValid).toBe(true);
  });
});

describe('what is kept', () => {
  it('is encrypted under the key of the stack, which is changed every year and stays', () => {
    expect(resources.Key).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: { EnableKeyRotation: true },
    });
    const [encryption] =
      resources.UndeliveredBucket?.Properties.BucketEncryption.ServerSideEncryptionConfiguration ?? [];
    expect(encryption.ServerSideEncryptionByDefault).toEqual({
      SSEAlgorithm: 'aws:kms',
      KMSMasterKeyID: KEY,
    });
    expect(resources.PipelineTable?.Properties.SSESpecification).toMatchObject({
      SSEType: 'KMS',
      KMSMasterKeyId: KEY,
    });
    expect(resources.Stream?.Properties.StreamEncryption).toEqual({ EncryptionType: 'KMS', KeyId: KEY });
    expect(resources.PublishLambdaFunction?.Properties.Environment.Variables.PENSTOCK_KMS_KEY).toEqual(KEY);
    for (const [name, { Properties }] of ofType('AWS::Logs::LogGroup'))
      expect(Properties, name).toMatchObject({ KmsKeyId: KEY, RetentionInDays: 30 });
    for (const [name, { Properties }] of [...ofType('AWS::SQS::Queue'), ...ofType('AWS::SNS::Topic')])
      expect(JSON.stringify(Properties.KmsMasterKeyId), name).toContain('"Key"');
  });

  it('in the store is private, over TLS alone, versioned, not for ever, and stays', () => {
    const { DeletionPolicy, Properties } = resources.UndeliveredBucket as Resource;
    expect(DeletionPolicy).toBe('RetainExceptOnCreate');
    expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    expect(Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(Properties.LifecycleConfiguration.Rules[0]).toMatchObject({
      Status: 'Enabled',
      ExpirationInDays: 365,
    });
    const [tls] = resources.UndeliveredBucketPolicy?.Properties.PolicyDocument.Statement ?? [];
    expect(tls).toMatchObject({
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
    expect(resources.UndeliveredBucketPolicy?.DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  it('when the stack goes is the store with its key, and nothing else', () => {
    const kept = Object.entries(resources).filter(([, { DeletionPolicy = 'Delete' }]) =>
      /Retain/.test(DeletionPolicy),
    );
    expect(kept.map(([name]) => name).toSorted()).toEqual([
      'Key',
      'UndeliveredBucket',
      'UndeliveredBucketPolicy',
    ]);
    for (const name of ['DeadLetters', 'KeyArn'])
      expect(packaged.template.Outputs[name]?.Description).toMatch(/It stays when the stack is removed/);
  });

  it('what was made at run time goes after the state machine and before the forwarder', () => {
    expect(resources.Provision?.DependsOn).toContain('MadeAtRunTime');
    expect(resources.MadeAtRunTime?.Properties).toMatchObject({
      ServiceToken: { 'Fn::GetAtt': ['CleanupLambdaFunction', 'Arn'] },
      Forwarder: { 'Fn::GetAtt': ['ForwardLambdaFunction', 'Arn'] },
    });
    const { Timeout } = resources.CleanupLambdaFunction?.Properties ?? {};
    expect(Number(resources.MadeAtRunTime?.Properties.ServiceTimeout)).toBeGreaterThan(Timeout);
  });
});

describe('deploy hooks', () => {
  const target = { 'Fn::GetAtt': ['DeployHookLambdaFunction', 'Arn'] };
  const conditions = () => packaged.template.Conditions;

  it('have a URL only where one was asked for, and nothing is public without', () => {
    expect(conditions().HasHookUrl).toEqual({ 'Fn::Equals': ['no', 'yes'] });
    const open = Object.entries(resources).filter(
      ([, { Type, Properties }]) =>
        Type === 'AWS::Lambda::Url' || (Type === 'AWS::Lambda::Permission' && Properties.Principal === '*'),
    );
    expect(open.map(([name]) => name).toSorted()).toEqual([
      'HookUrl',
      'HookUrlInvokePermission',
      'HookUrlPermission',
    ]);
    for (const [name, { Condition }] of open) expect(Condition, name).toBe('HasHookUrl');
    expect(packaged.template.Outputs.HookUrl).toMatchObject({ Condition: 'HasHookUrl' });
    // The function is called by way of the URL, and not past it.
    expect(resources.HookUrlInvokePermission?.Properties.InvokedViaFunctionUrl).toBe(true);
    expect(resources.HookUrlPermission?.Properties).toMatchObject({
      Action: 'lambda:InvokeFunctionUrl',
      FunctionUrlAuthType: 'NONE',
    });
  });

  it('cannot take the concurrency of the rest', () => {
    expect(resources.DeployHookLambdaFunction?.Properties.ReservedConcurrentExecutions).toEqual({
      'Fn::If': ['HasHookUrl', 5, { Ref: 'AWS::NoValue' }],
    });
  });

  it('lose no event: what cannot be brought, and what fails, goes to a queue that is encrypted', () => {
    const rules = ofType('AWS::Events::Rule').filter(([, { Properties }]) =>
      JSON.stringify(Properties.Targets).includes('DeployHook'),
    );
    expect(rules.map(([name]) => name).toSorted()).toEqual([
      'CloudFormationRule',
      'CodeDeployRule',
      'CodePipelineRule',
      'HookRule',
    ]);
    for (const [name, { Condition, Properties }] of rules) {
      expect(Properties.Targets, name).toMatchObject([
        {
          Arn: target,
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['HookDeadLetters', 'Arn'] } },
          RetryPolicy: { MaximumRetryAttempts: 20, MaximumEventAgeInSeconds: 7200 },
        },
      ]);
      const may = ofType('AWS::Lambda::Permission').find(
        ([, one]) => one.Properties.SourceArn?.['Fn::GetAtt']?.[0] === name,
      )?.[1];
      expect(may?.Properties).toMatchObject({ Principal: 'events.amazonaws.com', FunctionName: target });
      expect(may?.Condition, name).toBe(Condition);
      expect(Condition === undefined, name).toBe(name === 'HookRule');
    }
    expect(resources.HookEvents?.Properties).toMatchObject({
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['HookDeadLetters', 'Arn'] } } },
    });
    const [rule, tls] = resources.HookDeadLettersPolicy?.Properties.PolicyDocument.Statement ?? [];
    expect(JSON.stringify(rule.Condition)).toMatch(/aws:SourceArn.*rule\/penstock-dev-hook\*/);
    expect(tls).toMatchObject({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    const keyUsers = resources.Key?.Properties.KeyPolicy.Statement.map(
      ({ Principal }: { Principal: { Service?: string } }) => Principal.Service,
    );
    expect(keyUsers).toContain('events.amazonaws.com');
  });

  it('start this state machine and no other, by the keys of one secret', () => {
    const statements = statementsOf(resources.DeployHookRole as Resource);
    const start = statements.filter((one) => actionsOf(one).includes('states:StartExecution'));
    expect(start).toMatchObject([{ Resource: { Ref: 'Provision' } }]);
    const starters = ofType('AWS::IAM::Role').filter(([, role]) =>
      JSON.stringify(role).includes('states:StartExecution'),
    );
    expect(starters.map(([name]) => name)).toEqual(['DeployHookRole']);
    const read = statements.filter((one) => actionsOf(one).includes('secretsmanager:GetSecretValue'));
    for (const end of ['', '-??????'])
      expect(JSON.stringify(read)).toContain(`secret:penstock/dev/hook${end}"`);
    expect(read).toHaveLength(1);
    expect(resources.DeployHookLambdaFunction?.Properties.Environment.Variables).toMatchObject({
      PENSTOCK_STATE_MACHINE: { Ref: 'Provision' },
      PENSTOCK_HOOK_SECRET: 'penstock/dev/hook',
      PENSTOCK_HOOK_STARTS: 'all',
      PENSTOCK_HOOK_MANIFESTS: 'no',
    });
  });
});

describe('the parameters', () => {
  it('are all in the table of deploy.md, each with its default, and no other is', () => {
    const config = read('serverless.yml');
    const block = /^params:\n {2}default:\n([\s\S]*?)\n\n/m.exec(config)?.[1] ?? '';
    const defaults = new Map(
      Array.from(block.matchAll(/^ {4}(\w+): (.*)$/gm), ([, name = '', value = '']) => [
        name,
        value.replace(/^'|'$/g, '').replace(/\$\{sls:stage\}/, '{stage}'),
      ]),
    );
    const cloud = ['alarms', 'dashboard', 'hook', 'key', 'roles', 'store', 'stream'].map((file) =>
      read(`cloud/${file}.yml`),
    );
    const used = new Set([
      ...Array.from(
        [config, ...cloud, read('cloud/runbook.cjs')].join('\n').matchAll(/(?:\$\{|')param:(\w+)/g),
        ([, name = '']) => name,
      ),
      // The plugin takes them from where they were given.
      ...Array.from(read('cloud/account.cjs').matchAll(/isSet\(parameters\.(\w+)/g), ([, name = '']) => name),
      // With subnetIds.
      'securityGroupIds',
    ]);
    const rows = new Map(
      Array.from(
        read('docs/deploy.md').matchAll(/^\| `(\w+)` \| ([^|]*) \| \S/gm),
        ([, name = '', value = '']) => [name, value.replaceAll('`', '')],
      ),
    );
    expect([...rows.keys()].toSorted()).toEqual([...used].toSorted());
    // Two are told in words.
    for (const [name, value] of rows)
      expect(defaults.get(name), name).toBe(
        name === 'streamArns'
          ? defaults.get(name)
          : value === 'none' && !defaults.has(name)
            ? undefined
            : value,
      );
  });
});

describe('alarms', () => {
  const slugOf = (title: string) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-');
  const titles = Array.from(read('docs/runbook.md').matchAll(/^## (.*)$/gm), ([, title = '']) => title);
  const source = [
    'lib/forward/container.ts',
    'lib/forward/report.ts',
    'lib/forward/container.ts',
    'lib/forward/forward.ts',
    'lib/reconcile/reconcile.ts',
    'lib/reconcile/batch.ts',
    'lib/redrive/redrive.ts',
  ]
    .map(read)
    .join('\n');

  /** Where an alarm sends its reader, where it has no page of its own. */
  const linkIn = (text: string) =>
    /Runbook: "(?<title>[^"]+)" on (?<page>https:\S+)$/.exec(text)?.groups as
      | { title: string; page: string }
      | undefined;
  const alarms = () => ofType('AWS::CloudWatch::Alarm');

  it('each has an action, a word for missing data, and its own section of the runbook', () => {
    expect(alarms().length).toBeGreaterThan(14);
    const sections = alarms().map(([name, { Properties }]) => {
      expect(Properties.AlarmActions, name).toEqual([{ Ref: 'AlarmTopic' }]);
      expect(Properties.TreatMissingData, name).toMatch(/^(notBreaching|breaching|ignore|missing)$/);
      const said = Properties.AlarmDescription['Fn::Sub'] as string;
      expect(said.length, name).toBeLessThan(800);
      return linkIn(said)?.title ?? '';
    });
    expect(sections.toSorted()).toEqual(titles.toSorted());
  });

  // The template alone knows of one page that is there for certain: the dashboard that it makes.
  it('C 5: each links to a page that exists: the dashboard of the stack, which holds that section', () => {
    const { DashboardName, DashboardBody } = resources.Dashboard?.Properties ?? {};
    const { widgets } = JSON.parse(DashboardBody['Fn::Sub']) as {
      widgets: { type: string; properties: { markdown?: string } }[];
    };
    const texts = widgets.flatMap(({ properties }) => properties.markdown ?? []);
    for (const [name, { Properties }] of alarms()) {
      const { title = '', page } = linkIn(Properties.AlarmDescription['Fn::Sub']) ?? {};
      expect(page, name).toBe(
        `https://\${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=\${AWS::Region}#dashboards/dashboard/${DashboardName}`,
      );
      const text = texts.find((one) => one.startsWith(`## ${title}\n`));
      expect(text, title).toContain('**Do**');
      // A link to a file leads nowhere from there.
      expect(text).not.toMatch(/\]\((?!https?:)/);
    }
  });

  it('C 5: with a page of your own each links to its section there, and the dashboard has no copy', () => {
    const { template } = again;
    const links = Object.values(template.Resources)
      .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => /Runbook: (\S+)$/.exec(Properties.AlarmDescription['Fn::Sub'])?.[1]);
    expect(links.toSorted()).toEqual(
      titles.map((title) => `https://wiki.example/penstock#${slugOf(title)}`).toSorted(),
    );
    const body = template.Resources.Dashboard?.Properties.DashboardBody['Fn::Sub'] as string;
    expect(body).toContain('is in https://wiki.example/penstock');
    expect(JSON.parse(body).widgets).toHaveLength(10);
  });

  it('C 5: what is counted by pipeline is watched by pipeline, so that a notification names it', () => {
    const queries = alarms().flatMap(([, { Properties }]) =>
      (Properties.Metrics ?? []).flatMap(({ Expression = '' }: { Expression?: string }) =>
        Expression.startsWith('SELECT') ? [Expression] : [],
      ),
    ) as string[];
    const metrics = queries.map((query) => {
      const [, metric = '', schema = '', by = ''] =
        /^SELECT SUM\((\w+)\) FROM SCHEMA\(([^)]+)\).* GROUP BY (.+) ORDER BY SUM\(\) DESC$/.exec(query) ??
        [];
      expect(by, query).toMatch(/^pipeline(, reason)?$/);
      expect(schema, query).toMatch(/^(Penstock|"Penstock\/dev"), pipeline(, reason)?(, service, stage)?$/);
      return metric;
    });
    expect(new Set(metrics)).toEqual(
      new Set([
        'RepliesUnclear',
        'ShardsHeld',
        'RecordsRejected',
        'RecordsParked',
        'RecordsRefusedLater',
        'BatchesUnreadable',
        'RecordsLost',
        'ConservationDifference',
        'PipelinesMoved',
      ]),
    );
    const [moved] = resources.MovedFilter?.Properties.MetricTransformations ?? [];
    expect(moved.Dimensions).toEqual([{ Key: 'pipeline', Value: '$.pipeline' }]);
    for (const metric of metrics.filter((one) => one !== 'PipelinesMoved'))
      expect(source).toContain(`'${metric}'`);
  });

  it('each section says what it means, what to ask first, what to do and how to replay', () => {
    const sections = read('docs/runbook.md').split(/^## /m).slice(1);
    for (const section of sections)
      for (const word of ['**Means**', '**First query**', '**Do**', '**Replay**'])
        expect(section, section.split('\n')[0]).toContain(word);
  });

  it('of Penstock go by metrics that functions write, with dimensions that are known before there is a pipeline', () => {
    const metrics = alarms().flatMap(([, { Properties }]) => [
      Properties,
      ...(Properties.Metrics ?? []).map(
        (one: { MetricStat?: { Metric: object } }) => one.MetricStat?.Metric ?? {},
      ),
    ]);
    const own = metrics.filter(({ Namespace }) => Namespace === 'Penstock');
    expect(own.length).toBeGreaterThan(1);
    for (const { MetricName, Dimensions } of own) {
      expect(source).toContain(`'${MetricName}'`);
      const names = Dimensions.map(({ Name }: { Name: string }) => Name);
      expect(names.filter((name: string) => name !== 'reason')).toEqual(['service', 'stage']);
    }
  });

  it('go to a topic, and from there to whom the deployment names', () => {
    expect(resources.AlarmEmail).toMatchObject({
      Condition: 'HasAlarmEmail',
      Properties: { Protocol: 'email' },
    });
  });
});

describe('the dashboard', () => {
  it('is JSON, and every function it shows is there', () => {
    const text = resources.Dashboard?.Properties.DashboardBody['Fn::Sub'] as string;
    const { widgets } = JSON.parse(text) as { widgets: unknown[] };
    expect(widgets.length).toBeGreaterThan(8);
    for (const [, name = ''] of text.matchAll(/\$\{(\w+)\}/g)) expect(Object.keys(resources)).toContain(name);
  });

  it('C 5: shows every metric of ours that an alarm goes by', () => {
    const text = resources.Dashboard?.Properties.DashboardBody['Fn::Sub'] as string;
    const metrics = ofType('AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) => [
      ...(Properties.Namespace === 'Penstock' ? [Properties.MetricName] : []),
      ...(Properties.Metrics ?? []).flatMap(
        ({ Expression = '' }: { Expression?: string }) => /^SELECT SUM\((\w+)\)/.exec(Expression)?.[1] ?? [],
      ),
    ]);
    expect(metrics).toContain('ShardsHeld');
    for (const metric of metrics)
      expect(text).toMatch(new RegExp(`"${metric}"|MetricName=\\\\"${metric}\\\\"`));
  });
});

describe('the zips', () => {
  it('hold the code of their function, what it loads late, and the notice; and are small', () => {
    expect(Object.keys(packaged.zips).length).toBe(functions().length);
    for (const [name, { files, bytes }] of Object.entries(packaged.zips)) {
      const { Handler } =
        resources[`${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`]?.Properties ?? {};
      const own = `${Handler.replace(/\.handler$/, '')}.cjs`;
      const late = ['avro', 'protobuf', 's3'].flatMap((part) =>
        files[own]?.includes(`require("./${part}.cjs")`) ? [`dist/functions/${part}.cjs`] : [],
      );
      expect(Object.keys(files).toSorted(), name).toEqual([own, 'dist/functions/NOTICE', ...late].toSorted());
      // What reads Avro and Protocol Buffers has 69 KB, in a file that a start does not read.
      const most = late.some((file) => file.endsWith('/avro.cjs')) ? 525 : 450;
      expect(bytes, name).toBeLessThanOrEqual(most * 1024);
    }
  });

  it("14 B: Glue's client and its permission are in those that read records, where they are asked for", () => {
    const holding = ({ zips }: Packaged) =>
      Object.keys(zips).filter((name) => zips[name]?.files['dist/functions/glue.cjs'] !== undefined);
    expect(holding(packaged)).toEqual([]);
    expect(holding(again).toSorted()).toEqual(['forward', 'reconcile', 'redrive', 'tap']);
    const { Condition, Properties } = resources.SchemaRegistryPolicy ?? {};
    expect(Condition).toBe('AsksForSchemas');
    expect(Properties).toMatchObject({
      Roles: [{ Ref: 'ForwardRole' }, { Ref: 'RedriveRole' }, { Ref: 'ReconcileRole' }, { Ref: 'TapRole' }],
      PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'glue:GetSchemaVersion', Resource: '*' }] },
    });
    expect(packaged.template.Conditions.AsksForSchemas).toEqual({ 'Fn::Equals': ['no', 'yes'] });
    expect(again.template.Conditions.AsksForSchemas).toEqual({ 'Fn::Equals': ['yes', 'yes'] });
  });

  it('hold no key, no secret, nothing of this machine and nothing of the tests', () => {
    for (const [name, { files }] of Object.entries(packaged.zips)) {
      for (const [file, content] of Object.entries(files)) {
        expect(file).not.toMatch(/(^|\/)(\.env|test|local|bench|.*\.(pem|key|map))(\/|$)/);
        const text = content.toString('latin1');
        const found = text.match(
          /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\w{20}|AKIA[0-9A-Z]{16}|p8e-[\w-]{8,}|\/work\/|\/home\/\w+|sourceMappingURL=data:/,
        );
        expect(found?.[0], `${name} ${file}`).toBeUndefined();
      }
    }
  });

  it('of the hook has the pipelines of the bundle in it, and so few bytes that it starts at once', () => {
    const { files = {}, bytes = 0 } = packaged.zips.deployHook ?? {};
    const code = files['dist/functions/deploy-hook.cjs']?.toString() ?? '';
    const missing = Object.keys(bundle(EXAMPLES)).filter(
      (name) => !new RegExp(`\\\\?"name\\\\?":\\\\?"${name}\\\\?"`).test(code),
    );
    expect(missing).toEqual([]);
    expect(bytes).toBeLessThanOrEqual(200 * 1024);
  });

  it('name whose work is in them, under which licence', () => {
    const notice = packaged.zips.forward?.files['dist/functions/NOTICE']?.toString() ?? '';
    const packages = Array.from(notice.matchAll(/^ {2}(\S+) \S+ \((.*)\)$/gm), ([, name, license]) => [
      name,
      license,
    ]);
    const names = packages.map(([name]) => name);
    for (const name of ['zod', '@aws-sdk/client-kinesis', '@smithy/core', 'assemblyscript', 'undici'])
      expect(names).toContain(name);
    for (const [name, license] of packages)
      expect(license, name).toMatch(/^(0BSD|Apache-2\.0|BSD-[23]-Clause|ISC|MIT|MIT-0)$/);
    expect(notice).toContain('Apache License');
    expect(notice).toContain('Copyright (c) 2025 Colin McDonnell');
  });

  it('are the same bytes when they are made again', () => {
    // Those hold Glue's client, the second time.
    const others = ({ zips }: Packaged) =>
      Object.entries(zips).filter(([name]) => !['forward', 'reconcile', 'redrive', 'tap'].includes(name));
    const sums = (packed: Packaged) =>
      Object.fromEntries(others(packed).map(([name, { sha256 }]) => [name, sha256]));
    expect(sums(again)).toEqual(sums(packaged));
    expect(again.template.Conditions.HasHookUrl).toEqual({ 'Fn::Equals': ['yes', 'yes'] });
    expect(again.template.Resources.CodePipelineRule?.Properties.EventPattern.detail).toEqual({
      pipeline: ['deploy'],
      state: ['SUCCEEDED'],
    });
    expect(again.template.Resources.ForwardLambdaFunction?.Properties.ReservedConcurrentExecutions).toBe(20);
    expect(again.template.Resources.Stream?.Properties.Name).toBe('clicks');
    expect(resources.ForwardLambdaFunction?.Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });
});

describe('the pipelines of the bundle', () => {
  it('start once, when a deployment has succeeded; building and packaging name them', async () => {
    const { answers, started } = await hooked(folder);
    expect(started).toEqual(Object.values(bundle(EXAMPLES)));
    expect(answers[1]).toEqual(answers[0]);
    const names = Object.keys(bundle(EXAMPLES)).join(', ');
    expect(packaged.said).toContain(`pipelines/: ${names}\n`);
    expect(packaged.said).toContain(`Deploy hooks can start these pipelines: ${names}.`);
  });
});
