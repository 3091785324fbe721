import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, launch, looksOfToday, looksRight, open, rowsOf } from './browser.ts';
import { type Running, startRunning } from './running.ts';

let browser: Browser;
let running: Running;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
});
afterAll(async () => {
  await browser.close();
  await running.close();
});

const at = { path: '/records' } as const;
const customer = (id: string) =>
  JSON.stringify({
    id,
    firstName: 'Ada',
    lastName: 'L',
    dob: '1990-01-01',
    contact: { email: 'a@b.example' },
  });

describe('issue 16: records put in by hand', () => {
  it.each(looksOfToday())(
    'one is typed, and followed to its row, by keyboard alone, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, { ...at, size, scheme });
      await window.locator('summary', { hasText: 'Put records in' }).focus();
      await window.keyboard.press('Enter');
      await window.keyboard.press('Tab');
      const id = `by-hand-${size}-${scheme}`;
      await window.keyboard.insertText(customer(id));
      await window.keyboard.press('Tab');
      await window.keyboard.type('my-key');
      await window.keyboard.press('Enter');
      await window.getByText('The record is in the stream, and is followed here.').waitFor();
      await window.getByRole('heading', { name: '2 Unpacked' }).waitFor();
      await window.getByText('It is not packed').waitFor();
      expect(await window.getByLabel('As it came').textContent()).toContain(id);
      await window.getByText('my-key', { exact: true }).first().waitFor();
      await looksRight(window, `records-put-${size}-${scheme}`);
      // What becomes of it shows by itself.
      await window.getByText('It has landed: this is its row.').waitFor();
      expect(await window.getByLabel('Its row').textContent()).toContain(id);
      await window.getByText('The message was received.').waitFor();
      await window.getByText('The message was received.').scrollIntoViewIfNeeded();
      expect(await window.getByLabel('Answer 1', { exact: true }).textContent()).toContain('xactionId');
      await looksRight(window, `records-answer-${size}-${scheme}`);
      await window.getByRole('link', { name: /Look at request/ }).focus();
      await window.keyboard.press('Enter');
      await window
        .getByText(/\/collection\/batch\//)
        .first()
        .waitFor();
      expect(errors).toEqual([]);
      await context.close();
    },
  );

  it('a stream that comes first by its name takes nothing away that was typed', async () => {
    const line = { name: 'p', sandbox: 'dev1', health: 'good', says: '', run: '', received: 0, landed: 0 };
    const one = [{ ...line, source: 'customers' }];
    const both = [...one, { ...line, name: 'q', source: 'addresses' }];
    const text = '{"id": "half';
    const typed = Promise.withResolvers<void>();
    const { window, errors, context } = await open(browser, running.page, { path: '/requests' });
    let asked = 0;
    await window.route('**/api/follow/pipelines', async (route) => {
      // Each answer ends, so the page asks again: at first for a list of one, then for both.
      asked += 1;
      if (asked > 1) await typed.promise;
      const set = asked > 1 ? both : one;
      await route.fulfill({ body: `data: ${JSON.stringify({ set, gone: [] })}\n\n` });
    });
    await window.goto(`${running.page.origin}/records`);
    await window.locator('summary', { hasText: 'Put records in' }).click();
    await window.getByLabel('A record, as its producer').fill(text);
    typed.resolve();
    await window.getByRole('option', { name: 'addresses' }).waitFor({ state: 'attached' });
    expect(await window.getByLabel('A record, as its producer').inputValue()).toBe(text);
    expect(await window.getByLabel('Stream').inputValue()).toBe('customers');
    await window.unrouteAll({ behavior: 'ignoreErrors' });
    expect(errors).toEqual([]);
    await context.close();
  });

  it('says of a stream that is not there that it is not, and leads to one that is', async () => {
    const { window, context } = await open(browser, running.page, { path: '/records/nowhere' });
    await window.getByText('No pipeline reads a stream nowhere. Choose another.').waitFor();
    await window.getByLabel('Stream').selectOption('customers');
    await window.getByText(/^\d+ records?$/).waitFor();
    expect(new URL(window.url()).pathname).toBe('/records/customers');
    await context.close();
  });

  it('tells each try of a record: refused at first, received then', async () => {
    const { faults } = running.stack.platform.platform;
    const fault = faults.add({ kind: 'refuse', path: '/collection/**', status: 429, times: 2 });
    const { window, errors, context } = await open(browser, running.page, at);
    await window.locator('summary', { hasText: 'Put records in' }).click();
    await window.getByLabel('A record, as its producer').fill(customer('tried-again'));
    await window.getByRole('button', { name: 'Put it in' }).click();
    await window.getByText('It has landed: this is its row.').waitFor();
    const tries = window.locator('.tries > li');
    expect(await tries.count()).toBe(3);
    expect(await tries.first().textContent()).toMatch(
      /429 The request was refused with 429.*by a fault: refuse/,
    );
    expect(await tries.last().textContent()).toContain('207 The message was received.');
    await tries.first().scrollIntoViewIfNeeded();
    await looksRight(window, 'records-tries');
    faults.remove(fault.id);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('a file has one a line, and what cannot be sent is told with its reason', async () => {
    const { window, errors, context } = await open(browser, running.page, at);
    await window.locator('summary', { hasText: 'Put records in' }).click();
    const buffer = Buffer.from(`${customer('from-file-1')}\r\n\n${customer('from-file-2')}\n{broken\n`);
    await window
      .getByLabel('A file, one record a line')
      .setInputFiles({ name: 'some.ndjson', mimeType: 'application/x-ndjson', buffer });
    await window.getByText('3 records of it are in the stream.').waitFor();
    await running.carry([]);
    await window.getByLabel('Find records').fill('from-file-2');
    await window.getByText(/^1 of \d+ records$/).waitFor();
    await window.getByLabel('Find records').fill('broken not-json');
    await rowsOf(window).first().click();
    await window.getByText('It is rejected, and kept in the dead-letter store.').waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });
});
