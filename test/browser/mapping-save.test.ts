// A mapping typed on the page and saved into its manifest, in a real browser.
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import { createAccess } from '../../local/aep/access.ts';
import { type Page, startPage } from '../../local/page/server.ts';
import { editOf } from '../../local/start/edit.ts';
import { watchedOf } from '../../local/start/watched.ts';
import { eventually } from '../support/eventually.ts';
import { type Browser, launch, looksOfToday, looksRight, open, type Window } from './browser.ts';
import { FILE, type Running, startRunning } from './running.ts';

const NAME = 'customer-profiles';
const SAVE = 'Save into the manifest';
const access = createAccess();
const at = { path: '/mapping' } as const;

let browser: Browser;
let running: Running;
let folder: string;
let file: string;
let page: Page;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
});
afterAll(async () => {
  await browser.close();
  await running.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  file = join(folder, `${NAME}.json`);
  await copyFile(FILE, file);
  page = await serve();
});
afterEach(async () => {
  await page.close();
  await rm(folder, { recursive: true });
});

async function serve(port = 0): Promise<Page> {
  const edit = await editOf([{ file, manifest: manifestIn(await readFile(file, 'utf8')) }]);
  return startPage({ ...watchedOf(running.stack), edit }, { access, port });
}

const manifestIn = (text: string) => parseManifestText(text, file);
const now = () => readFile(file, 'utf8');
const sourceOf = (window: Window, row: number) => window.getByLabel(`Source of row ${row}`);
/** A browser tells of every refusal as an error of its own. */
const real = (errors: readonly string[]) => errors.filter((one) => !/status of 4(?:09|22)/.test(one));
const save = (window: Window) => window.getByRole('button', { name: SAVE });

describe('a mapping on the page', () => {
  it.each(looksOfToday())('is saved by keyboard alone, and then applied, %s and %s', async (size, scheme) => {
    const { window, errors, context } = await open(browser, page, { ...at, size, scheme });
    await sourceOf(window, 4).waitFor();
    expect(await save(window).getAttribute('aria-disabled')).toBe('true');
    await sourceOf(window, 4).focus();
    await window.keyboard.press('ControlOrMeta+A');
    await window.keyboard.type('familyName');
    while ((await window.evaluate('document.activeElement?.textContent')) !== SAVE)
      await window.keyboard.press('Tab');
    await window.keyboard.press('Enter');
    await window.getByText('It is saved.').waitFor();
    const before = await readFile(FILE, 'utf8');
    expect(await now()).toBe(before.replace('"source": "lastName"', '"source": "familyName"'));
    await window.getByText('The rows of the file are not in force yet.').waitFor();
    expect(await window.getByLabel('How to apply it').textContent()).toContain(`apply --local ${file}`);
    await window.getByText('It is saved.').scrollIntoViewIfNeeded();
    await looksRight(window, `mapping-saved-${size}-${scheme}`);
    // Once that is applied, nothing is left to do.
    const applied = await running.stack.executions.start({ manifest: JSON.parse(await now()) }).result;
    expect(applied.status).toBe('SUCCEEDED');
    await window.getByText('The rows of the file are not in force yet.').waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
    await context.close();
    await running.stack.executions.start({ manifest: JSON.parse(before) }).result;
  });

  it.each(['light', 'dark'] as const)(
    'is not saved with mistakes, which stand in place, %s',
    async (scheme) => {
      const { window, errors, context } = await open(browser, page, { ...at, scheme });
      await window.getByLabel('Destination of row 4').fill('person.name.firstName');
      await save(window).click();
      await window.getByText('Nothing is saved: the check finds mistakes.').waitFor();
      const row = window.locator('.rows li').nth(3);
      await row.getByText('as another row does').waitFor();
      await window.getByText(/mapping\.3: /).scrollIntoViewIfNeeded();
      await looksRight(window, `mapping-refused-${scheme}`);
      expect(await now()).toBe(await readFile(FILE, 'utf8'));
      await window.getByRole('button', { name: "Back to the manifest's rows" }).click();
      await window.getByText('Nothing is saved: the check finds mistakes.').waitFor({ state: 'detached' });
      expect(real(errors)).toEqual([]);
      await context.close();
    },
  );

  it('is not saved over what another window has saved: it is read anew', async () => {
    const one = await open(browser, page, at);
    const other = await open(browser, page, at);
    for (const { window } of [one, other]) await sourceOf(window, 3).waitFor();
    await sourceOf(one.window, 3).fill('first');
    await sourceOf(other.window, 4).fill('second');
    await save(one.window).click();
    await one.window.getByText('It is saved.').waitFor();
    await save(other.window).click();
    await other.window.getByText('has changed since it was read.').waitFor();
    expect(await sourceOf(other.window, 4).inputValue()).toBe('second');
    await looksRight(other.window, 'mapping-changed');
    expect(await now()).toContain('"first"');
    await other.window.getByRole('button', { name: 'Read it anew' }).click();
    await eventually(() => sourceOf(other.window, 3).inputValue()).toBe('first');
    await sourceOf(other.window, 4).fill('second');
    await save(other.window).click();
    await other.window.getByText('It is saved.').waitFor();
    const { mapping = [] } = manifestIn(await now());
    expect(mapping.slice(2, 4)).toMatchObject([{ source: 'first' }, { source: 'second' }]);
    for (const { errors, context } of [one, other]) {
      expect(real(errors)).toEqual([]);
      await context.close();
    }
  });

  it('keeps what was typed while the server is gone, and is saved once it is back', async () => {
    const { window, context } = await open(browser, page, at);
    await sourceOf(window, 3).fill('given');
    const port = Number(new URL(page.origin).port);
    await page.close();
    await save(window).click();
    await window.getByText('The server cannot be reached.').last().waitFor();
    page = await serve(port);
    await window.getByText('Live', { exact: true }).waitFor();
    expect(await sourceOf(window, 3).inputValue()).toBe('given');
    await save(window).click();
    await window.getByText('It is saved.').waitFor();
    expect(await now()).toContain('"source": "given"');
    await context.close();
  });

  it('says how saving is switched on, where it is not', async () => {
    const { window, context } = await open(browser, running.page, at);
    await window.getByText('npm start -- --keep --edit').waitFor();
    expect(await save(window).count()).toBe(0);
    await looksRight(window, 'mapping-not-saved');
    await context.close();
    await writeFile(file, '{');
    const broken = await open(browser, page, at);
    await broken.window.getByText('The file cannot be saved.').waitFor();
    await looksRight(broken.window, 'mapping-unreadable');
    await broken.context.close();
  });
});
