// Runs on the page: a plan, a run while it goes on, and one that has failed, in a real browser.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import { startPage } from '../../local/page/server.ts';
import { provision } from '../../local/start/journey.ts';
import { eventually } from '../support/eventually.ts';
import { toldStack } from '../support/watched.ts';
import { type Browser, launch, looksOfToday, looksRight, open, rowsOf } from './browser.ts';
import { FILE, type Running, startRunning } from './running.ts';

const CHANGED = new URL('../../events/samples/customer-profiles.changed.json', import.meta.url);

const manifestAt = async (file: URL) => parseManifestText(await readFile(file, 'utf8'), file.pathname);

let browser: Browser;
let running: Running;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
  const { stack } = running;
  await provision(stack, await manifestAt(CHANGED), { warmUpSeconds: 1, mode: 'plan' });
  const refused = { ...(await manifestAt(FILE)), name: 'second', sandbox: 'nowhere' };
  await stack.executions.start({ manifest: refused }).result;
});
afterAll(async () => {
  await browser.close();
  await running.close();
});

describe('runs on the page', () => {
  it.each(looksOfToday())(
    'are a timeline with what each state asked of AEP, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, { path: '/runs', size, scheme });
      await window.getByRole('option', { name: /apply customer-profiles.*succeeded/ }).click();
      await window.getByRole('heading', { name: 'apply customer-profiles' }).waitFor();
      const schema = window.locator('details', { has: window.getByText('schema', { exact: true }) });
      await schema.locator('summary').focus();
      await window.keyboard.press('Enter');
      await schema.getByText('Meanwhile AEP was asked').waitFor();
      await looksRight(window, `runs-${size}-${scheme}`);
      await window.reload();
      await schema.locator('summary').click();
      await schema.getByRole('listitem').filter({ hasText: 'change' }).getByRole('link').first().click();
      await window.getByText("--request 'POST'").waitFor();
      expect(await window.getByRole('heading', { level: 2 }).textContent()).toMatch(/POST .*schemas/);
      expect(errors).toEqual([]);
      await context.close();
    },
  );

  it.each(looksOfToday())(
    'show a plan as what differs, and what cannot be undone, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, { path: '/runs', size, scheme });
      await window.getByLabel('Find a run').fill('planned');
      await window.getByText('1 of 3 runs').waitFor();
      await window.getByRole('listbox').focus();
      await window.keyboard.press('ArrowDown');
      const change = (name: string) =>
        window.locator('.change', { has: window.getByText(name, { exact: true }) });
      await change('field-group:origin').getByText('create').waitFor();
      expect(await change('flow').textContent()).toContain('replace');
      expect(await change('schema').textContent()).toContain('change in place');
      expect(await window.locator('.difference').count()).toBeGreaterThan(0);
      await window
        .getByLabel('Token of the plan')
        .getByText(/^p\d+\./)
        .waitFor();
      await looksRight(window, `runs-plan-${size}-${scheme}`);
      expect(errors).toEqual([]);
      await context.close();
    },
  );

  it('that have failed say where, why and what to do next', async () => {
    const { window, errors, context } = await open(browser, running.page, { path: '/runs' });
    await window.getByRole('option', { name: /apply second.*failed at plan/ }).click();
    await window.getByText('At plan: AEP_NOT_FOUND', { exact: true }).waitFor();
    await window.locator('.trouble .next').waitFor();
    await window.getByText('It ended before there was a plan.').waitFor();
    await looksRight(window, 'runs-failed');
    expect(errors).toEqual([]);
    await context.close();
  });

  it('move while one looks, and tell how long a warm-up takes yet', async () => {
    const { window, errors, context } = await open(browser, running.page, { path: '/runs' });
    await rowsOf(window).first().waitFor();
    const third = { ...(await manifestAt(FILE)), name: 'third' };
    const execution = running.stack.executions.start({ manifest: third, warmUpSeconds: 600 });
    await window.getByRole('option', { name: /apply third/ }).click();
    const left = window.getByText(/^\d+ s left$/);
    await left.waitFor();
    const first = await left.textContent();
    await eventually(() => left.textContent()).not.toBe(first);
    expect(await window.locator('.change.create').count()).toBeGreaterThan(5);
    await looksRight(window, 'runs-live');
    running.stack.executions.stop(execution.executionArn);
    await window.getByText('ABORTED').first().waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('say what to do first where nothing has run yet', async () => {
    const server = await startPage(toldStack());
    const { window, context } = await open(browser, server, { path: '/runs' });
    await window.getByText('Nothing has run yet.').waitFor();
    await looksRight(window, 'empty-runs');
    await context.close();
    await server.close();
  });
});
