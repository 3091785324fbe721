// The runbook: every query in it finds what it is for, in log lines that the functions really wrote.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createHook } from '../lib/hook/hook.ts';
import { createLog, type Log, type LogFields } from '../lib/log.ts';
import { LOG_EVENTS } from '../lib/log-events.ts';
import { drift } from '../lib/provision/plan/drift.ts';
import { status } from '../lib/provision/status.ts';
import { report } from '../lib/provision/steps/report.ts';
import { plainStep } from '../lib/provision/steps/step.ts';
import type { Secrets } from '../lib/runtime.ts';
import { settingsFrom } from '../lib/settings.ts';
import { sendBatch, WARM_UP } from './local/aep/support.ts';
import { inletManifest, sandboxOf } from './provision/cases.ts';
import { SECRET, world } from './support/forwarding.ts';
import { BUNDLE, fakeExecutions, fromGithub, NOW } from './support/hooks.ts';
import { acknowledgeAll, fakeInlet, json } from './support/inlet.ts';
import { type LogLine, type Row, runQuery } from './support/insights.ts';
import { world as provisioningWorld } from './support/provisioning.ts';
import { reconciling, xdmMessage } from './support/reconciling.ts';
import { ON_FAILURE_KEY, onFailureDocument, redriveWorld, streamRecord } from './support/redriving.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** By function, what it wrote. */
const logs = new Map<string, LogLine[]>();
let clock = Date.parse('2026-11-28T12:00:00Z');

function keep(name: string, message: string): void {
  clock += 1_000;
  logs.set(name, [...(logs.get(name) ?? []), { timestamp: clock, message }]);
}

type Level = 'debug' | 'info' | 'warn' | 'error';

/** The line as Powertools writes it. */
function written(level: Level, message: string, fields: LogFields): string {
  const lines: string[] = [];
  const write = ((text: string) => lines.push(String(text)) > 0) as typeof process.stdout.write;
  const spies = [process.stdout, process.stderr].map((to) => vi.spyOn(to, 'write').mockImplementation(write));
  try {
    createLog('DEBUG')[level](message, fields);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect(lines).toHaveLength(1);
  return (lines[0] ?? '').trim();
}

function logOf(name: string): Log {
  const at =
    (level: Level) =>
    (message: string, fields: LogFields = {}) =>
      keep(name, written(level, message, fields));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function take(
  name: string,
  lines: readonly { readonly level: string; readonly message: string; readonly fields: LogFields }[],
): void {
  for (const { level, message, fields } of lines) keep(name, written(level as Level, message, fields));
}

/** As Lambda's runtime for Node writes what a function throws, and Lambda what became of one that took too long. */
function ended(name: string, error: unknown): void {
  const { name: errorType, message: errorMessage } = error as Error;
  const at = new Date(clock).toISOString();
  const id = '5a0c6a0e-0000-4000-8000-000000000000';
  keep(name, `${at}\t${id}\tERROR\tInvoke Error \t${JSON.stringify({ errorType, errorMessage })}`);
  keep(name, `${at} ${id} Task timed out after 60.00 seconds`);
}

const GOOD = '{"a":1}';
const WITH_TOKEN = { authenticationRequired: true };

type ForwardWorld = ReturnType<typeof world>;

/** Runs, and keeps what was written, however it ends. */
async function forwarded(own: ForwardWorld, run: () => Promise<unknown>): Promise<void> {
  await run().catch((error: unknown) => ended('forward', error));
  take('forward', own.lines);
}

async function forward(): Promise<void> {
  const well = world();
  await forwarded(well, () => well.run([GOOD, GOOD, 'no']));
  const away = world({ inlet: fakeInlet(() => json(503, {})) });
  await forwarded(away, () => away.run([GOOD], 10_000));
  const gone = world({ inlet: fakeInlet(() => json(404, {})) });
  await forwarded(gone, () => gone.run([GOOD]));
  const unclear = world({ inlet: fakeInlet(() => json(200, {})) });
  await forwarded(unclear, () => unclear.run([GOOD, GOOD]));
  const heldOff = world({ inlet: fakeInlet(() => json(429, {}, { 'retry-after': '300' })) });
  await forwarded(heldOff, async () => {
    await heldOff.run([GOOD]);
    return heldOff.run([GOOD]);
  });
  const held = world({ inlet: fakeInlet(() => json(500, {})) });
  await forwarded(held, () => held.run([GOOD]));
  const parks = world({
    inlet: fakeInlet(() => json(503, {})),
    published: { park: { afterSeconds: 1 } },
  });
  await forwarded(parks, async () => {
    await parks.run([GOOD], 10_000);
    return parks.run([GOOD], 10_000);
  });
  const late = world();
  await forwarded(late, () => late.run([GOOD], 100));
  const unpublished = world();
  unpublished.secrets.delete('penstock/dev/streams/customers');
  await forwarded(unpublished, () => unpublished.run([GOOD]));
  const miscounting = world({ deadLetters: { put: async () => ({ key: 'k', entries: 0 }) } });
  await forwarded(miscounting, () => miscounting.run([GOOD, 'no']));
  const full = world({ deadLetters: { put: () => Promise.reject(new Error('no')) } });
  await forwarded(full, () => full.run([GOOD, 'no']));
  const refused = fakeInlet(acknowledgeAll, () => json(400, { error: 'invalid_client' }));
  const outside = world({ inlet: refused, published: WITH_TOKEN });
  await forwarded(outside, () => outside.run([GOOD]));
  let asked = 0;
  const rotated = world({
    published: WITH_TOKEN,
    inlet: fakeInlet(acknowledgeAll, () =>
      asked++ === 0
        ? json(400, { error: 'invalid_client' })
        : json(200, { access_token: 'token-2', expires_in: 86_399 }),
    ),
  });
  const credentials = JSON.parse(rotated.secrets.get('penstock/dev/credentials') ?? '') as object;
  const both = { ...credentials, clientSecret: `${SECRET}-2`, previousClientSecret: SECRET };
  rotated.secrets.set('penstock/dev/credentials', JSON.stringify(both));
  await forwarded(rotated, () => rotated.run([GOOD]));
  const strange = world();
  await forwarded(strange, () =>
    strange.forward({ Records: [{}] }, { remainingMs: () => 60_000, invocationId: 'i' }),
  );
}

async function redrive(): Promise<void> {
  const own = redriveWorld();
  const records = [0, 1, 2].map((n) => streamRecord(n, `{"n":${n}}`));
  own.stream.records.push(...records);
  own.stream.trimmed = 2;
  own.s3.objects.set(
    ON_FAILURE_KEY,
    onFailureDocument({ records: records.map((_, n) => `{"n":${n}}`), payload: 'none' }),
  );
  await own.run({ source: 'on-failure' });
  take('redrive', own.lines);
}

async function reconcile(): Promise<void> {
  const own = await reconciling();
  own.with_.clock.advance(WARM_UP);
  const refuse = async (id: string) => {
    await sendBatch(own.with_, own.made, [xdmMessage(own, { _id: id, person: { gender: 'female!' } })]);
    own.with_.clock.advance(1_000);
  };
  await refuse('a');
  await own.run();
  await refuse('b');
  const forbidden: typeof own.runtime.fetch = async (url, init) =>
    new URL(url).pathname.endsWith('/batches') ? json(403, {}) : own.runtime.fetch(url, init);
  await expect(own.run({ fetch: forbidden })).rejects.toThrow(/AEP_FORBIDDEN/);
  const parquet: typeof own.runtime.fetch = async (url, init) => {
    const { pathname, searchParams } = new URL(url);
    if (!pathname.endsWith('/failed')) return own.runtime.fetch(url, init);
    const file = { name: 'part-00000.parquet', length: '900' };
    if (searchParams.has('path')) return new Response('PAR1\u0000');
    return Response.json({ data: [file], _page: { limit: 100, count: 1 } });
  };
  await own.run({ fetch: parquet });
  take('reconcile', own.lines);
}

async function provisioning(): Promise<void> {
  const own = provisioningWorld();
  const { document } = await own.run({ manifest: inletManifest() });
  const with_ = (name: string) => () => ({ ...own.runtime, log: logOf(name) });
  await plainStep('report', with_('report'), report)(document);
  const { flows } = sandboxOf(own);
  const flow = flows.get(document.resources.flow?.id ?? '');
  if (flow === undefined) throw new Error('no flow');
  flows.put(flow.id, { ...flow, state: 'disabled' });
  for (const [name, step] of [
    ['drift', plainStep('drift', with_('drift'), drift)],
    ['status', plainStep('status', with_('status'), status)],
  ] as const) {
    await step({});
    await step({ pipeline: 7 }).catch((error: unknown) => ended(name, error));
  }
}

async function hook(): Promise<void> {
  const runtime = {
    settings: settingsFrom({}),
    clock: { now: () => NOW, sleep: async () => undefined },
    log: logOf('deployHook'),
    secrets: { get: async () => undefined } as unknown as Secrets,
    executions: fakeExecutions(),
    ledger: { read: async () => undefined },
    bundle: BUNDLE,
  };
  await createHook(() => runtime)(fromGithub({ ref: 'refs/heads/main' }));
}

beforeAll(async () => {
  await forward();
  await redrive();
  await reconcile();
  await provisioning();
  await hook();
});

interface Asked {
  readonly section: string;
  readonly functions: readonly string[];
  readonly query: string;
}

/** Every query of the runbook, and whose log it is for: the functions that are named before it. */
const ASKED: Asked[] = read('docs/runbook.md')
  .split(/^## /m)
  .slice(1)
  .flatMap((part) => {
    const section = part.slice(0, part.indexOf('\n'));
    const text = /\*\*First query\*\*([\s\S]*?)\n\n/.exec(part)?.[1] ?? '';
    return Array.from(
      text.matchAll(/`((?:fields|filter|stats|sort|display|parse|limit) [^`]+)`/g),
      (found) => ({
        section,
        query: found[1] ?? '',
        functions: Array.from(
          text.slice(0, found.index).matchAll(/`penstock-dev-(\w+)`/g),
          ([, name = '']) => name,
        ),
      }),
    );
  });

const rowsOf = ({ functions, query }: Asked): Row[] =>
  functions.flatMap((name) => runQuery(query, logs.get(name) ?? []).rows);

const asked = (section: string, at = 0): Asked => {
  const found = ASKED.filter((one) => one.section === section)[at];
  if (found === undefined) throw new Error(`no query in ${section}`);
  return found;
};

describe('C 5: every query of the runbook', () => {
  it('is there to be tried, and is for the log of a function', () => {
    expect(ASKED.length).toBeGreaterThan(14);
    for (const { section, functions } of ASKED) expect(functions, section).not.toEqual([]);
  });

  it('issue 13 B 3: asks for codes of lines and not for their words; so does the alarm over the log', () => {
    // What Lambda itself writes has no code: those are its words.
    const own = ASKED.filter(({ query }) => !query.includes('Invoke Error'));
    for (const { section, query } of own) expect(query, section).not.toMatch(/message\s*(=|!=|in|like)/);
    const patterns = [...read('cloud/alarms.yml').matchAll(/FilterPattern: (.*)/g)].map(
      ([, one = '']) => one,
    );
    const events = [...own.map(({ query }) => query), ...patterns].flatMap((text) =>
      [...text.matchAll(/event = "([^"]*)"/g)].map(([, event]) => event),
    );
    expect(new Set(events)).toEqual(new Set(LOG_EVENTS));
    for (const pattern of patterns) expect(pattern).not.toContain('$.message');
  });

  it.each(ASKED.map((one) => [one.section, one] as const))(
    '%s: finds lines, and each field that it names',
    (_, one) => {
      const shown = new Set<string>();
      for (const name of one.functions) {
        const lines = logs.get(name) ?? [];
        const { rows, fields } = runQuery(one.query, lines);
        expect(rows, name).not.toEqual([]);
        for (const [field, value] of rows.flatMap((row) => Object.entries(row)))
          if (value !== undefined) shown.add(field);
        for (const field of fields)
          if (runQuery(`filter ispresent(${field})`, lines).rows.length > 0) shown.add(field);
        for (const field of fields) if (one.functions.length === 1) expect([...shown], name).toContain(field);
      }
      for (const row of rowsOf(one))
        for (const field of Object.keys(row)) expect([...shown]).toContain(field);
    },
  );

  it('says which pipeline and which stream, where its alarm says that it does', () => {
    const alarms = Array.from(
      read('cloud/alarms.yml').matchAll(/AlarmDescription: .*links\.([\w-]+)/g),
      ([text, slug = '']) => ({ text, slug }),
    );
    expect(alarms.length).toBeGreaterThan(14);
    let checked = 0;
    for (const { text, slug } of alarms) {
      const named = /first query names pipeline and stream|first query the stream/.test(text);
      const one = ASKED.find(({ section }) => section.toLowerCase().replaceAll(' ', '-') === slug);
      if (named || text.includes('first query names the pipeline')) {
        checked++;
        if (one === undefined) throw new Error(`no query for ${slug}`);
        const rows = rowsOf(one);
        expect(
          rows.some(({ pipeline }) => typeof pipeline === 'string'),
          slug,
        ).toBe(true);
        if (named)
          expect(
            rows.some(({ stream }) => typeof stream === 'string'),
            slug,
          ).toBe(true);
      } else expect(text, slug).toMatch(/every pipeline of the stage|names what it was to start/);
    }
    expect(checked).toBeGreaterThan(10);
  });

  it('C 5: gives no age as if it were fixed: the parameter that sets it, and the default as the template has it', () => {
    const ages = read('cloud/alarms.yml').matchAll(
      /AlarmName: \S+?-\$\{sls:stage\}-(\S+)\n.*links\.([\w-]+)\}'\n[^#]*?MetricName: (\w+)\n[^#]*?Threshold: (\d+)/g,
    );
    const named = [...ages].filter(([, , , metric]) => metric === 'IteratorAge');
    expect(named.map(([, name]) => name)).toEqual(['forwarder-behind', 'records-about-to-be-lost']);
    for (const [, name, slug, , threshold] of named) {
      const section = read('docs/runbook.md')
        .split(/^## /m)
        .find((part) => part.split('\n')[0]?.toLowerCase().replaceAll(' ', '-') === slug);
      const said = `the threshold (parameter \`alarmThresholds\`, \`${name}\`, default ${Number(threshold) / 1_000} seconds)`;
      expect(section).toContain(said);
      expect(section).not.toMatch(/older than \d+ (minutes|hours)\. /);
    }
  });

  it('counts what was not forwarded at all among what came back', () => {
    const [row] = rowsOf(asked('The forwarder is behind'));
    expect(row).toMatchObject({ pipeline: 'customers', stream: 'customers', taken: expect.any(Number) });
    const [came, back] = [Number(row?.came), Number(row?.back)];
    const nothing = (logs.get('forward') ?? []).filter(({ message }) =>
      message.includes('nothing was forwarded'),
    );
    expect(nothing.length).toBeGreaterThan(2);
    expect(came).toBeGreaterThan(back);
    expect(back).toBeGreaterThanOrEqual(nothing.length);
    const whys = rowsOf(asked('The forwarder is behind', 1)).map(({ stopped }) => stopped);
    expect(new Set(whys)).toEqual(
      new Set(['attempts', 'held-off', 'pipeline', 'set-up', 'time', 'token', 'unclear']),
    );
  });

  it('finds what Lambda itself says of a function that failed', () => {
    for (const section of ['The forwarder fails', 'A function beside the stream fails']) {
      const said = rowsOf(asked(section)).map((row) => String(row['@message']));
      for (const text of ['Invoke Error', 'Task timed out'])
        expect(
          said.some((one) => one.includes(text)),
          `${section} ${text}`,
        ).toBe(true);
    }
  });
});

describe('the evaluator of queries', () => {
  const lines = [
    { timestamp: 1, message: '{"level":"WARN","n":1}' },
    { timestamp: 2, message: '2026 id INFO {"level":"ERROR","n":3,"who":"x"}' },
    { timestamp: 3, message: 'Task timed out' },
  ];
  it.each([
    ['filter level = "ERROR" | display n', [{ n: 3 }]],
    ['filter level in ["ERROR", "WARN"] and n > 1 | display n', [{ n: 3 }]],
    ['filter n > 5 or @message like /timed out/ | display @timestamp', [{ '@timestamp': 3 }]],
    ['filter ispresent(n) | sort n desc | limit 1 | display n', [{ n: 3 }]],
    [
      'filter n > 0 | stats sum(n) as all, count(*) as times, max(n) as most by level | sort all asc',
      [
        { level: 'WARN', all: 1, times: 1, most: 1 },
        { level: 'ERROR', all: 3, times: 1, most: 3 },
      ],
    ],
  ])('%s', (query, rows) => expect(runQuery(query, lines).rows).toEqual(rows));

  it.each([
    'parse @message "* *" as a, b',
    'filter level like "ERR"',
    'filter n < 3',
    'filter level = ERROR',
    'filter level',
    'stats avg(n) as mean by level',
    'stats sum(n) by level',
    'stats count(*) as times by bin(1m)',
    'stats count(*) as times by who',
    'sort level desc',
    'sort n',
    'filter n > 1 | dedup n',
    'display n; drop',
  ])('fails of what it does not know: %s', (query) => {
    expect(() => runQuery(query, lines)).toThrow();
  });
});
