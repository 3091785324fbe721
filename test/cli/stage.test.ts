// The command line against a deployed stage: which version it may change, and what it says where AWS does not answer as hoped.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { stackVersion } from '../../lib/doctor/version.ts';
import { status } from '../../lib/provision/status.ts';
import type { LedgerRuntime } from '../../lib/runtime.ts';
import { VERSION } from '../../lib/version.ts';
import { type Answer, type StandIn, startAwsStandIn } from '../support/aws-stand-in.ts';
import { runCli } from '../support/cli.ts';
import { memoryLedger } from '../support/ledger.ts';

const FILE = fileURLToPath(new URL('../../examples/customer-profiles.json', import.meta.url));
const PROD = ['--stage', 'prod'];

let home: string;
let aws: StandIn | undefined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'penstock-stage-'));
});
afterAll(() => rm(home, { recursive: true }));
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  // No profile of whoever runs this.
  vi.stubEnv('HOME', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await aws?.close();
  aws = undefined;
});

/** Runs a command against a stack that answers so. */
async function penstock(
  args: readonly string[],
  answers: Readonly<Record<string, Answer | undefined>> = {},
  env: Readonly<Record<string, string | undefined>> = {},
) {
  aws ??= await startAwsStandIn(answers);
  for (const [name, value] of Object.entries({ ...aws.env, ...env })) vi.stubEnv(name, value);
  const run = await runCli(args, {
    env: Object.fromEntries(
      Object.entries({ ...aws.env, ...env }).filter(([, value]) => value !== undefined),
    ) as Record<string, string>,
  });
  return { ...run, asked: aws.calls.map(({ operation }) => operation) };
}

/** What may change something in a stack. */
const CHANGING: readonly (readonly string[])[] = [
  ['apply', FILE, '--yes'],
  ['apply', FILE, '--token', 'p2.abc'],
  ['retire', FILE, '--yes', '--sandbox', 'dev1'],
  ['redrive', 'customers', '--yes'],
  ['reconcile', 'customer-profiles', '--yes'],
];

const other: Record<string, Answer> = {
  'lambda:penstock-prod-status': (event: { version?: true }) => (event.version ? { version: '9.8.7' } : []),
  'lambda:penstock-prod-drift': () => ({ checked: 0, moved: 0, lines: [] }),
};

/** `status` as it was before it knew the question. */
const older: Record<string, Answer> = {
  ...other,
  'lambda:penstock-prod-status': (event: object) =>
    status(event, { ledger: memoryLedger().ledger } as unknown as LedgerRuntime),
};

describe('a stack of another version', () => {
  it.each(CHANGING)('is not changed: %s', async (...args) => {
    const run = await penstock([...args, ...PROD], other);
    expect(run.code).toBe(1);
    expect(run.err).toContain(
      `error OTHER_VERSION  stage prod in eu-west-1 is of version 9.8.7, and this is penstock ${VERSION}: nothing was changed\n`,
    );
    expect(run.err).toContain('npx serverless deploy --stage prod --region eu-west-1');
    expect(run.asked).toEqual(['lambda:penstock-prod-status']);
  });

  it.each(CHANGING)('is not changed if it is older than the question: %s', async (...args) => {
    const run = await penstock([...args, ...PROD], older);
    expect(run.code).toBe(1);
    expect(run.err).toContain('error OTHER_VERSION  ');
    expect(run.err).toContain('of a version that does not tell its number');
    expect(run.asked).toEqual(['lambda:penstock-prod-status']);
  });

  it.each([
    [['status'], other],
    [['drift'], other],
    [['status'], older],
  ])('is read, with one warning: %s', async (args, answers) => {
    const run = await penstock([...args, ...PROD], answers);
    expect([run.code, run.err.match(/warning: /g)]).toEqual([0, ['warning: ']]);
    expect(run.err).toContain(`and this is penstock ${VERSION}`);
    expect(run.out).not.toContain('warning');
  });

  it('is asked for its version once, however many calls follow', async () => {
    const pages: Answer = (_: unknown, call: number) => ({
      imported: [],
      ...(call < 3 && { continue: 'x' }),
    });
    const run = await penstock(['import', '--sandbox', 'dev1', '--all', ...PROD], {
      ...other,
      'lambda:penstock-prod-import': pages,
    });
    expect(run.code).toBe(0);
    expect(run.asked.filter((one) => one === 'lambda:penstock-prod-status')).toHaveLength(1);
    expect(run.asked.filter((one) => one === 'lambda:penstock-prod-import')).toHaveLength(3);
  });

  it('looks at a redrive without sending anything', async () => {
    const run = await penstock(['redrive', 'customers', '--dry-run', ...PROD], other);
    expect(run.err).not.toContain('OTHER_VERSION');
    expect(run.asked).toContain('lambda:penstock-prod-redrive');
  });
});

describe('a stack of this version', () => {
  it('tells the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(stackVersion({ version: true })).toEqual({ version });
  });

  it('is told nothing of it', async () => {
    const run = await penstock(['status', ...PROD]);
    expect(run).toMatchObject({ code: 0, err: '', out: 'No pipeline has been applied here.\n' });
    expect(run.asked).toEqual(['lambda:penstock-prod-status', 'lambda:penstock-prod-status']);
  });
});
