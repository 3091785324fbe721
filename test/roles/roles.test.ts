import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../local/aws/calls.ts';
import { prepare } from '../../local/aws/definition.ts';
import { PARAMETERS } from '../../local/aws/integrations.ts';
import { MACHINE } from '../../local/start/provisioning.ts';
import { STAGE } from '../../local/start/stage.ts';
import { acceptedIn, judge as compared } from '../../scripts/findings.ts';
import { type Folder, packageFolder } from '../template/packaged.ts';
import { callsByAws, usesByServices } from './by-aws.ts';
import { apiOf, commandsOf, ownCommands, ownIntegrations } from './commands.ts';
import { journey } from './journey.ts';
import { type Judge, judgeOf, type Verdict } from './judge.ts';
import { callsOf, others } from './others.ts';

// B 1: whatever a function asks AWS for, its packaged role allows, and the key's policy. Judged by an evaluator that is not ours.

const NEVER_USED = readFileSync(new URL('./never-used.json', import.meta.url), 'utf8');

const PAGE = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');

const TABLE = 'arn:aws:dynamodb:eu-west-1:123456789012:table/penstock-dev-pipelines';

let folder: Folder;
let judge: Judge;
/** What is used on the journey does not depend on which tests ran before. */
let another: Judge;
let calls: readonly Call[];
let verdicts: Verdict[];

beforeAll(async () => {
  folder = await packageFolder();
  const packing = folder.pack({}, { stage: STAGE, region: 'eu-west-1' });
  const [packaged, made] = await Promise.all([packing, journey()]);
  judge = judgeOf(packaged);
  another = judgeOf(packaged);
  calls = made;
  verdicts = await verdictsOn([...calls, ...callsByAws(judge.template)]);
});
afterAll(() => folder.remove());

async function verdictsOn(all: readonly Call[], by = judge): Promise<Verdict[]> {
  return (await Promise.all(all.map((call) => by.judge(call)))).flat();
}

const denied = (found: readonly Verdict[]) =>
  found.filter(({ allowed }) => !allowed).map(({ call, what, why }) => `${call.by}: ${what}: ${why}`);

describe('B 1: plan may do what it does, and so may every other function', () => {
  it('no call is denied, of functions, of the state machine, of AWS with their roles', () => {
    expect(calls.length).toBeGreaterThan(100);
    expect(denied(verdicts).toSorted()).toEqual([]);
  });

  it('nor was one in the tests that ran before, whether they asked AWS or ports that stood for it', async () => {
    const before = others();
    console.log(`Before: ${before.calls.length} calls, ${before.uses.length} uses of ports`);
    // In CI they have run; by hand that need not be.
    if (process.env.CI !== undefined) expect(before.calls.length * before.uses.length).toBeGreaterThan(5_000);
    const all = [...before.calls, ...(await callsOf(before.uses))];
    expect([...new Set(denied(await verdictsOn(all, another)))].toSorted()).toEqual([]);
  });

  it('a secret that is not made yet is "not found", and not "denied": both its ARNs are allowed', async () => {
    const reads = calls.filter(({ action }) => action === 'secretsmanager:GetSecretValue');
    expect(reads.length).toBeGreaterThan(20);
    const forms = reads.flatMap((call) =>
      ['', '-AbCdEf'].map((end) => ({ ...call, resource: call.resource.replace(/(-\w{6})?$/, end) })),
    );
    expect(denied(await verdictsOn(forms)).toSorted()).toEqual([]);
  });

  it('who uses the key without a role may, by the key’s own policy', async () => {
    const uses = usesByServices(judge.template);
    const found = uses.flatMap(({ principal, actions, context }) =>
      actions.map((action) => judge.ofService(principal, action, context)),
    );
    expect(uses.length).toBeGreaterThan(24);
    expect(denied(await Promise.all(found))).toEqual([]);
  });

  it('what nobody has used is on the list, with the reason, and nothing else is', () => {
    const findings = judge.unused().map(({ role, action, where }) => ({
      tool: 'unused',
      rule: `${action} ${where}`,
      where: role,
      message: 'granted, and no call has used it',
    }));
    console.log(
      `Granted, and never used:\n${findings.map(({ rule, where }) => `  ${where} ${rule}`).join('\n')}`,
    );
    expect(compared(findings, acceptedIn(NEVER_USED))).toEqual([]);
  });
});

/** The services that functions reach from their network, as the names of the endpoints end. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  secretsmanager: 'secretsmanager',
  dynamodb: 'dynamodb',
  s3: 's3',
  kinesis: 'kinesis-streams',
  lambda: 'lambda',
  logs: 'logs',
  states: 'states',
};

describe('B 6: the VPC endpoints of docs/deploy.md', () => {
  it('are those that the functions ask by, each with the functions that need it', () => {
    const all = new Set(calls.map(({ by }) => by).filter((by) => by !== MACHINE));
    const rows = Object.fromEntries(
      Array.from(
        // What is behind a semicolon is reached by no API.
        PAGE.matchAll(/^\| `com\.amazonaws\.\{region\}\.([\w-]+)` \| \w+ \| (all but )?([^;|]*)/gm),
        ([, name = '', allBut, text = '']) => {
          const named = new Set(Array.from(text.matchAll(/`(\w+)`/g), ([, one = '']) => one));
          return [
            name,
            [...(allBut === undefined ? named : all)]
              .filter((one) => allBut === undefined || !named.has(one))
              .toSorted(),
          ];
        },
      ),
    );
    const needed = Map.groupBy(
      // What has an `api` was asked for by a function, or by Lambda for the forwarder: that polls outside the network.
      calls.filter(
        ({ api, by, action }) =>
          api !== undefined && by !== MACHINE && !(by === 'forward' && action.startsWith('kinesis:')),
      ),
      ({ action }) => ENDPOINTS[action.split(':')[0] ?? ''] ?? `none for ${action}`,
    );
    const found = Object.fromEntries(
      [...needed].map(([name, asked]) => [name, [...new Set(asked.map(({ by }) => by))].toSorted()]),
    );
    expect(rows).toEqual(found);
  });
});

describe('the judge', () => {
  const call = { by: 'report', action: 'dynamodb:UpdateItem' };

  it.each([
    ['another table', { ...call, resource: 'arn:aws:dynamodb:eu-west-1:123456789012:table/other' }],
    ['another action', { ...call, action: 'dynamodb:DeleteItem', resource: TABLE }],
    ['what AWS knows no such thing of', { ...call, action: 'dynamodb:UpdateItems', resource: TABLE }],
    [
      'a condition key that the action does not have',
      { ...call, resource: TABLE, conditions: { 's3:prefix': 'a' } },
    ],
    [
      'a trigger of another function',
      {
        by: 'trigger',
        action: 'lambda:CreateEventSourceMapping',
        resource: '*',
        conditions: { 'lambda:FunctionArn': 'arn:aws:lambda:eu-west-1:123456789012:function:other' },
      },
    ],
  ])('denies %s', async (_, one: Call) => {
    const [first] = await judge.judge(one);
    expect(first).toMatchObject({ allowed: false });
  });

  it('denies the key to a log group that is not of the stack', async () => {
    const other = { 'aws:logs:arn': 'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/other' };
    expect(
      denied([await judge.ofService('logs.eu-west-1.amazonaws.com', 'kms:Decrypt', other)]),
    ).toHaveLength(1);
  });
});

describe('the state machine’s own service integrations', () => {
  it('have no parameter that AWS’s documentation of them does not show: a machine with one is not made at all', () => {
    const others = ownIntegrations().flatMap(({ state, resource, parameters }) => {
      const known = PARAMETERS[`arn:aws:states:::${resource}`];
      expect(known, resource).toBeDefined();
      return parameters.filter((name) => !known?.includes(name)).map((name) => `${state}: ${name}`);
    });
    expect(others).toEqual([]);
  });

  it('and the local Step Functions makes none with one', () => {
    const definition = {
      StartAt: 'ask',
      States: {
        ask: {
          Type: 'Task',
          Resource: 'arn:aws:states:::aws-sdk:sfn:describeExecution',
          Parameters: { 'ExecutionArn.$': '$.arn', IncludedData: 'METADATA_ONLY' },
          End: true,
        },
      },
    };
    const made = () => prepare(definition, { functionArn: (key) => key, waitScale: 1 });
    expect(made).toThrow('ask: the field "IncludedData" is not supported by Step Functions.');
  });
});

/** The template has the permission only where a parameter asks for it: test/template/packaged.test.ts looks at it. */
const ONLY_WHERE_ASKED = new Set(['glue:GetSchemaVersion']);

describe('the journal shows', () => {
  it('every command of the SDK that is imported', () => {
    const commands = ownCommands();
    expect(commands.size).toBeGreaterThan(20);
    const seen = new Set(calls.map(({ api }) => api));
    const missing = [...commands].filter(([api]) => !seen.has(api) && !ONLY_WHERE_ASKED.has(api));
    expect(missing.map(([api, file]) => `${api}, imported by ${file}, is called on no journey`)).toEqual([]);
  });

  it('every service integration of the state machine', () => {
    const integrations = ownIntegrations();
    expect(integrations.length).toBeGreaterThan(4);
    const seen = new Set(calls.filter(({ by }) => by === MACHINE).map(({ api }) => api));
    expect(integrations.filter((one) => !seen.has(apiOf(one)))).toEqual([]);
  });

  it('every function', () => {
    const names = judge.template.ofType('AWS::Lambda::Function').length;
    expect(new Set(calls.map(({ by }) => by)).size).toBe(names + 1);
  });

  it('and a command is found however it is imported', () => {
    const found = commandsOf([
      [
        'a.ts',
        "import { type AClient, GetCommand,\n  PutCommand } from '@aws-sdk/client-a';\nnew GetCommand({})",
      ],
      ['b.ts', "const sdk = await import('@aws-sdk/client-b');\nnew sdk.ListCommand({})"],
      ['c.ts', "import type { TableCall } from './dynamodb.ts';\nawait call(what, 'Scan', {})"],
    ]);
    expect([...found.keys()]).toEqual(['a:Get', 'a:Put', 'b:List', 'dynamodb:Scan']);
    expect(() => commandsOf([['c.ts', 'new HiddenCommand({})']])).toThrow(/c\.ts: no import names Hidden/);
  });
});
