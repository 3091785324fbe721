// A browser for the tests of the page: its windows, what went wrong in them, and what axe says of them.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page as Window } from 'playwright-core';
import { expect, inject } from 'vitest';
import type { Page } from '../../local/page/server.ts';
import { ofToday } from '../support/depth.ts';

export type { Browser, Window };

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Kept as a part of what a run leaves behind. */
const SHOTS = fileURLToPath(new URL('../../.penstock/screenshots/', import.meta.url));

export const SIZES = { wide: { width: 1280, height: 860 }, narrow: { width: 400, height: 860 } } as const;

export function launch(): Promise<Browser> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new Error('npm run test:browser needs chromium: apt-get install chromium');
  mkdirSync(SHOTS, { recursive: true });
  // A container's root has no sandbox of chromium's.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

export interface OpenOptions {
  readonly path?: string;
  readonly size?: keyof typeof SIZES;
  readonly scheme?: 'light' | 'dark';
  /** Without the token of the address. */
  readonly isStranger?: boolean;
}

/** A new window with nothing of another's, and all that went wrong in it. */
export async function open(
  browser: Browser,
  page: Page,
  { path = '/', size = 'wide', scheme = 'light', isStranger = false }: OpenOptions = {},
) {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: scheme });
  const window = await context.newPage();
  const errors: string[] = [];
  window.on('pageerror', (error) => errors.push(error.message));
  window.on('dialog', (dialog) => {
    errors.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  // What breaks the page's policy is told as an error of the console.
  window.on('console', (said) => {
    if (said.type() === 'error' && !/ERR_CONNECTION|ERR_INCOMPLETE|401/.test(said.text()))
      errors.push(said.text());
  });
  await window.goto(`${page.origin}${path}${isStranger ? '' : new URL(page.address).hash}`);
  return { window, errors, context };
}

/** Zero violations of WCAG 2.2 AA, and of axe's best practices; a picture of it is kept. */
export async function looksRight(window: Window, name: string): Promise<void> {
  await window.screenshot({ path: `${SHOTS}${name}.png` });
  // Not as an element of the page: its policy would refuse that.
  await window.evaluate(AXE);
  const violations = await window.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Found[] }> } };
    interface Found {
      readonly id: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
    }
    const found = await axe.run();
    return found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((one) => `${one.html} ${one.failureSummary}`).join('\n')}`,
    );
  });
  expect(violations, name).toEqual([]);
  const isWider = await window.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  );
  expect(isWider, `${name} is no wider than its window`).toBe(false);
}

const LOOKS = [
  ['wide', 'light'],
  ['wide', 'dark'],
  ['narrow', 'light'],
  ['narrow', 'dark'],
] as const;

let asked = 0;

/**
 * One of them, the next tomorrow: each journey comes in each width and colour within four days. All, where the whole is
 * asked for. Journeys of one file take different ones.
 */
export function looksOfToday(): (typeof LOOKS)[number][] {
  if (inject('depth') === 'whole') return [...LOOKS];
  const at = ofToday(asked++, LOOKS.length);
  return LOOKS.slice(at, at + 1);
}

/** The rows of the area's list that are there. */
export const rowsOf = (window: Window) => window.getByRole('listbox').getByRole('option');
