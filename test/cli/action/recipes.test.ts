// The recipes of docs/pull-requests.md for GitLab and CodeBuild: their commands as printed, in bash, with a stand-in for penstock and npm.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const PAGE = readFileSync(new URL('../../../docs/pull-requests.md', import.meta.url), 'utf8');

function yamlOf(heading: string): unknown {
  const [, after = ''] = PAGE.split(`\n## ${heading}\n`);
  return parse(/```yaml\n([\s\S]*?)```/.exec(after)?.[1] ?? '');
}

const gitLab = yamlOf('On GitLab') as { penstock: { script: string[]; artifacts: { paths: string[] } } };
const codeBuild = yamlOf('In CodeBuild') as {
  phases: Record<'install' | 'build', { commands: string[] }>;
  artifacts: { files: string[] };
};

const RECIPES = [
  // One shell for all lines, which ends at the first that fails.
  ['GitLab', gitLab.penstock.script, gitLab.penstock.artifacts.paths],
  [
    'CodeBuild',
    [...codeBuild.phases.install.commands, ...codeBuild.phases.build.commands],
    codeBuild.artifacts.files,
  ],
] as const;

/** Answers `check` and `plan` with these exit codes. */
async function run(lines: readonly string[], codes: Record<'check' | 'plan', number>) {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-recipe-'));
  const command = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  command('npm', 'exit 0');
  command(
    'node',
    `echo "$*" >> "${folder}/asked"\necho "Token: p1.x"\ncase "$2" in check) exit ${codes.check};; plan) exit ${codes.plan};; esac`,
  );
  try {
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const ended = await promisify(execFile)('bash', ['-eo', 'pipefail', '-c', lines.join('\n')], {
      cwd: folder,
      env,
    }).then(
      () => 0,
      ({ code }: { code: number }) => code,
    );
    return { ended, asked: readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(RECIPES)('the recipe for %s', (_, lines, artifacts) => {
  it('checks all manifests, then plans one, and keeps what the plan says', async () => {
    const { asked } = await run(lines, { check: 0, plan: 2 });
    expect(asked).toHaveLength(2);
    expect(asked[0]).toBe('bin/penstock.js check');
    expect(asked[1]).toMatch(/^bin\/penstock\.js plan pipelines\/orders\.json --stage prod( --json)?$/);
    expect(artifacts).toHaveLength(1);
    expect(lines.join('\n')).toContain(`> ${artifacts[0]} `);
  });

  // 137: the process was killed, and its plan is half a plan.
  it.each([
    [0, 0, 0],
    [0, 2, 0],
    [0, 1, 1],
    [0, 137, 1],
    [1, 0, 1],
  ])('check ends with %d, plan with %d: the job with %d', async (check, plan, ended) => {
    expect((await run(lines, { check, plan })).ended).toBe(ended);
  });
});
