// docs/tutorial.md is run as it is printed.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';

const TEXT = readFileSync(new URL('../../../docs/tutorial.md', import.meta.url), 'utf8');
const BLOCKS = Array.from(TEXT.matchAll(/^```sh\n([\s\S]*?)^```$/gm), ([, code = '']) => code);

let server: RunningServer;
let folder: string;
let said: string;

const run = (script: string, env: Record<string, string>): Promise<{ code: unknown; output: string }> =>
  new Promise((resolve) => {
    execFile('sh', ['-c', script], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });

const values = () => {
  const [credential] = server.platform.credentials;
  return {
    PATH: process.env.PATH ?? '',
    PLATFORM: server.origin,
    IMS: server.origin,
    CLIENT_ID: credential?.clientId ?? '',
    CLIENT_SECRET: credential?.clientSecrets[0] ?? '',
    ORG_ID: server.platform.settings.organization,
    SANDBOX: 'dev1',
    WARM_UP: '0',
  };
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-tutorial-'));
  server = await startServer({ port: 0, warmUpMs: 0 });
  const { code, output } = await run(BLOCKS.join('\n'), values());
  said = output;
  expect(code, output).toBe(0);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('12 C 2: the tutorial', () => {
  it('runs as it is printed, to its end, and leaves no token behind', () => {
    expect(BLOCKS.length).toBeGreaterThan(12);
    expect(readdirSync(folder)).toEqual([]);
    expect(said).not.toMatch(/Bearer|simulated-client-secret/);
  });

  it('12 4: shows each answer in lines of its own', () => {
    expect(said.split('\n').filter((line) => line.startsWith('{'))).toHaveLength(4);
    expect(said).toMatch(/\}\n$/);
  });

  it('ends in rows, and in what was refused later', () => {
    const sandbox = server.platform.state.sandboxes.get('dev1');
    const batches = [...(sandbox?.batches.values() ?? [])];
    expect(batches.flatMap(({ rows }) => rows)).toEqual([
      {
        _id: 'c-1',
        personalEmail: { address: 'ana.reis@example.com' },
        person: { name: { firstName: 'Ana', lastName: 'REIS' } },
      },
      {
        _id: 'c-2',
        personalEmail: { address: 'b@example.com' },
        person: { name: { firstName: 'Bo', lastName: 'LI' } },
      },
    ]);
    expect(batches.flatMap(({ refused }) => refused)).toHaveLength(1);
    expect(said).toContain('"status":"failed"');
    expect(said).toMatch(/"responses":\[\{"xactionId"/);
  });

  it('has a flow that reads a stream, which is idle where the platform has none', () => {
    expect(server.platform.sources()).toMatchObject([{ kind: 'kinesis' }]);
  });

  it('loses the quick start’s record, which names no flow', () => {
    const losses = [...server.platform.state.losses.values()];
    expect(losses).toMatchObject([{ reason: 'no flow id', messages: 1 }]);
  });

  it('is right that the quick start is refused without a sandbox', async () => {
    const quick = BLOCKS.at(-1)?.replaceAll(/ -H "x-sandbox-name: \$SANDBOX"/g, '') ?? '';
    const { code, output } = await run(`${BLOCKS[0]}\n${quick}`, values());
    expect(code).not.toBe(0);
    expect(output).toContain('2105-400');
  });

  it('shows what AEP says where it refuses', async () => {
    const mapping = BLOCKS.find((block) => block.startsWith('MAPPING=')) ?? '';
    const { code, output } = await run(`${BLOCKS[0]}\nSCHEMA=x\n${mapping}`, values());
    expect(code).not.toBe(0);
    expect(output).toContain('DPMAP-1001-400');
  });

  it('is right that the gateway refuses a call without a token', async () => {
    const answer = await fetch(`${server.origin}/data/foundation/flowservice/flowSpecs`, {
      headers: { 'x-api-key': 'a', 'x-gw-ims-org-id': 'b', 'x-sandbox-name': 'dev1' },
    });
    expect([answer.status, await answer.json()]).toMatchObject([403, { error_code: '403010' }]);
  });
});
