// Measures the page: what its script weighs, and how soon something is seen, and how it keeps up with a busy stream, in Chromium on this machine.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startPage } from '../local/page/server.ts';
import { launch, open } from '../test/browser/browser.ts';
import { manifestOf, succeeded, toldStack } from '../test/support/watched.ts';
import { fedPage } from './page-feed.ts';

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

const { answers, blocked, longest, behind, heap, server } = await fedPage();
told('5,000 records/s: a word is found', answers);
console.log(
  `busy at a stretch: ${(blocked * 100).toFixed(0)} % of the time, ${longest.toFixed(0)} ms at most`,
);
console.log(
  `behind the stream at its end: ${behind.toFixed(0)} ms; heap of the window: ${heap.toFixed(0)} MB`,
);
console.log(`the server and the stream: ${server.toFixed(2)} of a processor`);

function told(what: string, values: readonly number[]): void {
  const [least = 0, middle = 0, most = 0] = [0, 0.5, 1].map(
    (part) => values.toSorted((a, b) => a - b)[Math.round(part * (values.length - 1))],
  );
  console.log(
    `${what}: ${middle.toFixed(0)} ms (${least.toFixed(0)} to ${most.toFixed(0)}, ${values.length} times)`,
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
