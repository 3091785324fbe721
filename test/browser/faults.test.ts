import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runOf } from '../../local/aep/faults.ts';
import { startPage } from '../../local/page/server.ts';
import { eventually, until } from '../support/eventually.ts';
import { toldStack } from '../support/watched.ts';
import { type Browser, launch, looksOfToday, looksRight, open } from './browser.ts';
import { type Running, samples, startRunning } from './running.ts';

let browser: Browser;
let running: Running;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
});
afterEach(() => running.stack.platform.platform.faults.clear());
afterAll(async () => {
  await browser.close();
  await running.close();
});

const at = { path: '/faults' } as const;

describe('issue 16: faults and time', () => {
  it.each(looksOfToday())(
    'a storm is switched on, strikes, and is ended, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, { ...at, size, scheme });
      await window.getByText('Nothing is on.').waitFor();
      await looksRight(window, `faults-empty-${size}-${scheme}`);
      await window.getByRole('button', { name: /429 storm/ }).click();
      await window.getByText('429 storm is on.').waitFor();
      const hasStruck = async () => /struck\s+[1-9]/.test(await window.locator('.fault-on').innerText());
      // Every second call on average: a few in a row may be spared.
      await until(async () => {
        await running.carry(samples(200, 7));
        return hasStruck();
      });
      await window.locator('.struck a').first().waitFor();
      await looksRight(window, `faults-${size}-${scheme}`);
      await window.getByRole('button', { name: 'End all' }).click();
      await window.getByText('Nothing is on.').waitFor();
      expect(running.stack.platform.platform.faults.list()).toEqual([]);
      await window.locator('.struck a').first().click();
      await window.getByText('A fault struck: refuse.').waitFor();
      expect(errors).toEqual([]);
      await context.close();
    },
  );

  it('one of your own is made by keyboard alone: its records are rejected, and counted', async () => {
    const { window, errors, context } = await open(browser, running.page, at);
    await window.getByLabel('What happens').focus();
    await window.keyboard.type('some messages');
    await window.getByLabel('HTTP status').focus();
    await window.keyboard.press('ControlOrMeta+A');
    await window.keyboard.type('400');
    await window.keyboard.press('Tab');
    await window.keyboard.press('ControlOrMeta+A');
    await window.keyboard.type('5');
    await window.getByLabel('Only those with the text').focus();
    await window.keyboard.type('cust-00003');
    await window.keyboard.press('Enter');
    await window.getByText('The fault is on.').waitFor();
    await running.carry(samples(50, 3));
    const rejected = async () => {
      const figure = window.getByText('rejected', { exact: true }).first().locator('..');
      return Number((await figure.locator('dd').innerText()).replaceAll(',', ''));
    };
    await window.getByRole('link', { name: 'Pipelines' }).click();
    await eventually(rejected).toBeGreaterThanOrEqual(10);
    await window.getByRole('link', { name: 'Records' }).click();
    await window.getByLabel('Find records').fill('cust-000031 refused');
    await window.getByText(/^1 of [\d,]+ records$/).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('an inlet that has moved is told at its pipeline, until it is back', async () => {
    const { window, errors, context } = await open(browser, running.page, at);
    await window.getByRole('button', { name: /Inlet moved/ }).click();
    await window.getByText('Inlet moved is on.').waitFor();
    const carried = running.carry(samples(20, 9));
    await window.getByRole('link', { name: 'Pipelines' }).click();
    await window.getByText('It needs a look: its inlet refuses every request.').waitFor();
    await window.getByText(/The inlet has refused \d+ requests since it last took one/).waitFor();
    await window.getByText(/received · \d+ refused/).waitFor();
    await looksRight(window, 'pipelines-inlet-moved');
    await window.getByRole('link', { name: 'Faults' }).click();
    await window.getByRole('button', { name: 'End all' }).click();
    await carried;
    await window.getByRole('link', { name: 'Pipelines' }).click();
    await window.getByText('its inlet refuses every request').first().waitFor({ state: 'detached' });
    await window.getByText(/^[\d,]+ received$/).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('the clock goes forward by five minutes and by a day', async () => {
    const { window, errors, context } = await open(browser, running.page, at);
    const { clock } = running.stack.platform.platform;
    const lead = () => clock.now() - Date.now();
    const before = lead();
    await window.getByRole('button', { name: 'Five minutes forward' }).click();
    await window.getByText('The clock went 5 minutes forward.').waitFor();
    await window.getByRole('button', { name: 'One day forward' }).click();
    await window.getByText(/clock is 1 day, 5 minutes ahead/).waitFor();
    expect(Math.round((lead() - before) / 1000)).toBe(86_700);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('are saved as a file that --faults takes and the page opens, and an error of it is told', async () => {
    const { window, errors, context } = await open(browser, running.page, at);
    await window.getByRole('button', { name: /Half the answers lost/ }).click();
    await window.getByRole('button', { name: /IMS down/ }).click();
    await eventually(() => window.locator('.fault-on').count()).toBe(2);
    const saving = window.waitForEvent('download');
    await window.getByRole('button', { name: 'Save as a file' }).click();
    const text = await readFile(await (await saving).path(), 'utf8');
    const { faults } = running.stack.platform.platform;
    expect(runOf(JSON.parse(text))).toEqual({
      seed: faults.seed,
      faults: [
        { kind: 'dropAfter', path: '/collection/**', probability: 0.5 },
        { kind: 'refuse', path: '/ims/**', status: 503 },
      ],
    });
    await window.getByRole('button', { name: 'End all' }).click();
    await window.getByText('Nothing is on.').waitFor();
    const open_ = (name: string, content: string) =>
      window
        .getByLabel('Open a file of faults')
        .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(content) });
    await open_('again.json', text);
    await eventually(() => window.locator('.fault-on').count()).toBe(2);
    await open_('odd.json', '{"kind": "earthquake"}');
    await window.getByText("Fault field 'kind' must be one of").waitFor();
    await looksRight(window, 'faults-refused');
    expect(errors.filter((one) => !one.includes('400'))).toEqual([]);
    await context.close();
  });

  it('say what to do where there is nothing yet', async () => {
    const server = await startPage(toldStack());
    const { window, context } = await open(browser, server, at);
    await window.getByText('Nothing is on. Switch something on').waitFor();
    await window.getByText('No call was struck yet.').waitFor();
    await context.close();
    await server.close();
  });
});
