// B 2: deploy parameters are checked by name and by value before anything is packaged.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { PARAMETERS, STAGE_LENGTH, mistakes } = createRequire(import.meta.url)(
  '../../cloud/parameters.cjs',
) as {
  PARAMETERS: Record<string, unknown>;
  STAGE_LENGTH: number;
  mistakes(stage: string, parameters: Record<string, unknown>): string[];
};
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

describe('B 2: a parameter', () => {
  it.each([
    ['streamArn', 'arn:aws:kinesis:eu-west-1:123456789012:stream/a', /did you mean streamArns\?; known are /],
    ['hook_url', 'yes', /did you mean hookUrl\?/],
    ['frobnicate', '1', /there is no such parameter; known are /],
    ['constructor', '1', /there is no such parameter/],
    ['streamArns', 'customers', /found "customers"; expected a stream's ARN/],
    ['streamArns', 'arn:aws:kinesis:eu-west-1:1:stream/a,customers', /expected a stream's ARN/],
    ['streamArns', '', /expected a stream's ARN/],
    ['streamArns', 'arn:aws:kinesis:eu-west-1:123456789012:stream/a b', /expected a stream's ARN/],
    ['hookUrl', 'true', /expected one of yes, no/],
    ['hookManifests', 'Yes', /expected one of yes, no/],
    ['shortWaits', 'true', /expected one of yes, no/],
    ['shortWait', 'yes', /did you mean shortWaits\?/],
    [
      'hookSecret',
      'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf',
      /the name of a secret, not its ARN/,
    ],
    ['inletOrigins', 'dcs.adobedc.net', /a URL without a path/],
    ['platformUrl', 'https://platform.adobe.io/', /a URL without a path/],
    ['alarmEmail', 'a@example.com,b@example.com', /none, or one e-mail address/],
    ['driftSchedule', '1 day', /expected rate\(15 minutes\)/],
    ['hookEnvironments', '', /all, or the name of an environment; several are separated by commas/],
    ['hookEnvironments', 'production, staging', /all, or the name/],
    ['hookEnvironments', 'production,', /all, or the name/],
    ['hookEnvironment', 'production', /did you mean hookEnvironments\?/],
    ['hookConcurrency', '0', /a whole number from 1 to 1000/],
    ['deadLetterDays', '1.5', /a whole number/],
    ['logRetentionInDays', '31', /one of 1, 3, 5/],
    ['logLevel', 'info', /one of DEBUG, INFO/],
    ['forwardConcurrency', 'many', /a whole number/],
  ])('%s=%s is refused with what is expected', (name, value, wanted) => {
    const [said, ...more] = mistakes('prod', { [name]: value });
    expect(said).toMatch(wanted);
    expect(said?.startsWith(`${name}: `)).toBe(true);
    expect(more).toEqual([]);
  });

  it.each([
    ['streamArns', 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks'],
    [
      'streamArns',
      'arn:aws-cn:kinesis:*:123456789012:stream/*,arn:aws:kinesis:eu-west-1:123456789012:stream/a_b.c-d',
    ],
    ['streamArns', 'arn:${AWS::Partition}:kinesis:${AWS::Region}:${AWS::AccountId}:stream/*'],
    ['inletOrigins', 'https://dcs.adobedc.net,http://127.0.0.1:4010'],
    ['alarmEmail', 'none'],
    ['reconcileSchedule', 'rate(1 minute)'],
    ['driftSchedule', 'cron(0 6 * * ? *)'],
    ['logRetentionInDays', 30],
    ['hookStarts', 'customer-profiles'],
    ['hookStarts', 'Orders_EU.v2'],
    ['hookEnvironments', 'production,Preview EU,github-pages'],
    ['codePipeline', 'release.web'],
    ['sourceSecrets', 'team/aep/*'],
  ])('%s=%s is taken', (name, value) => {
    expect(mistakes('prod', { [name]: value })).toEqual([]);
  });

  it('is known here, has its row in docs/deploy.md, and the other way round', () => {
    const documented = [...text('docs/deploy.md').matchAll(/^\| `(\w+)` \| [^|]*\| \S/gm)].map(
      ([, name]) => name,
    );
    expect(Object.keys(PARAMETERS).sort()).toEqual(documented.sort());
    const used = `${text('serverless.yml')}${['alarms', 'dashboard', 'hook', 'roles', 'store', 'stream'].map((file) => text(`cloud/${file}.yml`)).join('')}`;
    const names = [...used.matchAll(/\$\{param:(\w+)/g)].map(([, name]) => name);
    expect([...new Set(names)].filter((name) => !documented.includes(name))).toEqual([]);
  });
});

describe('B 2: a stage', () => {
  it.each(['a_b', 'x/y', '', '1st', 'a'.repeat(STAGE_LENGTH + 1)])('%j is refused', (stage) => {
    expect(mistakes(stage, {})).toEqual([expect.stringContaining(`stage: found "${stage}"; expected 1 to`)]);
  });

  it('of the greatest length fits every name that it stands in', () => {
    const stage = 'a'.repeat(STAGE_LENGTH);
    expect(mistakes(stage, {})).toEqual([]);
    const yaml = ['serverless.yml', 'cloud/hook.yml', 'cloud/roles.yml', 'cloud/stream.yml']
      .map(text)
      .join('\n');
    const functions = [...text('serverless.yml').matchAll(/^ {2}(\w+):\n {4}handler:/gm)].map(
      ([, name]) => `penstock-${stage}-${name}`,
    );
    const rules = [...yaml.matchAll(/^ +Name: \$\{self:service\}-\$\{sls:stage\}(\S*)$/gm)].map(
      ([, rest]) => `penstock-${stage}${rest}`,
    );
    expect(functions.length).toBeGreaterThan(20);
    expect(rules.length).toBeGreaterThan(3);
    expect([...functions, ...rules].filter((name) => name.length > 64)).toEqual([]);
  });
});

describe('B 2: a stage that the framework refuses is told once, in a sentence of ours, before a plugin is loaded:', () => {
  /** The framework's own first step, which settles `provider.stage`. */
  async function settle(stage: string | undefined) {
    const framework = (part: string) =>
      createRequire(import.meta.url)(join(ROOT, 'node_modules/serverless/lib/configuration', part));
    const configuration = await framework('read.js')(join(ROOT, 'serverless.yml'));
    const variablesMeta = framework('variables/resolve-meta.js')(configuration);
    const source = (name: string) => framework(`variables/sources/${name}.js`);
    await framework('variables/resolve.js')({
      serviceDir: ROOT,
      configuration,
      variablesMeta,
      sources: {
        file: source('file'),
        opt: source('opt'),
        self: source('self'),
        env: source('env'),
        sls: source('instance-dependent/get-sls')(),
      },
      options: { stage: stage ?? null },
      fulfilledSources: new Set(['file', 'self']),
      propertyPathsToResolve: new Set(['provider\0name', 'provider\0stage', 'useDotenv']),
    });
    framework('variables/eventually-report-resolution-errors.js')('serverless.yml', {}, variablesMeta, {
      isHelpRequest: false,
    });
    return configuration.provider.stage;
  }

  it.each(['a_b', 'x/y', 'a b', '__proto__', `${'a'.repeat(64)}_`])('%j', async (stage) => {
    const said: string = await settle(stage).then(
      (settled) => `settled as ${settled}`,
      ({ message }) => message,
    );
    const last = said.split('\n').at(-1);
    expect(last).toBe(
      `stage: found "${stage}"; expected 1 to ${STAGE_LENGTH} letters, digits and hyphens, first a letter. Nothing was done.`,
    );
    // The framework's frame about it is one, and without its stack.
    expect(said.match(/Cannot resolve variable/g)).toHaveLength(1);
    expect(said).not.toMatch(/^ +at /m);
  });

  it('one that it takes is taken as it is, and dev where none is given', async () => {
    expect(await settle('prod-2')).toBe('prod-2');
    expect(await settle(undefined)).toBe('dev');
    // That it is too long is told with all else that is wrong.
    expect(await settle('a'.repeat(65))).toBe('a'.repeat(65));
  });
});

it('B 2: `serverless package` says all that is wrong, packages nothing, and ends with an error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock parameters-'));
  try {
    for (const part of ['cloud', 'docs', 'functions', 'serverless.yml', 'package.json'])
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const wrong = ['streamArn=x', 'hookUrl=true', 'logRetentionInDays=2', 'forwardConcurrency=many'];
    const asked = [...wrong.flatMap((one) => ['--param', one]), '--stage', 'a'.repeat(40)];
    const child = spawn(
      process.execPath,
      [join(ROOT, 'node_modules/serverless/bin/serverless.js'), 'package', ...asked],
      {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(said).toContain('The deploy parameters are wrong; nothing was packaged.');
    for (const one of [
      'stage: found',
      'streamArn: there is no such parameter',
      'hookUrl: found "true"',
      // The framework would refuse these two by itself, and first.
      'logRetentionInDays: found "2"; expected one of 1, 3, 5',
      'forwardConcurrency: found "many"; expected a whole number',
    ])
      expect(said).toContain(one);
    expect(said).not.toContain('Configuration error');
    expect(code).not.toBe(0);
    expect(existsSync(join(folder, '.serverless/cloudformation-template-update-stack.json'))).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
