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
  await running.carry(samples(3_000));
});
afterAll(async () => {
  await browser.close();
  await running.close();
});

const TITLES = [
  'Records a second',
  'Rejects by reason',
  'From arrival to acceptance',
  'Messages in a request',
  'Requests in flight',
  'Retry budget',
];

describe('issue 16: charts', () => {
  it.each(looksOfToday())('are drawn, and are tables by keyboard alone, %s and %s', async (size, scheme) => {
    const { window, errors, context } = await open(browser, running.page, { path: '/charts', size, scheme });
    for (const name of TITLES) await window.getByRole('heading', { name, exact: true }).waitFor();
    expect(await window.locator('.chart canvas').count()).toBe(TITLES.length);
    await looksRight(window, `charts-${size}-${scheme}`);
    for (const name of ['Records a second', 'Rejects by reason']) {
      await window.getByText(`${name} as a table`).focus();
      await window.keyboard.press('Enter');
    }
    const rates = window.getByRole('table', { name: /Records a second/ });
    const heads = rates.getByRole('columnheader');
    expect(await heads.allInnerTexts()).toEqual(['Time', 'customer-profiles in', 'customer-profiles out']);
    expect(await rates.getByRole('cell').filter({ hasText: /[1-9]/ }).count()).toBeGreaterThan(0);
    await window
      .getByRole('table', { name: /Rejects by reason/ })
      .getByText('not-json')
      .waitFor();
    await looksRight(window, `charts-tables-${size}-${scheme}`);
    // The policy of the page refused nothing of what the library does.
    expect(errors).toEqual([]);
    await context.close();
  });

  it('say what to do where nothing has come yet', async () => {
    const server = await startPage(toldStack());
    const { window, errors, context } = await open(browser, server, { path: '/charts' });
    await window.getByText('No record has come in the last ten minutes.').waitFor();
    await looksRight(window, 'charts-empty');
    expect(errors).toEqual([]);
    await context.close();
    await server.close();
  });
});
