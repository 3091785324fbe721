// Actions on the page of a deployed stage, in a real browser: by keyboard, twice at once, and with a reload in the middle.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ActingStage, actingStage, type StartedConsole, startConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';
import { type Browser, launch, looksOfToday, looksRight, open, rowsOf } from './browser.ts';
import { FILE } from './running.ts';

let folder: string;
let browser: Browser;
let started: StartedConsole | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-actions-'));
  await mkdir(join(folder, 'pipelines'));
  await copyFile(FILE, join(folder, 'pipelines/customer-profiles.json'));
  browser = await launch();
});
afterEach(async () => {
  await started?.stop();
  started = undefined;
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

async function opened(stage: ActingStage, options: Parameters<typeof open>[2] = {}, where = folder) {
  started = await startConsole(stage.answers, ['--allow-actions'], where);
  const { address, origin } = started;
  return open(browser, { address, origin, close: async () => undefined }, options);
}

const modes = ({ inputs }: ActingStage) => inputs.map(({ mode }) => mode);

describe('actions on the page of a stage', () => {
  it.each(looksOfToday())(
    'a manifest is planned and applied by keyboard alone, %s and %s',
    async (size, scheme) => {
      const stage = actingStage({ type: 'production' });
      const { window, errors, context } = await opened(stage, { path: '/actions', size, scheme });
      await window.getByText('Nothing was done from here yet.').waitFor();
      expect(await window.getByLabel('Manifest of this folder').inputValue()).toBe(
        'pipelines/customer-profiles.json',
      );
      await looksRight(window, `console-actions-empty-${size}-${scheme}`);
      await window.getByRole('button', { name: 'Plan it' }).focus();
      await window.keyboard.press('Enter');
      await window.getByText('Nothing is changed yet.').waitFor();
      await window.locator('.difference').getByText('upper(id)').waitFor();
      await looksRight(window, `console-actions-plan-${size}-${scheme}`);
      // Nothing is typed: the first empty name is gone to, and nothing is sent.
      await window.getByRole('button', { name: 'Apply this plan' }).focus();
      await window.keyboard.press('Enter');
      await window.getByLabel('Type the name of the stage: prod').and(window.locator(':focus')).waitFor();
      await window.keyboard.type('dev');
      await window.keyboard.press('Tab');
      await window.keyboard.type('dev1');
      await window.keyboard.press('Enter');
      await window.getByText('WRONG_STAGE').waitFor();
      expect(modes(stage)).toEqual(['plan']);
      await looksRight(window, `console-actions-refused-${size}-${scheme}`);
      await window.getByLabel('Type the name of the stage: prod').fill('prod');
      await window.keyboard.press('Enter');
      await window.getByText('It is under way.').waitFor();
      await looksRight(window, `console-actions-acting-${size}-${scheme}`);
      stage.release();
      await window.getByText('It is done.').waitFor();
      await looksRight(window, `console-actions-done-${size}-${scheme}`);
      expect(stage.inputs).toMatchObject([
        { mode: 'plan' },
        { mode: 'apply', token: 'p3.abc', sandbox: 'dev1' },
      ]);
      await window.getByRole('link', { name: 'Look at the execution' }).click();
      await window.getByRole('heading', { name: 'apply customer-profiles' }).waitFor();
      // A refusal is told by the browser, too.
      expect(errors.filter((error) => !error.includes('400'))).toEqual([]);
      await context.close();
    },
  );

  it('a double click acts once, and a page that is reloaded finds the execution at work', async () => {
    const stage = actingStage();
    const { window, errors, context } = await opened(stage, { path: '/actions' });
    await window.getByRole('button', { name: 'Plan it' }).click();
    await window.getByLabel('Type the name of the stage').fill('prod');
    await window.getByRole('button', { name: 'Apply this plan' }).dblclick();
    await window.getByText('It is under way.').waitFor();
    await eventually(() => modes(stage)).toEqual(['plan', 'apply']);
    await window.reload();
    await window.getByText('It is under way.').waitFor();
    await window.getByRole('link', { name: 'Look at the execution' }).waitFor();
    const second = await context.newPage();
    await second.goto(window.url());
    await second.getByText('It is under way.').waitFor();
    stage.release();
    for (const one of [window, second]) await one.getByText('It is done.').waitFor();
    expect(modes(stage)).toEqual(['plan', 'apply']);
    expect(errors).toEqual([]);
    await context.close();
  });

  it.each([
    ['wide', 'light'],
    ['wide', 'dark'],
  ] as const)('a dead letter is sent again after a dry run, %s and %s', async (size, scheme) => {
    const stage = actingStage();
    const { window, errors, context } = await opened(stage, { path: '/dead-letters', size, scheme });
    await window.getByText('1 document, the oldest first').waitFor();
    await rowsOf(window).first().click();
    await window.getByRole('listbox', { name: 'Messages' }).focus();
    await window.keyboard.press('ArrowDown');
    await window.getByRole('button', { name: 'Send this one again' }).waitFor();
    await looksRight(window, `console-actions-dead-letters-${size}-${scheme}`);
    await window.getByRole('button', { name: 'Send this one again' }).focus();
    await window.keyboard.press('Enter');
    await window.getByRole('heading', { name: 'redrive one message of orders' }).waitFor();
    await window.getByLabel('Type the name of the stage').fill('prod');
    expect(stage.redrives).toMatchObject([{ dryRun: true, where: { reasons: ['not-json'] } }]);
    await looksRight(window, `console-actions-redrive-${size}-${scheme}`);
    await window.getByRole('button', { name: 'Send 2 now' }).dblclick();
    await window.getByText('It is done.').waitFor();
    expect(stage.redrives.filter(({ dryRun }) => dryRun !== true)).toHaveLength(1);
    await looksRight(window, `console-actions-sent-${size}-${scheme}`);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('what fails says why, and a folder without manifests says what to do', async () => {
    const stage = actingStage({ isFailing: true });
    stage.release();
    const { window, context } = await opened(stage, { path: '/actions' });
    await window.getByRole('button', { name: 'Plan it' }).click();
    await window.getByLabel('Type the name of the stage').fill('prod');
    await window.getByRole('button', { name: 'Apply this plan' }).click();
    await window.getByRole('alert').getByText('CONFLICT').waitFor();
    await looksRight(window, 'console-actions-failed');
    await context.close();
    await started?.stop();
    const empty = await mkdtemp(join(folder, 'empty-'));
    const other = await opened(actingStage(), { path: '/actions' }, empty);
    await other.window.getByText('There is no manifest in this folder.').waitFor();
    await looksRight(other.window, 'console-actions-no-manifest');
    await other.context.close();
  });
});
