// Measures the page: what its script weighs, and how soon something is seen, in Chromium on this machine.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startPage } from '../local/page/server.ts';
import { launch, open } from '../test/browser/browser.ts';
import { manifestOf, succeeded, toldStack } from '../test/support/watched.ts';

const ROUNDS = 9;
const BUILT = fileURLToPath(new URL('../dist/page/assets/', import.meta.url));

for (const file of globSync('*.{js,css}', { cwd: BUILT })) {
  const content = readFileSync(`${BUILT}${file}`);
  console.log(
    `${file}: ${kilobytes(content.length)}, ${kilobytes(gzipSync(content, { level: 9 }).length)} gzip`,
  );
}

const stack = toldStack();
stack.told.push(succeeded(manifestOf('orders')));
const page = await startPage(stack);
const browser = await launch();
const [paints, pictures]: [number[], number[]] = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  const { window, context } = await open(browser, page);
  await window.getByRole('button', { name: /Schema/ }).waitFor();
  pictures.push(await window.evaluate('performance.now()'));
  paints.push(
    await window.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"),
  );
  await context.close();
}
await browser.close();
await page.close();
told('first paint', paints);
told('the picture is there', pictures);

function told(what: string, values: readonly number[]): void {
  const [least = 0, middle = 0, most = 0] = [0, 0.5, 1].map(
    (part) => values.toSorted((a, b) => a - b)[Math.round(part * (values.length - 1))],
  );
  console.log(
    `${what}: ${middle.toFixed(0)} ms (${least.toFixed(0)} to ${most.toFixed(0)}, ${values.length} windows)`,
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
