// The action as a job of GitHub starts it: a process, its environment, and the event as a file.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inletManifest } from '../../provision/cases.ts';
import { selfSigned } from '../../support/certificate.ts';
import { GITHUB_TOKEN, REPOSITORY, standIn } from '../../support/github.ts';
import { cheapStarts } from '../../support/start.ts';

const START = fileURLToPath(new URL('../../../cli/action/start.ts', import.meta.url));
const FILE = 'pipelines/orders.json';

let workspace: string;

beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), 'penstock-job-'));
  mkdirSync(join(workspace, 'pipelines'));
  writeFileSync(join(workspace, FILE), JSON.stringify(inletManifest()));
  const repo = { full_name: REPOSITORY };
  const pull = {
    number: 7,
    user: { login: 'octocat' },
    head: { sha: 'a'.repeat(40), repo },
    base: { repo },
  };
  writeFileSync(join(workspace, 'event.json'), JSON.stringify({ action: 'opened', pull_request: pull }));
});
afterAll(() => rmSync(workspace, { recursive: true }));

/** A job on a pull request that adds the manifest, without a stage. */
async function job(url: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [START], {
    cwd: workspace,
    env: {
      PATH: process.env.PATH,
      ...cheapStarts(),
      GITHUB_WORKSPACE: workspace,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: join(workspace, 'event.json'),
      GITHUB_REPOSITORY: REPOSITORY,
      GITHUB_API_URL: url,
      GITHUB_TOKEN,
      PENSTOCK_STAGE: '',
      PENSTOCK_FOLDER: './pipelines/',
      ...env,
    },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  const code = await new Promise((resolve) => {
    child.on('close', resolve);
  });
  return { code, printed };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

describe('issue 15: a job', () => {
  it('checks a changed manifest, writes the comment, and never shows its token', async () => {
    await using github = await standIn();
    github.files.set(7, [{ filename: FILE, status: 'added' }]);
    const { code, printed } = await job(github.url);
    expect(printed).toContain(`${FILE}: checked`);
    expect(code).toBe(0);
    expect(printed).not.toContain(GITHUB_TOKEN);
    expect(github.comments.get(7)?.map(({ body }) => body)).toEqual([
      expect.stringContaining(`| <code>${FILE}</code> | checked |`),
    ]);
  });

  it.each([
    ['by way of the proxy', (proxy: string) => ({ HTTPS_PROXY: proxy }), true],
    [
      'as curl reads small letters first',
      (proxy: string) => ({ https_proxy: proxy, HTTPS_PROXY: 'none' }),
      true,
    ],
    [
      'and not where NO_PROXY names its host',
      (proxy: string) => ({ HTTPS_PROXY: proxy, NO_PROXY: '127.0.0.1' }),
      false,
    ],
  ])('asks GitHub %s', async (_, proxies, isProxied) => {
    await using github = await standIn();
    github.files.set(7, [{ filename: FILE, status: 'added' }]);
    const certificate = selfSigned();
    const ca = join(workspace, 'ca.pem');
    writeFileSync(ca, certificate.cert);
    const secure = createTlsServer(certificate, (socket) => {
      const inner = connect(Number(new URL(github.url).port), '127.0.0.1');
      socket.pipe(inner).pipe(socket);
      for (const one of [socket, inner]) one.on('error', () => undefined);
    });
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', ({ url = '' }, socket) => {
      tunnels.push(url);
      const there = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        there.pipe(socket).pipe(there);
      });
      for (const one of [socket, there]) one.on('error', () => undefined);
    });
    const [port, proxyPort] = [await listening(secure), await listening(proxy)];
    try {
      const env = { ...proxies(`http://127.0.0.1:${proxyPort}`), NODE_EXTRA_CA_CERTS: ca };
      const { code, printed } = await job(`https://127.0.0.1:${port}`, env);
      expect({ code, printed }).toMatchObject({
        code: 0,
        printed: expect.stringContaining(`${FILE}: checked`),
      });
      expect(github.comments.get(7)).toHaveLength(1);
      expect(new Set(tunnels)).toEqual(new Set(isProxied ? [`127.0.0.1:${port}`] : []));
    } finally {
      secure.close();
      proxy.close();
    }
  });
});
