// The mapping on the page, tried while one types, in a real browser.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPage } from '../../local/page/server.ts';
import { toldStack } from '../support/watched.ts';
import { type Browser, launch, looksOfToday, looksRight, open } from './browser.ts';
import { type Running, samples, startRunning } from './running.ts';

let browser: Browser;
let running: Running;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
  await running.carry(samples(20));
});
afterAll(async () => {
  await browser.close();
  await running.close();
});

describe('the mapping on the page', () => {
  it.each(looksOfToday())(
    'is tried with a record of the stream, and with what one types, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, {
        path: '/mapping',
        size,
        scheme,
      });
      await window.getByText('AEP takes it.').waitFor();
      await window.getByLabel('Take one').selectOption({ index: 1 });
      const record = window.getByLabel('The record as JSON');
      const xdm = window.getByLabel('The XDM', { exact: true });
      const typed = JSON.stringify({ id: 'typed-1', firstName: 'Ada', nobodyReadsThis: 1 });
      await record.fill(typed);
      await xdm.getByText('"firstName": "Ada"').waitFor();
      await window.getByText('nobodyReadsThis').last().waitFor();
      await looksRight(window, `mapping-${size}-${scheme}`);
      const source = window.getByLabel('Source of row 3');
      await window.getByLabel('Kind of row 3').selectOption('expression');
      await source.focus();
      await window.keyboard.press('ControlOrMeta+A');
      await window.keyboard.type('nope(firstName)');
      await window.getByText('1 row fails: see below.').waitFor();
      expect(await source.getAttribute('aria-invalid')).toBe('true');
      await looksRight(window, `mapping-fault-${size}-${scheme}`);
      await source.fill('upper(firstName)');
      await xdm.getByText('"firstName": "ADA"').waitFor();
      await record.fill('{"id": ');
      await window.getByText(/It is no JSON: /).waitFor();
      await window.reload();
      await window.getByText('AEP takes it.').waitFor();
      expect(errors).toEqual([]);
      await context.close();
    },
  );

  it('drops an answer that is older than what was typed since', async () => {
    const { window, errors, context } = await open(browser, running.page, { path: '/mapping' });
    await window.getByText('AEP takes it.').waitFor();
    const held: (() => void)[] = [];
    await window.route('**/api/mapping', async (route) => {
      const { record } = route.request().postDataJSON() as { record: string };
      if (record.includes('First')) await new Promise<void>((resolve) => held.push(resolve));
      await route.continue().catch(() => undefined);
    });
    const record = window.getByLabel('The record as JSON');
    const asked = window.waitForRequest((request) => (request.postData() ?? '').includes('First'));
    await record.fill('{"id": "1", "firstName": "First"}');
    await asked;
    await record.fill('{"id": "1", "firstName": "Second"}');
    const xdm = window.getByLabel('The XDM', { exact: true });
    await xdm.getByText('"firstName": "Second"').waitFor();
    const late = window.waitForResponse((one) => (one.request().postData() ?? '').includes('First'));
    expect(held).toHaveLength(1);
    for (const go of held) go();
    await late;
    await window.getByLabel('Destination of row 3').focus();
    expect(await xdm.textContent()).toContain('Second');
    expect(errors).toEqual([]);
    await context.close();
  });

  it('says what to do first where there is no pipeline', async () => {
    const server = await startPage(toldStack());
    const { window, context } = await open(browser, server, { path: '/mapping' });
    await window.getByText('Then its mapping can be tried here.').waitFor();
    await looksRight(window, 'empty-mapping');
    await context.close();
    await server.close();
  });
});
