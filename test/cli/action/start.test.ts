// The action as a job of GitHub starts it: a process, its environment, and the event as a file.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { inletManifest } from '../../provision/cases.ts';
import { GITHUB_TOKEN, REPOSITORY, standIn } from '../../support/github.ts';

const START = fileURLToPath(new URL('../../../cli/action/start.ts', import.meta.url));

it('issue 15: a job checks a changed manifest, writes the comment, and never shows its token', async () => {
  await using github = await standIn();
  const workspace = mkdtempSync(join(tmpdir(), 'penstock-job-'));
  try {
    mkdirSync(join(workspace, 'pipelines'));
    writeFileSync(join(workspace, 'pipelines/orders.json'), JSON.stringify(inletManifest()));
    const repo = { full_name: REPOSITORY };
    const event = {
      action: 'opened',
      pull_request: {
        number: 7,
        user: { login: 'octocat' },
        head: { sha: 'a'.repeat(40), repo },
        base: { repo },
      },
    };
    writeFileSync(join(workspace, 'event.json'), JSON.stringify(event));
    github.files.set(7, [{ filename: 'pipelines/orders.json', status: 'added' }]);
    const child = spawn(process.execPath, [START], {
      cwd: workspace,
      env: {
        PATH: process.env.PATH,
        GITHUB_WORKSPACE: workspace,
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_EVENT_PATH: join(workspace, 'event.json'),
        GITHUB_REPOSITORY: REPOSITORY,
        GITHUB_API_URL: github.url,
        GITHUB_TOKEN,
        PENSTOCK_STAGE: '',
        PENSTOCK_FOLDER: './pipelines/',
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
    expect(printed).toContain('pipelines/orders.json: checked');
    expect(code).toBe(0);
    expect(printed).not.toContain(GITHUB_TOKEN);
    expect(github.comments.get(7)?.map(({ body }) => body)).toEqual([
      expect.stringContaining('| <code>pipelines/orders.json</code> | checked |'),
    ]);
  } finally {
    rmSync(workspace, { recursive: true });
  }
});
