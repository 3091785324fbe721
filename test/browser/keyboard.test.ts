// Each area by keyboard alone, in a real browser: what has the focus is seen, can be used, and does not vanish.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifestText } from '../../lib/manifest.ts';
import { startPage } from '../../local/page/server.ts';
import { editOf } from '../../local/start/edit.ts';
import { watchedOf } from '../../local/start/watched.ts';
import { eventually } from '../support/eventually.ts';
import { type Browser, launch, looksRight, open, rowsOf, type Window } from './browser.ts';
import { FILE, type Running, samples, startRunning } from './running.ts';

let browser: Browser;
let running: Running;

beforeAll(async () => {
  browser = await launch();
  running = await startRunning();
  await running.carry(samples(200));
  await running.carry([{ number: 1, bytes: Buffer.from('{broken') }]);
});
afterAll(async () => {
  await browser.close();
  await running.close();
});

interface Focus {
  /** What it is, and what it is called. */
  readonly what: string;
  /** What is wrong with how it is seen; empty where nothing is. */
  readonly fault: string;
}

/** A part of what has the focus may lie outside of the window, but not its middle. */
const FOCUS = `(() => {
  const it = document.activeElement;
  const named = it.getAttribute('aria-label') ?? it.labels?.[0]?.textContent ?? it.textContent;
  const what = (it.localName + ' ' + named.replace(/\\s+/g, ' ').trim()).slice(0, 120);
  if (it === document.body) return { what, fault: 'nothing has the focus' };
  const shown = it.type === 'file' ? it.closest('label') : it;
  const { outlineStyle, outlineWidth, outlineColor, outlineOffset, backgroundColor } = getComputedStyle(shown);
  if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) return { what, fault: 'no outline' };
  if (parseFloat(outlineOffset) < 0 && outlineColor === backgroundColor)
    return { what, fault: 'an outline of the colour on which it lies' };
  const { left, right, top, bottom } = shown.getBoundingClientRect();
  const x = (Math.max(0, left) + Math.min(innerWidth, right)) / 2;
  const y = (Math.max(0, top) + Math.min(innerHeight, bottom)) / 2;
  if (bottom <= 0 || top >= innerHeight || right <= 0 || left >= innerWidth) return { what, fault: 'out of sight' };
  const above = document.elementFromPoint(x, y);
  const isFree = shown.contains(above) || above?.contains(shown);
  return { what, fault: isFree ? '' : 'covered by ' + above?.className };
})()`;

const focusIn = async (window: Window) => (await window.evaluate(FOCUS)) as Focus;

/** More stops than any area has. */
const MOST_STOPS = 400;

/** Tab by Tab; each stop on the way is seen. */
async function tabTo(window: Window, wanted: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await window.keyboard.press('Tab');
    const { what, fault } = await focusIn(window);
    // Behind the last stop the browser's own parts have it.
    if (fault === 'nothing has the focus' && stop > 0) continue;
    expect(fault, what).toBe('');
    if (wanted.test(what)) return;
    seen.push(what);
  }
  throw new Error(`no Tab comes to ${wanted}: ${[...new Set(seen)].join(', ')}`);
}

const press = async (window: Window, ...keys: readonly string[]) => {
  for (const key of keys) await window.keyboard.press(key);
};

/** What had the focus is gone, or waits: something else that is seen has it, or the same. */
const focusIsKept = (window: Window) => eventually(async () => (await focusIn(window)).fault).toBe('');

type Journey = (window: Window) => Promise<void>;

const JOURNEYS: Readonly<Record<string, Journey>> = {
  async pipelines(window) {
    await window.getByRole('button', { name: /Dead letters/ }).waitFor();
    await press(window, 'Tab');
    expect((await focusIn(window)).what).toBe('a To the content');
    await press(window, 'Enter');
    expect((await focusIn(window)).what).toMatch(/^main /);
    await tabTo(window, /^input Find a pipeline/);
    await window.keyboard.type('customer');
    await tabTo(window, /^button .*Dead letters/);
    await press(window, 'Enter');
    await window.getByRole('complementary').getByText('rejected').waitFor();
    await tabTo(window, /^button Close/);
    await press(window, 'Enter');
    await window.getByRole('complementary').waitFor({ state: 'detached' });
    await focusIsKept(window);
    await press(window, 'Shift+Tab');
    await tabTo(window, /^a Its last run/);
    await press(window, 'Enter');
    await window.getByRole('heading', { name: 'apply customer-profiles' }).waitFor();
    await focusIsKept(window);
  },
  async runs(window) {
    await window.getByRole('heading', { name: 'apply customer-profiles' }).waitFor();
    await tabTo(window, /^input Find a run/);
    await window.keyboard.type('apply');
    await tabTo(window, /^div Runs, the newest first/);
    await press(window, 'Home');
    await window.locator('summary').first().waitFor();
    await tabTo(window, /^summary .*plan/);
    await press(window, 'Enter');
    await tabTo(window, /^a \/data\//);
    await press(window, 'Enter');
    await window.getByText(/^Number \d/).waitFor();
    await focusIsKept(window);
  },
  async records(window) {
    await window.getByText('201 records').waitFor();
    await tabTo(window, /^input Find records/);
    await window.keyboard.type('cust-000017');
    await window.getByText('1 of 201 records').waitFor();
    await tabTo(window, /^div Records, the newest first/);
    await press(window, 'ArrowDown');
    await window.getByText('It has landed: this is its row.').waitFor();
    await tabTo(window, /^section Answer 1/);
    await tabTo(window, /^section Its row/);
  },
  async mapping(window) {
    await window.getByText('AEP takes it.').waitFor();
    await tabTo(window, /^textarea The record as JSON/);
    await tabTo(window, /^input Source of row 10/);
    await tabTo(window, /^button Remove row 10/);
    await press(window, 'Enter');
    await focusIsKept(window);
    await tabTo(window, /^button Add a row/);
    await press(window, 'Enter');
    // A row that was added is typed at once.
    await eventually(async () => (await focusIn(window)).what).toMatch(/^input Source of row 10/);
    await focusIsKept(window);
    await tabTo(window, /^button Save into the manifest/);
    await tabTo(window, /^button Back to the manifest's rows/);
    await press(window, 'Enter');
    await window
      .getByLabel('Source of row 10')
      .and(window.locator('[value=""]'))
      .waitFor({ state: 'detached' });
    await focusIsKept(window);
  },
  async datasets(window) {
    await window.getByRole('option', { name: /customer-profiles-dataset/ }).waitFor();
    await tabTo(window, /^input Find a dataset/);
    await window.keyboard.type('customer');
    await tabTo(window, /^div Datasets/);
    await press(window, 'Home');
    await window.getByRole('region', { name: /^Row 1/ }).waitFor();
    await tabTo(window, /^section Row 1/);
    await tabTo(window, /^summary .*_id/);
    await press(window, 'Enter');
    await tabTo(window, /^section Row 2/);
  },
  async 'dead-letters'(window) {
    await rowsOf(window).first().waitFor();
    await tabTo(window, /^select Reason/);
    await press(window, 'n');
    await eventually(() => window.getByLabel('Reason').inputValue()).toBe('not-json');
    await tabTo(window, /^div Dead letters, the newest first/);
    await press(window, 'ArrowDown');
    await window.getByRole('heading', { name: 'The record' }).waitFor();
    await tabTo(window, /^button Send (?:it|this) again/);
    await press(window, 'Enter');
    await window.getByText('Nothing is sent yet.').waitFor();
    await focusIsKept(window);
    await tabTo(window, /^button (?:Cancel|Close)/);
    await press(window, 'Enter');
    await window.getByRole('region', { name: 'Send again' }).waitFor({ state: 'detached' });
    await focusIsKept(window);
  },
  async requests(window) {
    await rowsOf(window).first().waitFor();
    await tabTo(window, /^input Find requests/);
    await window.keyboard.type('collection 207');
    await tabTo(window, /^select Outcome/);
    await tabTo(window, /^div Requests/);
    await press(window, 'End');
    // Tab comes only to what is there already.
    await window.getByRole('button', { name: /^Copy/ }).first().waitFor();
    await tabTo(window, /^button Copy/);
    await press(window, 'Enter');
    await focusIsKept(window);
  },
  async charts(window) {
    await window.getByRole('figure').first().waitFor();
    await tabTo(window, /^section Charts of the last/);
    await tabTo(window, /^summary .* as a table/);
    await press(window, 'Enter');
    await tabTo(window, /^section .*, a table/);
  },
  async faults(window) {
    await window.getByText('Ready to switch on').waitFor();
    await tabTo(window, /^button 429 storm/);
    await press(window, 'Enter');
    await window.getByText('429 storm is on.').waitFor();
    // The same button still has it: what is pressed twice works twice.
    expect((await focusIn(window)).what).toMatch(/^button 429 storm/);
    await tabTo(window, /^button Five minutes forward/);
    await press(window, 'Enter');
    await window.getByText('The clock went 5 minutes forward.').waitFor();
    expect((await focusIn(window)).what).toMatch(/^button Five minutes forward/);
    await tabTo(window, /^button Switch this fault on/);
    await tabTo(window, /^button End: /);
    await press(window, 'Enter');
    await window.getByText('The fault is ended.').waitFor();
    await focusIsKept(window);
    await tabTo(window, /^input Open a file of faults/);
  },
};

describe('the page by keyboard alone', () => {
  it.each(
    Object.entries(JOURNEYS).map(([area, journey], index) => ({
      area,
      journey,
      scheme: index % 2 === 0 ? ('light' as const) : ('dark' as const),
    })),
  )('goes through $area, and what has the focus is seen, $scheme', async ({ area, journey, scheme }) => {
    const file = fileURLToPath(FILE);
    const manifest = parseManifestText(await readFile(file, 'utf8'), file);
    const edit = await editOf([{ file, manifest }]);
    const page = await startPage({ ...watchedOf(running.stack), edit });
    const { window, errors, context } = await open(browser, page, { path: `/${area}`, scheme });
    await journey(window);
    await looksRight(window, `keyboard-${area}-${scheme}`);
    expect(errors).toEqual([]);
    await context.close();
    await page.close();
  });
});
