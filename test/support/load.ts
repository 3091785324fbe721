// A load on the forwarder in virtual time: shards read by Lambda's rules, an inlet and IMS that fail as told, a ledger of it all.
import type { Clock } from '../../lib/aep/transport.ts';
import { createForward, type Forward } from '../../lib/forward/forward.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import type { ForwardRuntime, UndeliveredDocument } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { readBatchResponse } from '../../local/aws/batch-response.ts';
import { settledBy } from './checkpoint-oracle.ts';
import { sleeper } from './forward-time.ts';
import { PUBLISHED, STREAM_ARN } from './forwarding.ts';

/** What AEP makes of a message: it takes it, refuses it, or refuses any request with it. `garbage` is no JSON. */
export type Fate = 'sound' | 'refused' | 'poison' | 'garbage';

export interface Produced {
  readonly n: number;
  readonly key: string;
  readonly text: string;
  readonly fate: Fate;
}

/** A request to the inlet, as it arrives. */
export interface Asked {
  readonly texts: readonly string[];
  readonly authorization: string | undefined;
  /** Takes messages: from here on AEP has them. */
  take(texts: readonly string[]): void;
  /** The honest entry of a 207 for each. */
  readonly entries: readonly object[];
}

/** What goes wrong with one request. It answers, or throws what a broken connection does. */
export type Trouble = (asked: Asked) => Response;

export interface LoadOptions {
  readonly shards?: number;
  readonly published?: Partial<PublishedPipeline>;
  readonly random?: () => number;
  /** Of a request, in ms. */
  readonly latencyMs?: number;
  /** Of one invocation; a minute unless it is said otherwise. */
  readonly timeoutMs?: number;
  readonly trouble?: (asked: Asked) => Trouble | undefined;
  /** Of IMS: an answer in place of a token. */
  readonly ims?: () => Response | undefined;
  readonly storeFails?: () => boolean;
  /** Whether the container dies at this request, before AEP sees it or after. */
  readonly dies?: () => 'before' | 'after' | undefined;
  /** The forwarder adds to the messages: what is sent of them is not compared byte for byte. */
  readonly derived?: boolean;
  /** In place of what is counted here. */
  readonly written?: Pick<ForwardRuntime, 'log' | 'metrics'>;
  /** Everything that is written: log lines, metrics, documents, answers and errors. */
  readonly onWritten?: (text: string) => void;
}

interface Rec extends Produced {
  readonly sequenceNumber: string;
  readonly arrivedAt: number;
}

interface Shard {
  readonly id: string;
  readonly records: Rec[];
  position: number;
  /** Bisecting: no more than so many records at once. */
  limit: number;
  pauseMs: number;
  container: Container;
}

interface Container {
  readonly forward: Forward;
  readonly died: PromiseWithResolvers<'died'>;
  alive: boolean;
}

const FIRST = 49590338271490256608559692538361571095921575989136588898n;
/** Lambda's pauses between deliveries, as the emulator has them from the recordings. */
const PAUSE = { first: 250, most: 30_000 };
const BODY = { start: '{"messages":[', end: ']}' };
const never = () => new Promise<never>(() => undefined);

export const SECRET = 'p8e-canary-secret';
export const TOKEN = 'canary-token';
export const CREDENTIALS_SECRET = 'penstock/dev/credentials';

export class Load {
  readonly time = { now: Date.parse('2026-01-31T12:00:00Z') };
  readonly clock: Clock;
  readonly produced = new Map<number, Rec>();
  /** How often each message was taken by AEP, whether the forwarder came to know it or not. */
  readonly taken = new Map<number, number>();
  readonly stored = new Map<number, string>();
  /** What was found wrong. */
  readonly wrong: string[] = [];
  readonly counts = new Map<string, number>();
  /** Of all invocations that lived to publish them. */
  readonly metrics: Record<string, number> = {};
  readonly secrets: Map<string, string>;
  /** Secrets that IMS takes. */
  readonly clientSecrets = new Set([SECRET]);
  readonly #options: Required<Pick<LoadOptions, 'random' | 'latencyMs' | 'timeoutMs'>> & LoadOptions;
  readonly #shards: Shard[];
  readonly #sent = new Set<number>();
  readonly #firstSends: number[] = [];
  readonly #tokens = new Map<string, string>();

  constructor(options: LoadOptions = {}) {
    this.#options = { random: () => 0.5, latencyMs: 0, timeoutMs: 60_000, ...options };
    this.clock = { now: () => this.time.now, sleep: sleeper(this.time) };
    this.secrets = new Map([
      ['penstock/dev/streams/customers', JSON.stringify({ ...PUBLISHED, ...options.published })],
    ]);
    this.setSecret(SECRET);
    this.#shards = Array.from({ length: options.shards ?? 1 }, (_, at) => ({
      id: `shardId-${String(at).padStart(12, '0')}`,
      records: [],
      position: 0,
      limit: Number.POSITIVE_INFINITY,
      pauseMs: PAUSE.first,
      container: this.#start(),
    }));
  }

  setSecret(clientSecret: string): void {
    const { organizationId } = PUBLISHED;
    this.secrets.set(CREDENTIALS_SECRET, JSON.stringify({ clientId: 'c', clientSecret, organizationId }));
  }

  /** IMS takes this secret no more, and the inlet none of its tokens. */
  revoke(clientSecret: string): void {
    this.clientSecrets.delete(clientSecret);
    for (const [token, of] of this.#tokens) if (of === clientSecret) this.#tokens.delete(token);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  /** Puts a message of its own serial number into the shard of its key; `text` is given that number. */
  produce(key: string, text: (n: number) => string, fate: Fate = 'sound'): number {
    const n = this.produced.size;
    const at = [...key].reduce((sum, one) => (sum * 31 + one.charCodeAt(0)) >>> 0, 7) % this.#shards.length;
    const record = {
      n,
      key,
      text: text(n),
      fate,
      sequenceNumber: String(FIRST + BigInt(n)),
      arrivedAt: this.time.now,
    };
    this.produced.set(n, record);
    this.#shards[at]?.records.push(record);
    return n;
  }

  get pending(): number {
    return this.#shards.reduce((sum, { records, position }) => sum + records.length - position, 0);
  }

  /** Reads all shards side by side until nothing is left, `size` records at most each time. */
  async drain(size: () => number = () => 10_000, untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    const end = this.time.now + untilMs;
    await Promise.all(
      this.#shards.map(async (shard) => {
        while (shard.position < shard.records.length && this.time.now < end) {
          if (!(await this.#invoke(shard, size()))) await this.#pause(shard);
        }
      }),
    );
  }

  /** One invocation for every shard that has something. */
  async poll(size = 10_000): Promise<void> {
    await Promise.all(
      this.#shards
        .filter(({ position, records }) => position < records.length)
        .map((shard) => this.#invoke(shard, size)),
    );
  }

  /** Messages that AEP has more than once, counted for each further time. */
  get duplicates(): number {
    return [...this.taken.values()].reduce((sum, times) => sum + times - 1, 0);
  }

  /** Messages that are neither in AEP nor in the store. */
  get lost(): number[] {
    return [...this.produced.keys()].filter((n) => !this.taken.has(n) && !this.stored.has(n));
  }

  /** Messages that AEP would take, and that are in the store all the same. */
  get misjudged(): number[] {
    return [...this.stored.keys()].filter((n) => this.produced.get(n)?.fate === 'sound');
  }

  /** First sends that were not in the order of their key. */
  get inversions(): number {
    const last = new Map<string, number>();
    return this.#firstSends.filter((n) => {
      const { key } = this.produced.get(n) as Rec;
      const before = last.get(key) ?? -1;
      last.set(key, Math.max(before, n));
      return n < before;
    }).length;
  }

  async #pause(shard: Shard): Promise<void> {
    await this.clock.sleep(shard.pauseMs);
    shard.pauseMs = Math.min(shard.pauseMs * 2, PAUSE.most);
  }

  /** @returns whether it was delivered whole */
  async #invoke(shard: Shard, size: number): Promise<boolean> {
    const batch = shard.records.slice(shard.position, shard.position + Math.min(size, shard.limit));
    const began = this.time.now;
    const deadline = began + this.#options.timeoutMs;
    this.count('invocations');
    const { container } = shard;
    const answer = await Promise.race([
      container
        .forward(eventOf(batch, shard.id), {
          remainingMs: () => deadline - this.time.now,
          invocationId: '5a0c6a0e-0000-4000-8000-000000000000',
        })
        .then(
          (ok) => ({ text: JSON.stringify(ok) }),
          (error: Error) => ({ error }),
        ),
      container.died.promise,
    ]);
    this.count('billed ms', this.time.now - began);
    if (answer === 'died') {
      this.count('killed');
      shard.container = this.#start();
    }
    return this.#settle(shard, batch, answer === 'died' ? {} : answer);
  }

  #settle(
    shard: Shard,
    batch: readonly Rec[],
    { text, error }: { readonly text?: string; readonly error?: Error },
  ): boolean {
    this.#options.onWritten?.(text ?? `${error?.stack} ${JSON.stringify(error)}`);
    if (error !== undefined) this.count(`threw ${/^[A-Z_]+/.exec(error.message)?.[0] ?? error.message}`);
    const numbers = batch.map(({ sequenceNumber }) => sequenceNumber);
    const settled = settledBy(numbers, text);
    if (text !== undefined) this.#read(text, numbers, settled);
    for (const record of batch.slice(0, settled)) this.#passed(record);
    const whole = settled === batch.length;
    if (!whole) this.count('possible copies', batch.length - 1);
    // Who dies or throws does not get to say what may come twice.
    if (text === undefined) this.count('copies nobody could foretell', batch.length);
    shard.position += settled;
    if (settled > 0) shard.pauseMs = PAUSE.first;
    shard.limit = text === undefined ? Math.max(1, Math.ceil(batch.length / 2)) : Number.POSITIVE_INFINITY;
    return whole;
  }

  /** The answer in its literal form, as two who share no code read it. */
  #read(text: string, numbers: readonly string[], settled: number): void {
    if (!/^\{"batchItemFailures":\[(\{"itemIdentifier":"\d+"\})?\]\}$/.test(text))
      this.wrong.push(`the answer is ${text}`);
    const verdict = readBatchResponse({ ok: JSON.parse(text) }, numbers, true);
    const from = verdict.kind === 'delivered' ? numbers.length : verdict.from;
    if (from !== settled || (verdict.kind === 'redeliver' && !verdict.reported))
      this.wrong.push(`${text} is read in two ways, or as a failure of all`);
  }

  #passed({ n, fate }: Rec): void {
    if (!this.stored.has(n) && !(fate === 'sound' && this.taken.has(n)))
      this.wrong.push(`${n} (${fate}) was passed over`);
  }

  #start(): Container {
    const container: Container = {
      forward: createForward(this.#runtime(() => container)),
      died: Promise.withResolvers<'died'>(),
      alive: true,
    };
    return container;
  }

  #runtime(container: () => Container): ForwardRuntime {
    const { onWritten, random } = this.#options;
    const log = (message: string, fields: unknown) => onWritten?.(`${message} ${JSON.stringify(fields)}`);
    let counted: Record<string, number> = {};
    const refuse = () => Promise.reject(new Error('the forwarder writes no secret'));
    return {
      settings: settingsFrom({}),
      random,
      clock: {
        now: () => this.time.now,
        sleep: (ms) => (container().alive ? this.clock.sleep(ms) : never()),
      },
      log: { debug: log, info: log, warn: log, error: log },
      secrets: {
        get: async (id) => {
          this.count(`read ${id}`);
          return this.secrets.get(id);
        },
        create: refuse,
        put: refuse,
        remove: refuse,
      },
      metrics: {
        count: (name, value, reason) => {
          counted[name] = (counted[name] ?? 0) + value;
          onWritten?.(`${name} ${reason}`);
        },
        measure: () => undefined,
        flush: (dimensions) => {
          onWritten?.(JSON.stringify(dimensions));
          this.#publish(counted);
          counted = {};
        },
      },
      ...this.#options.written,
      undelivered: { put: (document) => this.#keep(container(), document) },
      fetch: (url, init) =>
        new URL(url).pathname === '/ims/token/v3'
          ? this.#issue(Buffer.from(init.body ?? '').toString())
          : this.#receive(container(), init),
    };
  }

  /** What came in is what came out, in every invocation. */
  #publish(counted: Readonly<Record<string, number>>): void {
    const of = (...names: string[]) => names.reduce((sum, name) => sum + (counted[`Records${name}`] ?? 0), 0);
    const out = of('Acknowledged', 'AcknowledgedBefore', 'Filtered', 'Rejected', 'Returned');
    if (of('Received') !== out || (counted.ConservationDifference ?? 0) !== 0)
      this.wrong.push(`it does not add up: ${JSON.stringify(counted)}`);
    for (const [name, value] of Object.entries(counted))
      this.metrics[name] = (this.metrics[name] ?? 0) + value;
  }

  async #keep(container: Container, document: UndeliveredDocument) {
    if (!container.alive) return never();
    if (this.#options.storeFails?.()) {
      this.count('the store failed');
      throw new Error('AccessDenied');
    }
    this.#options.onWritten?.(JSON.stringify(document));
    for (const { data, sequenceNumber, reason } of document.entries) {
      const text = Buffer.from(data, 'base64').toString();
      const record = this.produced.get(serialOf(text));
      if (record?.text !== text || record.sequenceNumber !== sequenceNumber)
        this.wrong.push(`the store was given ${text.slice(0, 60)}`);
      else this.stored.set(record.n, reason);
    }
    return { key: 'k', entries: document.entries.length };
  }

  async #issue(body: string): Promise<Response> {
    this.count('IMS');
    await this.clock.sleep(this.#options.latencyMs);
    const answer = this.#options.ims?.();
    if (answer !== undefined) return answer;
    const secret = new URLSearchParams(body).get('client_secret') ?? '';
    if (!this.clientSecrets.has(secret)) {
      this.count('IMS refused');
      return answerOf(400, { error: 'invalid_client', error_description: `not ${secret}` });
    }
    const token = `${TOKEN}-${this.counts.get('IMS')}`;
    this.#tokens.set(token, secret);
    return answerOf(200, { access_token: token, expires_in: 86_399 });
  }

  async #receive(
    container: Container,
    init: { readonly headers: Record<string, string>; readonly body?: string | Uint8Array },
  ): Promise<Response> {
    if (!container.alive) return never();
    this.count('requests');
    const texts = this.#arrived(Buffer.from(init.body ?? ''));
    this.count('messages', texts.length);
    const dies = this.#options.dies?.();
    if (dies === 'before') return this.#die(container);
    await this.clock.sleep(this.#options.latencyMs);
    const { authorization } = init.headers;
    if (authorization !== undefined && !this.#tokens.has(authorization.slice('Bearer '.length)))
      return answerOf(401, { title: 'Oauth token is not valid', detail: `not ${authorization}` });
    const asked = this.#asked(texts, authorization);
    const trouble = this.#options.trouble?.(asked) ?? honest;
    const response = trouble(asked);
    return dies === 'after' ? this.#die(container) : response;
  }

  /** The messages of a body, each exactly as somebody produced it, no one twice. */
  #arrived(body: Buffer): string[] {
    const text = body.toString('utf8');
    if (body.length > 1_000_000 || !text.startsWith(BODY.start) || !text.endsWith(BODY.end))
      this.wrong.push(`a body of ${body.length} bytes`);
    const inner = text.slice(BODY.start.length, -BODY.end.length);
    const { derived = false } = this.#options;
    const texts = inner.split(derived ? /,(?=\{"header":)/ : /,(?=\{"n":)/);
    const seen = new Set<number>();
    for (const one of texts) {
      const n = serialOf(one);
      if (seen.has(n)) this.wrong.push(`${n} is in a request twice`);
      seen.add(n);
      if (!derived && this.produced.get(n)?.text !== one)
        this.wrong.push(`nobody produced ${one.slice(0, 60)}`);
      else if (!this.#sent.has(n)) {
        this.#sent.add(n);
        this.#firstSends.push(n);
      }
    }
    return texts;
  }

  #asked(texts: readonly string[], authorization: string | undefined): Asked {
    const fateOf = (text: string) => this.produced.get(serialOf(text))?.fate;
    return {
      texts,
      authorization,
      take: (some) => {
        for (const text of some) {
          const n = serialOf(text);
          if (fateOf(text) === 'sound') this.taken.set(n, (this.taken.get(n) ?? 0) + 1);
        }
      },
      entries: texts.map((text, at) =>
        fateOf(text) === 'sound'
          ? { xactionId: `1771:3120:78:${at}` }
          : { status: 400, message: `the value of ${text.slice(0, 40)} is not allowed` },
      ),
    };
  }

  #die(container: Container): Promise<never> {
    container.alive = false;
    container.died.resolve('died');
    return never();
  }
}

/** It takes what is sound and says so, and refuses a request with poison in it. */
export function honest({ texts, take, entries }: Asked): Response {
  if (texts.some((text) => text.includes('"poison"'))) return answerOf(400, { title: 'Bad Request' });
  take(texts);
  return answerOf(207, { responses: entries });
}

export function answerOf(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

/** The serial number in a message's text: every one has it, at its beginning. */
export function serialOf(text: string): number {
  return Number(/"n":(\d+)/.exec(text)?.[1] ?? Number.NaN);
}

function broken(): never {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
}

/** Ways to fail after which nothing was taken, and nobody can think so. */
export const REFUSALS: Readonly<Record<string, Trouble>> = {
  '429': () => answerOf(429, {}),
  '429 with Retry-After': () => answerOf(429, {}, { 'retry-after': '1' }),
  '503 with Retry-After': () => answerOf(503, {}, { 'retry-after': '1' }),
  '503 with nonsense': () => answerOf(503, {}, { 'retry-after': 'soon' }),
  '408': () => answerOf(408, {}),
  '500': () => answerOf(500, {}),
  '502 with a page': () => new Response('<html>Bad Gateway</html>', { status: 502 }),
  '413': (asked) => (asked.texts.length > 1 ? answerOf(413, {}) : answerOf(503, {})),
  'reset before': () => broken(),
  'all fail for now': ({ texts }) => answerOf(207, { responses: texts.map(() => ({ status: 503 })) }),
  'a third fails for now': ({ texts, take, entries }) => {
    take(texts.filter((_, at) => at % 3 !== 1));
    return answerOf(207, { responses: entries.map((entry, at) => (at % 3 === 1 ? { status: 429 } : entry)) });
  },
};

/** Ways to take messages and not to say so of all of them: whoever sends those again may make copies. */
export const AMBIGUOUS: Readonly<Record<string, Trouble>> = {
  'reset after': ({ texts, take }) => {
    take(texts);
    return broken();
  },
  '500 after': ({ texts, take }) => {
    take(texts);
    return answerOf(500, {});
  },
  'cut in half': ({ texts, take, entries }) => {
    take(texts);
    const text = JSON.stringify({ responses: entries });
    return new Response(text.slice(0, text.length / 2), { status: 207 });
  },
  'too few entries': ({ texts, take, entries }) => {
    take(texts);
    return answerOf(207, { responses: entries.filter((_, at) => at % 2 === 1) });
  },
  'too many entries': ({ texts, take, entries }) => {
    take(texts);
    return answerOf(207, { responses: [...entries, { xactionId: '1771:3120:78:0' }] });
  },
  'a page': ({ texts, take }) => {
    take(texts);
    return new Response('<html>OK</html>', { status: 200 });
  },
  'entries of null': ({ texts, take }) => {
    take(texts);
    return answerOf(207, { responses: texts.map(() => null) });
  },
};

function eventOf(records: readonly Rec[], shardId: string): object {
  return {
    Records: records.map(({ sequenceNumber, key, text, arrivedAt }) => ({
      eventID: `${shardId}:${sequenceNumber}`,
      eventSource: 'aws:kinesis',
      eventSourceARN: STREAM_ARN,
      kinesis: {
        partitionKey: key,
        sequenceNumber,
        approximateArrivalTimestamp: arrivedAt / 1_000,
        data: Buffer.from(text).toString('base64'),
      },
    })),
  };
}
