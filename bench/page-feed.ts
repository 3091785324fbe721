// A stream of 5,000 records a second, played to the page from a recording: how it keeps up, and how soon it answers.
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { startPage } from '../local/page/server.ts';
import { launch, open } from '../test/browser/browser.ts';
import { manifestOf, succeeded, toldStack } from '../test/support/watched.ts';
import { linesOf } from './records.ts';

const RATE = 5_000;
const SECONDS = 30;
const RECORDS = RATE * SECONDS;
/** How often a word is looked for while the records come. */
const SEARCHES = 9;
const BYTES = 1_000;

export interface FedPage {
  /** From a word typed to the list that shows what fits, in ms. */
  readonly answers: readonly number[];
  /** Of all that time, how much the page was busy for more than 50 ms at a stretch, from 0 to 1. */
  readonly blocked: number;
  /** The longest of these, in ms. */
  readonly longest: number;
  /** From the last record in the stream until the page shows it, in ms. */
  readonly behind: number;
  /** Of JavaScript in the window at the end, in MB. */
  readonly heap: number;
  /** Of this process, which is the server and the stream as well: from 0 to 1, and more with several threads. */
  readonly server: number;
}

/** As long as Kinesis's. */
const numberOf = (at: number) => String(at).padStart(56, '4');

/** A stream of one shard that has as many records as its age allows. */
function played(): { readonly client: KinesisClient; begin(): void; isOver(): boolean } {
  const lines = linesOf(2_000, BYTES).map((line) => Buffer.from(line));
  let began = Number.POSITIVE_INFINITY;
  const there = () =>
    Math.max(0, Math.min(RECORDS, Math.floor(((performance.now() - began) * RATE) / 1_000)));
  const record = (at: number) => ({
    SequenceNumber: numberOf(at),
    PartitionKey: `customer-${at % 977}`,
    ApproximateArrivalTimestamp: new Date(),
    Data: lines[at % lines.length],
  });
  const answers: Record<string, (input: { ShardIterator?: string; Limit?: number }) => object> = {
    ListShardsCommand: () => ({ Shards: [{ ShardId: 'shardId-000000000000' }] }),
    GetShardIteratorCommand: () => ({ ShardIterator: '0' }),
    GetRecordsCommand({ ShardIterator = '0', Limit = 1_000 }) {
      const from = Number(ShardIterator);
      const to = Math.min(there(), from + Limit);
      const Records = Array.from({ length: to - from }, (_, index) => record(from + index));
      return { Records, NextShardIterator: String(to), MillisBehindLatest: 0 };
    },
  };
  const client = {
    send: async (command: { readonly input: object }) => answers[command.constructor.name]?.(command.input),
  };
  return {
    client: client as unknown as KinesisClient,
    begin() {
      began = performance.now();
    },
    isOver: () => there() === RECORDS,
  };
}

const BUSY = `globalThis.busy = { sum: 0, longest: 0 };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    busy.sum += duration;
    busy.longest = Math.max(busy.longest, duration);
  }
}).observe({ type: 'longtask' });`;

export async function fedPage(): Promise<FedPage> {
  const stack = toldStack();
  stack.told.push(succeeded(manifestOf('orders')));
  const stream = played();
  const page = await startPage({ ...stack, streams: { ...stack.streams, client: stream.client } });
  const browser = await launch();
  const { window } = await open(browser, page, { path: '/records/shop' });
  const find = window.getByLabel('Find records');
  await find.waitFor();
  await window.evaluate(BUSY);
  stream.begin();
  const [began, used] = [performance.now(), process.cpuUsage()];
  const answers: number[] = [];
  for (let search = 1; search <= SEARCHES; search++) {
    const until = began + (search * SECONDS * 1_000) / (SEARCHES + 1);
    await window.waitForTimeout(Math.max(0, until - performance.now()));
    const typed = performance.now();
    await find.fill(`customer-${search * 100}`);
    await window.getByText(/^[\d,]+ of [\d,]+ records/).waitFor();
    answers.push(performance.now() - typed);
    await find.fill('');
  }
  while (!stream.isOver()) await window.waitForTimeout(10);
  const over = performance.now();
  await window.getByText(new RegExp(`${numberOf(RECORDS - 1).slice(-12)}$`)).waitFor();
  const behind = performance.now() - over;
  const { user, system } = process.cpuUsage(used);
  const seconds = (performance.now() - began) / 1_000;
  const busy = (await window.evaluate('busy')) as { readonly sum: number; readonly longest: number };
  const heap = (await window.evaluate('performance.memory.usedJSHeapSize')) as number;
  await browser.close();
  await page.close();
  return {
    answers,
    blocked: busy.sum / 1_000 / seconds,
    longest: busy.longest,
    behind,
    heap: heap / 1e6,
    server: (user + system) / 1e6 / seconds,
  };
}
