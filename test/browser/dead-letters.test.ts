import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, launch, looksOfToday, looksRight, open, rowsOf } from './browser.ts';
import { type Running, samples, startRunning } from './running.ts';

let browser: Browser;
let running: Running;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
  // Ten records are refused for a while, and nothing is wrong with them.
  const { faults } = running.stack.platform.platform;
  faults.add({ kind: 'partial', path: '/collection/batch/*', status: 400, containing: 'cust-00003' });
  await running.carry(samples(100, 3));
  faults.clear();
});
afterAll(async () => {
  await browser.close();
  await running.close();
});

const at = { path: '/dead-letters' } as const;

describe('issue 16: dead letters sent again', () => {
  it.each(looksOfToday())(
    'one of them, after a dry run, by keyboard alone, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, { ...at, size, scheme });
      await rowsOf(window).first().waitFor();
      const before = running.stack.platform.platform.state.counts.received;
      await window.getByLabel('Reason').selectOption('refused');
      await window.getByRole('listbox').focus();
      await window.keyboard.press('ArrowDown');
      const one = window.getByRole('button', { name: 'Send this one again' });
      await one.focus();
      await window.keyboard.press('Enter');
      await window.getByText('Nothing is sent yet.').waitFor();
      expect(running.stack.platform.platform.state.counts.received).toBe(before);
      await looksRight(window, `redrive-dry-${size}-${scheme}`);
      await window.getByRole('button', { name: 'Send 1 now' }).focus();
      await window.keyboard.press('Enter');
      await window.getByText('1 of 1 delivered.').waitFor();
      expect(running.stack.platform.platform.state.counts.received).toBe(before + 1);
      await window.getByText('This message is not in the store any more').waitFor();
      await looksRight(window, `redrive-sent-${size}-${scheme}`);
      expect(errors.filter((error) => !error.includes('404'))).toEqual([]);
      await context.close();
    },
  );

  it('all of a reason at once, until nothing is left', async () => {
    const { window, errors, context } = await open(browser, running.page, at);
    await window.getByLabel('Reason').selectOption('refused');
    await window.getByRole('button', { name: /Send these \d+ again/ }).click();
    await window.getByRole('button', { name: /Send \d+ now/ }).click();
    await window.getByText(/(\d+) of \1 delivered\./).waitFor();
    await window.getByRole('button', { name: 'Close' }).click();
    await window.getByText('Nothing was rejected.').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('what would be rejected again is told before, and is not sent', async () => {
    await running.carry([{ number: 1, bytes: Buffer.from('{broken') }]);
    const { window, errors, context } = await open(browser, running.page, at);
    await window.getByLabel('Reason').selectOption('not-json');
    await window
      .getByRole('button', { name: /Send .* again/ })
      .first()
      .click();
    await window.getByText('would be rejected again').waitFor();
    await window.getByText('Nothing is sent yet.').waitFor();
    expect(await window.getByRole('button', { name: /now$/ }).count()).toBe(0);
    await window.getByRole('button', { name: 'Cancel' }).click();
    expect(errors).toEqual([]);
    await context.close();
  });
});
