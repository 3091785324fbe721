// The commands that README and docs/ print, run as they are printed, against what `npm start -- --keep` leaves running.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ofTheDay } from '../support/depth.ts';
import { COMMANDS, matches, REGISTRY, type Registered, ROOT } from '../support/documented.ts';
import { until } from '../support/eventually.ts';
import { printedBlocks } from '../support/printed.ts';
import { besidesProgress, cheapStarts, START } from '../support/start.ts';

const HERE = 'test/deep/commands.test.ts';

/** What the commands here need of the variables that `npm start -- --keep` prints. */
const NEEDED = [
  'AWS_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_LAMBDA',
  'AWS_ENDPOINT_URL_SFN',
  'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  'PENSTOCK_STATE_MACHINE',
] as const;
type Variables = Record<(typeof NEEDED)[number], string>;

const mine = REGISTRY.filter(({ by }) => by === HERE);
const textsOf = (line: Registered) => [
  ...new Set(COMMANDS.filter((one) => matches(line, one)).map(({ text }) => text)),
];
const cases = mine.flatMap((line) => textsOf(line).map((text) => ({ text, ...line })));
const startingWith = (word: string) => cases.filter(({ text }) => text.startsWith(`${word} `));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function shell(script: string, cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env;
  const options = { cwd, env: { PATH, HOME, ...cheapStarts(), ...env } };
  return new Promise((resolve) => {
    execFile('sh', ['-c', script], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
  });
}

/** What README and docs/change.md say that a change with a retirement prints, and the words after its number of records. */
function changeAsPrinted(): { readonly lines: RegExp[]; readonly words: string | undefined } {
  const page = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, second = []] = printedBlocks(page);
  const changed = printedBlocks(readFileSync(join(ROOT, 'docs/change.md'), 'utf8'));
  const retirement = changed.find(([first]) => first?.test('Run report of customer-profiles: retired')) ?? [];
  expect(retirement.length).toBeGreaterThan(4);
  return {
    lines: [...second, ...retirement],
    words: /^npm start -- --generate 2000 (.+--retire)$/m.exec(page)?.[1],
  };
}

describe('13 A 3: npm start, as it is printed', () => {
  const change = changeAsPrinted();

  it('a change while records come stands in README and docs/change.md, and is among these', () => {
    expect(change.lines.length).toBeGreaterThan(13);
    expect(startingWith('npm').map(({ text }) => text)).toContain(`npm start -- ${change.words}`);
  });

  it.each(ofTheDay(startingWith('npm'), 2))('$text', async ({ text, says }) => {
    const { code, out, err } = await shell(text, ROOT);
    expect(besidesProgress(err.replace(/^npm .*\n/gm, ''))).toBe('');
    expect(out).toContain(says);
    const lines = text === `npm start -- ${change.words}` ? change.lines : [];
    expect(lines.filter((line) => !line.test(out))).toEqual([]);
    expect(code).toBe(0);
  });
});

describe('13 A 3: the URL of deploy hooks', () => {
  it('gets what docs/hooks.md prints, with the signature that GitHub would send', async () => {
    let [body, signature] = ['', ''];
    const server = createServer((request, response) => {
      signature = String(request.headers['x-hub-signature-256']);
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => response.end('{}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const script = cases.filter(({ runs }) => runs === 'docs/hooks.md').map(({ text }) => text);
    try {
      const { code, err } = await shell(`set -e\n${script.join('\n')}`, ROOT, { url, key: 'not-a-key' });
      expect([code, err.includes('error')]).toEqual([0, false]);
    } finally {
      server.close();
    }
    expect(script).toHaveLength(2);
    expect(JSON.parse(body)).toEqual({ pipeline: 'customer-profiles', id: 'build-42' });
    expect(signature).toBe(`sha256=${createHmac('sha256', 'not-a-key').update(body).digest('hex')}`);
  });
});

describe('13 A 3: the AWS CLI, as it is printed', () => {
  let kept: ChildProcess;
  let folder: string;
  let env: Variables;
  /** What the line for the AWS CLI sets. */
  let cli: Record<string, string>;

  const assigned = (line: string): Record<string, string> =>
    Object.fromEntries(Array.from(line.matchAll(/(\w+)=(\S+)/g), ([, name, value]) => [name, value]));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'penstock-'));
    cpSync(join(ROOT, 'events'), join(folder, 'events'), { recursive: true });
    // A flow that is younger than that is waited for: it is five minutes as Adobe asks, and nothing is lost here.
    const provision = join(folder, 'events/provision.json');
    writeFileSync(
      provision,
      readFileSync(provision, 'utf8').replace(/"warmUpSeconds": \d+/, '"warmUpSeconds": 1'),
    );
    // As documented, and plainly nobody's.
    const credentials = {
      clientId: 'fake',
      clientSecret: 'fake',
      organizationId: `${'0'.repeat(24)}@AdobeOrg`,
    };
    writeFileSync(join(folder, 'credentials.json'), JSON.stringify(credentials));
    writeFileSync(join(folder, 'hook.json'), '{"keys":[]}');
    kept = spawn(process.execPath, [START, '--keep', '--generate', '200', '--warm-up', '1']);
    let out = '';
    for (const stream of [kept.stdout, kept.stderr])
      stream?.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
    let ended = false;
    kept.once('exit', () => {
      ended = true;
    });
    // Each line comes when it comes: the last one of them is as much needed as the first.
    const exported = () =>
      Object.assign({}, ...Array.from(out.matchAll(/^ *export (.*)\n/gm), ([, line = '']) => assigned(line)));
    await until(async () => ended || NEEDED.every((name) => name in exported()));
    if (ended) throw new Error(out);
    env = exported();
    cli = assigned(/^ *export (AWS_ENDPOINT_URL=.*)$/m.exec(out)?.[1] ?? '');
  });

  afterAll(async () => {
    const gone = new Promise((resolve) => kept.once('close', resolve));
    kept.kill('SIGINT');
    await gone;
    rmSync(folder, { recursive: true });
  });

  const config = (service: 'LAMBDA' | 'SFN' | 'SECRETS_MANAGER') => ({
    region: env.AWS_REGION,
    endpoint: env[`AWS_ENDPOINT_URL_${service}`],
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });

  /** The same command for this machine: its one stage, its state machine. What has to be new is new for each way. */
  const here = (text: string, way: string) =>
    text
      .replace('{output ProvisionStateMachine}', env.PENSTOCK_STATE_MACHINE)
      .replace('penstock-prod-provision', 'penstock-dev-provision')
      .replace('--name build-42', `--name build-42-${way}`)
      .replace('--name penstock/prod/', `--name penstock/prod-${way}/`);

  /** What came of an execution, once it has ended. */
  async function outputOf(executionArn: string): Promise<unknown> {
    const client = new SFNClient(config('SFN'));
    let found = await client.send(new DescribeExecutionCommand({ executionArn }));
    await until(async () => {
      found = await client.send(new DescribeExecutionCommand({ executionArn }));
      return found.status !== 'RUNNING';
    });
    client.destroy();
    expect(found.status, found.cause).toBe('SUCCEEDED');
    return JSON.parse(found.output ?? '');
  }

  const answer = () => JSON.parse(readFileSync(join(folder, 'answer.json'), 'utf8')) as unknown;

  const AWS = spawnSync('aws', ['--version'], { encoding: 'utf8' });
  const version = AWS.error === undefined ? /aws-cli\/(\d+)/.exec(AWS.stdout + AWS.stderr)?.[1] : undefined;

  it.skipIf(version === undefined).each(startingWith('aws'))('by the command line: $text', async (one) => {
    // Version 1 sends a payload as it is, and does not know the option that makes version 2 do so, nor AWS_REGION.
    const text = version === '1' ? one.text.replace(/ --cli-binary-format [\w-]+/, '') : one.text;
    const { code, out, err } = await shell(here(text, 'cli'), folder, { ...cli, AWS_PAGER: '' });
    if (one.fails !== undefined) {
      expect(err).toContain(`(${one.fails})`);
      return;
    }
    expect([code, err]).toEqual([0, '']);
    const said = JSON.parse(out) as Record<string, string>;
    expect(said.FunctionError).toBeUndefined();
    const came = said.executionArn === undefined ? said : await outputOf(said.executionArn);
    expect(one.text.includes('lambda invoke') ? answer() : came).toMatchObject(wanted(one, 'cli'));
  });

  const wanted = ({ answer: expected = {} }: Registered, way: string) =>
    JSON.parse(JSON.stringify(expected).replace('penstock/prod/', `penstock/prod-${way}/`)) as object;

  /** The words of a command as the shell takes them apart. */
  async function wordsOf(text: string): Promise<string[]> {
    const { out } = await shell(`printf '%s\\0' ${text}`, folder);
    return out.split('\0').slice(0, -1);
  }

  /** `file://` is the file, as the command line reads it. */
  function contentOf(word: string): string {
    return word.startsWith('file://')
      ? readFileSync(join(folder, word.slice('file://'.length)), 'utf8')
      : word;
  }

  /** The same request without the command line. */
  async function bySdk(text: string): Promise<unknown> {
    const [, service, operation, ...rest] = await wordsOf(here(text, 'sdk'));
    const options = new Map<string, string>();
    for (let at = 0; at < rest.length; at++)
      if (rest[at]?.startsWith('--')) options.set(rest[at] as string, contentOf(rest[++at] ?? ''));
    const option = (name: string) => options.get(name) ?? '';
    if (service === 'lambda' && operation === 'invoke') {
      const client = new LambdaClient(config('LAMBDA'));
      const Payload = Buffer.from(option('--payload'));
      const said = await client.send(new InvokeCommand({ FunctionName: option('--function-name'), Payload }));
      client.destroy();
      expect(said.FunctionError).toBeUndefined();
      return JSON.parse(Buffer.from(said.Payload ?? []).toString());
    }
    if (service === 'stepfunctions' && operation === 'start-execution') {
      const client = new SFNClient(config('SFN'));
      const name = options.get('--name');
      const { executionArn = '' } = await client.send(
        new StartExecutionCommand({
          stateMachineArn: option('--state-machine-arn'),
          input: option('--input'),
          ...(name !== undefined && { name }),
        }),
      );
      client.destroy();
      return outputOf(executionArn);
    }
    if (service === 'secretsmanager' && operation === 'create-secret') {
      const client = new SecretsManagerClient(config('SECRETS_MANAGER'));
      const input = { Name: option('--name'), SecretString: option('--secret-string') };
      return client.send(new CreateSecretCommand({ ...input, KmsKeyId: option('--kms-key-id') }));
    }
    throw new Error(`no such request is made here: ${service} ${operation}`);
  }

  it.each(startingWith('aws'))('by the SDK: $text', async (one) => {
    if (one.fails !== undefined) await expect(bySdk(one.text)).rejects.toMatchObject({ name: one.fails });
    else expect(await bySdk(one.text)).toMatchObject(wanted(one, 'sdk'));
  });
});
