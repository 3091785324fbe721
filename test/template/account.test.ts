// B 6: the stack in an account as it is: a network, a proxy, a key, tags, a boundary, a topic and thresholds that others have decided on; and B 3: without pipelines.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingsFrom } from '../../lib/settings.ts';
import { hooked } from './hooked.ts';
import { type Folder, type Packaged, packageFolder, type Resource } from './packaged.ts';

const { ALARMS, mistakes } = createRequire(import.meta.url)('../../cloud/parameters.cjs') as {
  ALARMS: string[];
  mistakes(stage: string, parameters: Record<string, unknown>, region?: string): string[];
};

const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/0f1e2d3c-aaaa-4bbb-8ccc-123456789abc';
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:on-call';
const BOUNDARY = 'arn:aws:iam::123456789012:policy/team/boundary';
const PARAMETERS = {
  stream: 'clicks',
  httpsProxy: 'http://proxy.example.com:3128',
  noProxy: '.internal.example.com,10.0.0.1:8443',
  subnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  securityGroupIds: 'sg-0123456789abcdef0',
  kmsKeyArn: KEY,
  tags: 'team=data,cost-centre=4 2',
  permissionsBoundary: BOUNDARY,
  alarmTopic: TOPIC,
  alarmThresholds: 'forwarder-behind=600,records-rejected=10',
};

let folder: Folder;
let packaged: Packaged;

beforeAll(async () => {
  folder = await packageFolder();
  packaged = await folder.pack(PARAMETERS);
});
afterAll(() => folder.remove());

const ofType = (type: string): [string, Resource][] =>
  Object.entries(packaged.template.Resources).filter(([, { Type }]) => Type === type);
const functions = () => ofType('AWS::Lambda::Function');
const alarm = (name: string) =>
  ofType('AWS::CloudWatch::Alarm').find(([, { Properties }]) =>
    Properties.AlarmName.endsWith(`-${name}`),
  )?.[1].Properties;

interface Drawn {
  readonly annotations?: {
    readonly horizontal: readonly { readonly label: string; readonly value: number }[];
  };
}

describe('B 6: a network', () => {
  it('every function is in it, and its role may have the interfaces made that Lambda needs; its own code may not', () => {
    expect(functions().length).toBeGreaterThan(22);
    for (const [name, { Properties }] of functions()) {
      expect(Properties.VpcConfig, name).toEqual({
        SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
        SecurityGroupIds: ['sg-0123456789abcdef0'],
      });
      const { Policies } = packaged.template.Resources[Properties.Role['Fn::GetAtt'][0]]?.Properties ?? {};
      const [allow, deny] = Policies.find(
        ({ PolicyName }: { PolicyName: string }) => PolicyName === 'network',
      ).PolicyDocument.Statement;
      // AWS: AWSLambdaVPCAccessExecutionRole.
      expect(allow.Action.toSorted()).toEqual([
        'ec2:AssignPrivateIpAddresses',
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:UnassignPrivateIpAddresses',
      ]);
      expect(deny).toMatchObject({
        Effect: 'Deny',
        Action: allow.Action,
        Condition: {
          ArnEquals: {
            'lambda:SourceFunctionArn': {
              'Fn::Sub': expect.stringMatching(`:function:${Properties.FunctionName}$`),
            },
          },
        },
      });
    }
  });
});

describe('B 6: a proxy', () => {
  it('every function is told of it, as the settings read it', () => {
    for (const [name, { Properties }] of functions()) {
      const { HTTPS_PROXY, NO_PROXY } = Properties.Environment.Variables;
      expect(settingsFrom({ HTTPS_PROXY, NO_PROXY }).proxy, name).toEqual({
        url: PARAMETERS.httpsProxy,
        except: PARAMETERS.noProxy,
      });
    }
  });
});

describe('B 6: a key that is there already', () => {
  it('is in every place of the stack’s own, which is not made', () => {
    expect([...ofType('AWS::KMS::Key'), ...ofType('AWS::KMS::Alias')]).toEqual([]);
    const text = JSON.stringify(packaged.template);
    for (const left of ['"Ref":"Key"', '["Key","Arn"]', '${Key']) expect(text).not.toContain(left);
    const encrypted = [
      ...ofType('AWS::Logs::LogGroup').map(([, { Properties }]) => Properties.KmsKeyId),
      ...ofType('AWS::DynamoDB::Table').map(
        ([, { Properties }]) => Properties.SSESpecification.KMSMasterKeyId,
      ),
      ...ofType('AWS::Kinesis::Stream').map(([, { Properties }]) => Properties.StreamEncryption.KeyId),
      ...ofType('AWS::SQS::Queue').map(([, { Properties }]) => Properties.KmsMasterKeyId),
      packaged.template.Resources.PublishLambdaFunction?.Properties.Environment.Variables.PENSTOCK_KMS_KEY,
      packaged.template.Outputs.KeyArn?.Value,
    ];
    expect(encrypted.length).toBeGreaterThan(28);
    expect(new Set(encrypted)).toEqual(new Set([KEY]));
  });
});

describe('B 6: tags', () => {
  it('are the stack’s, from which CloudFormation gives them to all it makes', () => {
    const { service } = JSON.parse(readFileSync(join(folder.packed, 'serverless-state.json'), 'utf8'));
    expect(service.provider.stackTags).toEqual({ team: 'data', 'cost-centre': '4 2' });
  });

  it('are told to the functions, for what they make at run time', () => {
    for (const [name, { Properties }] of functions())
      expect(
        settingsFrom(
          Properties.Environment.Variables.PENSTOCK_TAGS && {
            PENSTOCK_TAGS: Properties.Environment.Variables.PENSTOCK_TAGS,
          },
        ).tags,
        name,
      ).toEqual({ team: 'data', 'cost-centre': '4 2' });
  });
});

describe('B 6: a permissions boundary', () => {
  it('is on every role', () => {
    const roles = ofType('AWS::IAM::Role');
    expect(roles.length).toBeGreaterThan(23);
    for (const [name, { Properties }] of roles) expect(Properties.PermissionsBoundary, name).toBe(BOUNDARY);
  });
});

describe('B 6: alarms', () => {
  it('go to the topic that is there already, and the stack makes none', () => {
    for (const type of ['Topic', 'TopicPolicy', 'Subscription'])
      expect(ofType(`AWS::SNS::${type}`)).toEqual([]);
    for (const [name, { Properties }] of ofType('AWS::CloudWatch::Alarm'))
      expect([Properties.AlarmActions, Properties.OKActions], name).toEqual([[TOPIC], [TOPIC]]);
    expect(JSON.stringify(packaged.template)).not.toContain('AlarmTopic');
    expect(packaged.template.Outputs.Alarms?.Value).toBe(TOPIC);
  });

  it('have the thresholds that were given, in seconds where they are of an age; the others have their own', () => {
    expect(alarm('forwarder-behind')).toMatchObject({
      Threshold: 600_000,
      AlarmDescription: { 'Fn::Sub': expect.stringMatching(/Set here: above 600 seconds\.$/) },
    });
    // B 2: a text with the usual number beside another one would contradict itself.
    expect(alarm('forwarder-behind').AlarmDescription).toEqual({
      'Fn::Sub': expect.not.stringMatching(/\d+ (minutes|hours)/),
    });
    // C 5: the dashboard draws the line where the alarm has it.
    const body = packaged.template.Resources.Dashboard?.Properties.DashboardBody['Fn::Sub'] as string;
    const lines = (JSON.parse(body) as { widgets: { properties: Drawn }[] }).widgets.flatMap(
      ({ properties }) => properties.annotations?.horizontal ?? [],
    );
    expect(lines).toEqual(
      ['forwarder-behind', 'records-about-to-be-lost'].map((label) => ({
        label,
        value: alarm(label).Threshold,
      })),
    );
    expect(alarm('records-rejected').Threshold).toBe(10);
    expect(alarm('records-refused').Threshold).toBe(0);
    expect(JSON.stringify(alarm('records-refused').AlarmDescription)).not.toContain('Set here');
  });

  it('are all known by name to the parameter', () => {
    const names = ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
      String(Properties.AlarmName).replace(/^penstock-dev-/, ''),
    );
    expect(ALARMS.toSorted()).toEqual(names.toSorted());
  });
});

describe('B 6: a parameter', () => {
  it.each([
    [{ httpsProxy: 'proxy.example.com:3128' }, /httpsProxy: .*expected none, or a URL without a path/],
    [{ httpsProxy: 'socks5://proxy.example.com' }, /httpsProxy: /],
    [{ httpsProxy: 'http://a', noProxy: 'https://b.example.com' }, /noProxy: .*expected none, or a host/],
    [{ noProxy: 'b.example.com' }, /noProxy: found without httpsProxy/],
    [{ subnetIds: 'subnet-0123456789abcdef0' }, /found one without the other/],
    [{ securityGroupIds: 'sg-0123456789abcdef0' }, /found one without the other/],
    [{ subnetIds: 'vpc-1', securityGroupIds: 'sg-0123456789abcdef0' }, /subnetIds: .*the id of a subnet/],
    [
      { subnetIds: 'subnet-0123456789abcdef0', securityGroupIds: 'web' },
      /securityGroupIds: .*the id of a security group/,
    ],
    [{ kmsKeyArn: 'alias/mine' }, /kmsKeyArn: .*the ARN of a key, not of an alias/],
    [{ kmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:alias/mine' }, /kmsKeyArn: /],
    [{ tags: 'team' }, /tags: .*team=data,cost-centre=42/],
    [{ tags: 'team=a,team=b' }, /tags: .*different tags/],
    [{ tags: 'aws:team=a' }, /tags: /],
    [{ permissionsBoundary: 'boundary' }, /permissionsBoundary: .*the ARN of a managed policy/],
    [{ alarmTopic: 'on-call' }, /alarmTopic: .*the ARN of a topic/],
    [{ alarmTopic: TOPIC, alarmEmail: 'a@example.com' }, /alarmEmail: found beside alarmTopic/],
    [{ alarmThresholds: 'forwarder_behind=1' }, /alarmThresholds: .*the names are .*forwarder-behind/],
    [{ alarmThresholds: 'forwarder-behind=-1' }, /alarmThresholds: /],
    [{ alarmThresholds: 'constructor=1' }, /alarmThresholds: /],
  ])('%j is refused with what is expected', (parameters, wanted) => {
    const [said, ...more] = mistakes('prod', parameters);
    expect(said).toMatch(wanted);
    expect(more).toEqual([]);
  });

  it.each(['kmsKeyArn', 'alarmTopic'])('B 2: %s of another region is refused', (name) => {
    const given = { [name]: PARAMETERS[name as keyof typeof PARAMETERS] };
    expect(mistakes('prod', given, 'eu-west-1')).toEqual([]);
    const said = mistakes('prod', given, 'us-east-1');
    expect(said).toEqual([`${name}: found "${given[name]}"; expected one of the stack's region, us-east-1`]);
  });

  it('of those that go together is taken', () => {
    expect(mistakes('prod', PARAMETERS)).toEqual([]);
    expect(mistakes('prod', { httpsProxy: 'https://me:fake-password@proxy:3128/', noProxy: '*' })).toEqual(
      [],
    );
  });
});

describe('B 3: a bundle without pipelines', () => {
  it('says so when it is built, when it is packaged, and to a hook, which starts nothing', async () => {
    const { said, zips } = packaged;
    expect(said).toContain('pipelines/ is empty: a deploy hook has no pipeline to start');
    expect(said).toContain('The bundle has no pipelines: a deploy hook can start nothing. ');
    const code = zips.deployHook?.files['dist/functions/deploy-hook.cjs']?.toString() ?? '';
    expect(code).toContain('JSON.parse("{}")');
    // Neither a sample nor the page of the folder is in any zip.
    for (const { files } of Object.values(zips))
      for (const content of Object.values(files))
        expect(content.toString('latin1')).not.toMatch(/customer-profiles-xdm|Empty at first/);
    const { answers, started } = await hooked(folder);
    expect(started).toEqual([]);
    expect(JSON.stringify(answers[0])).toContain('NO_PIPELINES: nothing was started');
  });

  it('is not packaged for a hook that is to start one', async () => {
    const refused = folder.pack({ hookStarts: 'customer-profiles' });
    await expect(refused).rejects.toMatchObject({
      stdout: expect.stringContaining(
        'hookStarts: the bundle has no pipeline customer-profiles; it has none.',
      ),
    });
  });
});
