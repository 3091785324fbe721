import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccess } from '../../local/aep/access.ts';
import { startPage } from '../../local/page/server.ts';
import { eventually } from '../support/eventually.ts';
import { manifestOf, ORIGIN, succeeded, toldStack } from '../support/watched.ts';
import { type Browser, launch, looksOfToday, looksRight, open, rowsOf } from './browser.ts';
import { FILE, type Running, samples, startRunning } from './running.ts';

let browser: Browser;
let running: Running;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
  await running.carry(samples(5_000));
});
afterAll(async () => {
  await browser.close();
  await running.close();
});

describe('issue 16: pipelines', () => {
  it.each(looksOfToday())('are drawn with all that they have counted, %s and %s', async (size, scheme) => {
    const { window, errors, context } = await open(browser, running.page, { size, scheme });
    const part = (name: RegExp) => window.getByRole('button', { name });
    await part(/Inlet.*customer-profiles-inlet/).waitFor();
    for (const kind of ['Stream', 'Trigger', 'Flow', 'Mapping', 'Dataset', 'Schema', 'Dead letters'])
      expect(await part(new RegExp(kind)).count()).toBe(1);
    expect(await part(/Stream/).textContent()).toContain('5,000 read');
    await looksRight(window, `pipelines-${size}-${scheme}`);
    await part(/Dead letters/).click();
    await window.getByRole('complementary').getByText('rejected').waitFor();
    await looksRight(window, `pipelines-part-${size}-${scheme}`);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('move while one looks, and show a run that fails with its cause', async () => {
    const { window, errors, context } = await open(browser, running.page);
    await window.getByText('It carries records, and').waitFor();
    const before = running.stack.executions.all.length;
    const refused = {
      ...(JSON.parse(await readFile(FILE, 'utf8')) as object),
      sandbox: 'nowhere',
      name: 'second',
    };
    await running.stack.executions.start({ manifest: refused }).result;
    expect(running.stack.executions.all.length).toBe(before + 1);
    await window.getByRole('option', { name: /second/ }).click();
    await window.getByText('Its execution failed at plan.').waitFor();
    expect(new URL(window.url()).pathname).toBe('/pipelines/second');
    await looksRight(window, 'pipelines-failed');
    await window.getByRole('link', { name: 'Its last run' }).click();
    await window.getByRole('heading', { name: 'apply second' }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });
});

describe('issue 16: requests', () => {
  it.each(looksOfToday())(
    'can be filtered and taken along as curl, by keyboard alone, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, {
        path: '/requests',
        size,
        scheme,
      });
      await rowsOf(window).first().waitFor();
      await window.getByLabel('Find requests').focus();
      await window.keyboard.type('post mappingsets 200');
      await eventually(() => rowsOf(window).count()).toBeGreaterThan(0);
      await window.keyboard.press('Tab');
      await window.keyboard.press('Tab');
      await window.keyboard.press('ArrowDown');
      await window.getByText("--request 'POST'").waitFor();
      expect(
        await window.getByRole('listbox').getByRole('option', { selected: true }).textContent(),
      ).toContain('/mappingSets');
      await looksRight(window, `requests-${size}-${scheme}`);
      expect(errors).toEqual([]);
      await context.close();
    },
  );

  it('are where they were after a reload, and the same in another window', async () => {
    const { window, context } = await open(browser, running.page, { path: '/requests/3' });
    const title = window
      .getByRole('region', { name: 'The request', exact: true })
      .getByRole('heading')
      .first();
    const before = await title.textContent();
    await window.reload();
    expect(await title.textContent()).toBe(before);
    // Another window of this browser has the token, and a link is enough.
    const other = await context.newPage();
    await other.goto(window.url());
    await other.getByText('Number 3,').waitFor();
    expect(window.url()).not.toContain('#');
    await fetch(`${running.stack.platform.origin}/asked/by/hand`);
    for (const one of [window, other]) await one.getByRole('option', { name: /asked\/by\/hand/ }).waitFor();
    await context.close();
  });
});

describe('issue 16: records', () => {
  it.each(looksOfToday())(
    'are found and followed to their row or their reason, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, {
        path: '/records',
        size,
        scheme,
      });
      await window.getByText('5,000 records').waitFor();
      await window.getByLabel('Find records').fill('cust-000017');
      await window.getByText('1 of 5,000 records').waitFor();
      await rowsOf(window).first().click();
      await window.getByText('It has landed: this is its row.').waitFor();
      expect(await window.getByLabel('Its row').textContent()).toContain('"personID": "cust-000017"');
      await looksRight(window, `records-landed-${size}-${scheme}`);
      await window.getByLabel('Find records').fill('martian');
      await rowsOf(window).first().click();
      await window.getByText('AEP received it, and refused its row later.').waitFor();
      await looksRight(window, `records-refused-${size}-${scheme}`);
      await window.getByLabel('Find records').fill('not-json');
      await window.getByText('2 of 5,000 records').waitFor();
      await rowsOf(window).first().click();
      await window.getByText('It is rejected, and kept in the dead-letter store.').waitFor();
      await window.reload();
      await window.getByText('It is rejected, and kept in the dead-letter store.').waitFor();
      expect(errors).toEqual([]);
      await context.close();
    },
  );
});

describe('issue 16: dead letters and datasets', () => {
  it.each(looksOfToday())(
    'show each message with its reason and its record, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, {
        path: '/dead-letters',
        size,
        scheme,
      });
      await window.getByText('4 messages').waitFor();
      await window.getByLabel('Reason').selectOption('not-json');
      await window.getByText('2 of 4 messages').waitFor();
      await window.getByRole('listbox').focus();
      await window.keyboard.press('ArrowDown');
      await window.getByRole('heading', { name: 'The record' }).waitFor();
      expect(await window.getByLabel('The record').textContent()).not.toBe('');
      await looksRight(window, `dead-letters-${size}-${scheme}`);
      expect(errors).toEqual([]);
      await context.close();
    },
  );

  it.each(looksOfToday())(
    'show the rows that landed, and why others were refused, %s and %s',
    async (size, scheme) => {
      const { window, errors, context } = await open(browser, running.page, {
        path: '/datasets',
        size,
        scheme,
      });
      await window.getByRole('option', { name: /customer-profiles-dataset.*1 refused/ }).click();
      await window.getByText('Refused, the newest first').waitFor();
      await window.locator('details.refused summary').first().click();
      await window.getByRole('heading', { name: 'As it was sent' }).waitFor();
      await looksRight(window, `datasets-${size}-${scheme}`);
      const leaf = window.locator('.leaf', { has: window.getByText('firstName', { exact: true }) }).first();
      await leaf.scrollIntoViewIfNeeded();
      expect(await leaf.textContent()).toMatch(/string.*filled by firstName.*field group/);
      await looksRight(window, `schema-${size}-${scheme}`);
      expect(errors).toEqual([]);
      await context.close();
    },
  );
});

describe('issue 16: the page and its server', () => {
  it('tells that the server is gone, and goes on when it is back', async () => {
    const told = toldStack();
    told.told.push(succeeded(manifestOf('first')));
    const access = createAccess();
    let server = await startPage(told, { access });
    const { window, errors, context } = await open(browser, server);
    await window.getByRole('option', { name: /first/ }).waitFor();
    const { origin } = server;
    await server.close();
    await window.getByText('The connection is lost.').waitFor();
    await looksRight(window, 'server-gone');
    told.told.push(succeeded(manifestOf('second')));
    server = await startPage(told, { access, port: Number(new URL(origin).port) });
    await window.getByRole('option', { name: /second/ }).waitFor();
    await window.getByText('Live', { exact: true }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
    await server.close();
  });

  it('shows nothing without the token, and says where it is', async () => {
    const { window, context } = await open(browser, running.page, { isStranger: true });
    await window.getByText('Open the address that the terminal shows').waitFor();
    expect(await rowsOf(window).count()).toBe(0);
    await looksRight(window, 'no-token');
    await context.close();
  });

  it('links the description of all that it can be asked over HTTP', async () => {
    const { window, context } = await open(browser, running.page);
    const opening = context.waitForEvent('page');
    await window.getByRole('link', { name: 'API (OpenAPI)' }).click();
    const opened = await opening;
    await opened.getByText('"openapi":"3.1').waitFor();
    await context.close();
  });

  it("gives another site's page nothing, whatever that asks with", async () => {
    const { window, context } = await open(browser, running.page);
    await window.route('http://elsewhere.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<p>' }),
    );
    await window.goto('http://elsewhere.example/');
    const outcomes = await window.evaluate(async (origin) => {
      const outcome = (asked: Promise<Response>) =>
        asked.then(
          (answer) => answer.type,
          () => 'refused',
        );
      const stream = new Promise((resolve) => {
        const source = new EventSource(`${origin}/api/follow/requests`);
        source.onopen = () => resolve('open');
        source.onerror = () => resolve('refused');
      });
      const socket = new Promise((resolve) => {
        const one = new WebSocket(`${origin.replace('http', 'ws')}/api/follow/requests`);
        one.onopen = () => resolve('open');
        one.onerror = () => resolve('refused');
      });
      const json = { 'content-type': 'application/json' };
      return [
        await outcome(fetch(`${origin}/api/follow/requests`)),
        await outcome(fetch(`${origin}/api/request?number=1`, { method: 'POST', headers: json, body: '{}' })),
        await stream,
        await socket,
      ];
    }, running.page.origin);
    expect(outcomes).toEqual(['refused', 'refused', 'refused', 'refused']);
    await context.close();
  });

  it('tells no number of a list that has not come yet', async () => {
    const { window, context } = await open(browser, running.page);
    // What is asked for never comes.
    await window.route(/\/api\/follow\/(?:records|requests|dead-letters)/, () => undefined);
    for (const area of ['Records', 'Dead letters', 'Requests']) {
      await window.getByRole('link', { name: area }).click();
      await window.getByText('Loading …').first().waitFor();
      expect((await window.locator('.amount').innerText()).trim(), area).toBe('');
    }
    await context.close();
  });

  it('says what to do first where there is nothing yet', async () => {
    const server = await startPage(toldStack());
    const { window, context } = await open(browser, server);
    await window.getByText('There is no pipeline yet.').waitFor();
    await looksRight(window, 'empty-pipelines');
    await window.getByRole('link', { name: 'Dead letters' }).click();
    await window.getByText('Nothing was rejected.').waitFor();
    await looksRight(window, 'empty-dead-letters');
    await window.getByRole('link', { name: 'Datasets' }).click();
    await window.getByText('There is no dataset yet.').waitFor();
    await window.getByRole('link', { name: 'Requests' }).click();
    await window.getByText('Nobody has asked the platform for anything yet.').waitFor();
    await looksRight(window, 'empty-requests');
    await context.close();
    await server.close();
  });

  it('shows HTML and script in a request as the text that it is', async () => {
    const told = toldStack();
    const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const asked = (path: string, body: object) =>
      told.platform.platform.fetch(
        new Request(`${ORIGIN}${path}`, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json', 'x-more': hostile },
        }),
      );
    await asked(`/${encodeURIComponent(hostile)}`, { name: hostile, [hostile]: '\u202Egnp.exe' });
    await asked('/large', { text: 'x'.repeat(10_000_000) });
    const server = await startPage(told);
    const { window, errors, context } = await open(browser, server, { path: '/requests/1' });
    await window.getByLabel('What was sent').getByText(hostile).waitFor();
    expect(await window.locator('img, main script').count()).toBe(0);
    await looksRight(window, 'hostile');
    await rowsOf(window).first().click();
    await window.getByText('10000011').first().waitFor();
    expect(errors).toEqual([]);
    await context.close();
    await server.close();
  });

  it('stays usable with 10,000 pipelines and 100,000 requests: a list has the rows that can be seen', async () => {
    const told = toldStack();
    for (let one = 0; one < 10_000; one++)
      told.told.push(
        succeeded(manifestOf(`p-${one}`, { source: { kind: 'inlet', stream: `s-${one}`, data: 'raw' } })),
      );
    const { platform } = told.platform;
    const call = {
      method: 'GET',
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.alloc(0),
      requestId: 'r',
    };
    for (let one = 1; one <= 100_000; one++)
      platform.journal.record(
        { ...call, path: `/n/${one}` },
        { status: 200, headers: {}, body: {} },
        one,
        1,
        [],
      );
    const server = await startPage(told);
    const { window, errors, context } = await open(browser, server);
    await window.getByLabel('Find a pipeline').fill('p-9999');
    await window.getByRole('heading', { name: 'p-9999' }).waitFor();
    await window.goto(`${server.origin}/requests`);
    await window.getByText('100,000 requests').waitFor();
    expect(await rowsOf(window).count()).toBeLessThan(100);
    await window.getByRole('listbox').focus();
    await window.keyboard.press('End');
    await window.getByText('Number 1,').waitFor();
    await window.getByLabel('Find requests').fill('/n/54321');
    await window.getByText('1 of 100,000 requests').waitFor();
    expect(errors).toEqual([]);
    await context.close();
    await server.close();
  });
});
