// docs/simulator.md is run as it is printed: its commands by a shell, its example by plain Python 3.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../../local/aep/server.ts';

const TEXT = readFileSync(new URL('../../../docs/simulator.md', import.meta.url), 'utf8');
const blocksIn = (language: string) =>
  Array.from(
    TEXT.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')),
    ([, code = '']) => code,
  );

let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ port: 0 });
});

afterAll(() => server.close());

function run(
  program: string,
  ...words: string[]
): Promise<{ code: unknown; output: string; errors: string }> {
  // A proxy of this machine would be asked for the loopback address too.
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    SIMULATOR: server.origin,
    no_proxy: '*',
  };
  return new Promise((resolve) => {
    execFile(program, words, { env }, (error, output, errors) =>
      resolve({ code: error === null ? 0 : error.code, output, errors }),
    );
  });
}

async function tenants(): Promise<unknown[]> {
  const answer = await fetch(`${server.origin}/_simulator/tenants`);
  return ((await answer.json()) as { tenants: unknown[] }).tenants;
}

test('its commands make a tenant as it shows, and remove all of them', async () => {
  const [start = '', make = '', remove = '', ...more] = blocksIn('sh');
  expect([start, more]).toEqual(['npm run simulate -- --port 4010\n', []]);
  const made = await run('sh', '-c', make);
  expect(made.code, made.errors).toBe(0);
  const [shown = ''] = blocksIn('json');
  expect(Object.keys(JSON.parse(made.output))).toEqual(Object.keys(JSON.parse(shown)));
  await run('sh', '-c', make);
  expect(await tenants()).toHaveLength(2);
  const removed = await run('sh', '-c', remove);
  expect([removed.code, removed.output, removed.errors]).toEqual([0, '', '']);
  expect(await tenants()).toEqual([]);
});

test('its example prints what it says, and leaves no tenant behind', async () => {
  const [example = ''] = blocksIn('python');
  const { code, output, errors } = await run('python3', '-c', example);
  expect([code, errors]).toEqual([0, '']);
  expect(TEXT).toContain(`It prints \`${output.trim()}\`.`);
  expect(await tenants()).toEqual([]);
});

test('its table has every field that a tenant may be given', async () => {
  const fields = Array.from(TEXT.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name);
  const answer = await fetch(`${server.origin}/_simulator/openapi.json`);
  const { components } = (await answer.json()) as {
    components: { schemas: { TenantOptions: { properties: object } } };
  };
  expect(fields.sort()).toEqual(Object.keys(components.schemas.TenantOptions.properties).sort());
});
