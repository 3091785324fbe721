// The packaged template as CloudFormation would make it in an account: what its functions (`Ref`, `Fn::Sub` and so on) come to.
import type { Call } from '../../local/aws/calls.ts';
import { localAccount } from '../../local/aws/server.ts';
import { FUNCTION_KEYS, functionName } from '../../local/start/functions.ts';
import type { Packaged, Resource } from '../template/packaged.ts';

const { region, accountId } = localAccount;

/** Names that CloudFormation makes up where the template gives none; the local AWS has these. */
const GIVEN_NAMES: Readonly<Record<string, string>> = {
  UndeliveredBucket: 'dead-letters',
  Key: '11111111-2222-4333-8444-555555555555',
};

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::AccountId': accountId,
};

type Template = Packaged['template'];

export interface Resolved {
  /** A value of the template, with nothing of CloudFormation left in it. */
  value(raw: unknown): unknown;
  arnOf(logicalId: string): string;
  /** Those of the type whose condition is met, by logical id. */
  ofType(type: string): [string, Resource][];
}

export function resolved(template: Template): Resolved {
  const resourceOf = (id: string): Resource => {
    const found = template.Resources[id];
    if (found === undefined) throw new Error(`the template refers to ${id}, which it does not have`);
    return found;
  };
  const nameOf = (id: string): string => {
    const { Properties = {} } = resourceOf(id);
    const key = NAME_PROPERTIES.find((one) => Properties[one] !== undefined);
    return GIVEN_NAMES[id] ?? (key === undefined ? `made-up-${id}` : String(value(Properties[key])));
  };
  const arnOf = (id: string): string => arn(resourceOf(id).Type, nameOf(id));
  const ref = (id: string): string =>
    PSEUDO[id] ?? (/Topic$|StateMachine$/.test(resourceOf(id).Type) ? arnOf(id) : nameOf(id));
  const attribute = (id: string, name: string): string => {
    if (name !== 'Arn') throw new Error(`nobody has said yet what ${id}.${name} is`);
    return resourceOf(id).Type === 'AWS::Logs::LogGroup' ? `${arnOf(id)}:*` : arnOf(id);
  };

  function value(raw: unknown): unknown {
    if (Array.isArray(raw)) return raw.map(value).filter((one) => one !== undefined);
    if (typeof raw !== 'object' || raw === null) return raw;
    const [[name = '', given] = []] = Object.entries(raw);
    if (Object.keys(raw).length === 1 && name in INTRINSIC) return INTRINSIC[name]?.(given as never);
    if (name.startsWith('Fn::')) throw new Error(`nobody has said yet what ${name} comes to`);
    return Object.fromEntries(
      Object.entries(raw)
        .map(([key, one]) => [key, value(one)])
        .filter(([, one]) => one !== undefined),
    );
  }

  const substituted = (text: string, own: Readonly<Record<string, unknown>>): string =>
    text.replaceAll(/\$\{([^!}]+)\}/g, (_, what: string) => {
      if (what in own) return String(value(own[what]));
      const [id = '', name] = what.split('.');
      return name === undefined ? ref(id) : attribute(id, name);
    });

  const holds = (raw: unknown): boolean => {
    const [[name, given] = []] = Object.entries(raw as object);
    if (name === 'Fn::Equals') return value(given[0]) === value(given[1]);
    if (name === 'Fn::Not') return !holds(given[0]);
    throw new Error(`nobody has said yet what the condition ${name} comes to`);
  };

  const INTRINSIC: Readonly<Record<string, (given: never) => unknown>> = {
    Ref: (id: string) => (id === 'AWS::NoValue' ? undefined : ref(id)),
    'Fn::GetAtt': ([id = '', name = '']: string[]) => attribute(id, name),
    'Fn::Sub': (given: string | [string, Record<string, unknown>]) =>
      typeof given === 'string' ? substituted(given, {}) : substituted(...given),
    'Fn::Join': ([between, parts]: [string, unknown]) => (value(parts) as string[]).join(between),
    'Fn::Split': ([between, text]: [string, unknown]) => String(value(text)).split(between),
    'Fn::If': ([condition, yes, no]: [string, unknown, unknown]) =>
      value(holds(template.Conditions[condition]) ? yes : no),
  };

  const isMade = ({ Condition }: Resource) =>
    Condition === undefined || holds(template.Conditions[Condition]);
  return {
    value,
    arnOf,
    ofType: (type) =>
      Object.entries(template.Resources).filter(([, one]) => one.Type === type && isMade(one)),
  };
}

/** What it is called in serverless.yml, and on this machine: `BaseConnectionLambdaFunction` is `baseConnection`. */
export function functionIn(logicalId: string): string {
  return logicalId.replace(/LambdaFunction$/, '').replace(/^./, (first) => first.toLowerCase());
}

/** The same call, its function called as in serverless.yml. */
export function byKey(call: Call): Call {
  return { ...call, by: FUNCTION_KEYS.find((key) => functionName(key) === call.by) ?? call.by };
}

const NAME_PROPERTIES = [
  'FunctionName',
  'LogGroupName',
  'TableName',
  'StateMachineName',
  'QueueName',
  'TopicName',
  'RoleName',
  'Name',
];

function arn(type: string, name: string): string {
  const inRegion = (service: string, resource: string) =>
    `arn:aws:${service}:${region}:${accountId}:${resource}`;
  switch (type) {
    case 'AWS::Lambda::Function':
      return inRegion('lambda', `function:${name}`);
    case 'AWS::Logs::LogGroup':
      return inRegion('logs', `log-group:${name}`);
    case 'AWS::DynamoDB::Table':
      return inRegion('dynamodb', `table/${name}`);
    case 'AWS::StepFunctions::StateMachine':
      return inRegion('states', `stateMachine:${name}`);
    case 'AWS::SQS::Queue':
      return inRegion('sqs', name);
    case 'AWS::SNS::Topic':
      return inRegion('sns', name);
    case 'AWS::KMS::Key':
      return inRegion('kms', `key/${name}`);
    case 'AWS::Kinesis::Stream':
      return inRegion('kinesis', `stream/${name}`);
    case 'AWS::S3::Bucket':
      return `arn:aws:s3:::${name}`;
    case 'AWS::Events::Rule':
      return inRegion('events', `rule/${name}`);
    case 'AWS::IAM::Role':
      return `arn:aws:iam::${accountId}:role/${name}`;
    default:
      throw new Error(`nobody has said yet what the ARN of a ${type} is`);
  }
}
