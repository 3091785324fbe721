// A load on the forwarder in virtual time: Lambda reads the shards, an inlet and IMS fail as told, and all of it is counted.
import type { Clock, FetchAnswer, FetchInit } from '../../lib/aep/transport.ts';
import type { PublishedPipeline } from '../../lib/published.ts';
import type { ForwardRuntime } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import type { Container, Outside } from './container.ts';
import {
  acknowledgedIn,
  Deliveries,
  type Fate,
  messagesIn,
  type Produced,
  serialOf,
} from './forward-watch.ts';
import { PUBLISHED, STREAM_ARN } from './forwarding.ts';
import { type Carried, type Invocation, VirtualLambda } from './virtual-lambda.ts';
import { VirtualTime } from './virtual-time.ts';

export { type Fate, serialOf } from './forward-watch.ts';

/** A request to the inlet, as it arrives. */
export interface Asked {
  readonly texts: readonly string[];
  readonly authorization: string | undefined;
  /** Takes messages: from here on AEP has them. */
  take(texts: readonly string[]): void;
  /** The honest entry of a 207 for each. */
  readonly entries: readonly object[];
}

/** An answer whose body can be read as often as one likes. */
export interface Answer extends FetchAnswer {
  readonly text: string;
}

/** What goes wrong with one request. It answers, or throws what a broken connection does. */
export type Trouble = (asked: Asked) => Answer;

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
  readonly ims?: () => Answer | undefined;
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

export const SECRET = 'p8e-canary-secret';
export const TOKEN = 'canary-token';
export const CREDENTIALS_SECRET = 'penstock/dev/credentials';

export class Load {
  readonly time = { now: Date.parse('2026-01-31T12:00:00Z') };
  readonly clock: Clock;
  readonly deliveries: Deliveries;
  /** What was found wrong. */
  readonly wrong: string[] = [];
  readonly counts = new Map<string, number>();
  /** Of all invocations that lived to publish them. */
  readonly metrics: Record<string, number> = {};
  readonly secrets: Map<string, string>;
  /** Secrets that IMS takes. */
  readonly clientSecrets = new Set([SECRET]);
  readonly #options: Required<Pick<LoadOptions, 'random' | 'latencyMs'>> & LoadOptions;
  readonly #lambda: VirtualLambda;
  readonly #tokens = new Map<string, string>();

  constructor(options: LoadOptions = {}) {
    this.#options = { random: () => 0.5, latencyMs: 0, ...options };
    const time = new VirtualTime(this.time);
    this.clock = time;
    this.deliveries = new Deliveries({ exact: options.derived !== true });
    this.secrets = new Map([
      ['penstock/dev/streams/customers', JSON.stringify({ ...PUBLISHED, ...options.published })],
    ]);
    this.setSecret(SECRET);
    this.#lambda = new VirtualLambda({
      time,
      streamArn: STREAM_ARN,
      shards: options.shards ?? 1,
      outside: this.#outside(),
      count: (what, by) => this.count(what, by),
      onInvocation: (invocation) => this.#countCopies(invocation),
      onPassed: (records) => this.#passed(records),
      onGivenUp: (records) => void this.wrong.push(`${records.length} records were given up`),
    });
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
    const whole = text(n);
    const { sequenceNumber } = this.#lambda.stream.put(key, Buffer.from(whole), [n]);
    this.produced.set(n, { n, key, sequenceNumber, text: whole, fate });
    return n;
  }

  get produced(): Map<number, Produced> {
    return this.deliveries.produced;
  }

  get taken(): ReadonlyMap<number, number> {
    return this.deliveries.taken;
  }

  get stored(): ReadonlyMap<number, string> {
    return this.deliveries.stored;
  }

  get pending(): number {
    return this.#lambda.pending;
  }

  get duplicates(): number {
    return this.deliveries.duplicates;
  }

  get inversions(): number {
    return this.deliveries.inversions;
  }

  /** Reads all shards side by side until nothing is left, `size` records at most each time. */
  async drain(size: () => number = () => 10_000, forMs?: number): Promise<void> {
    this.#lambda.stream.pageSize = size;
    await this.#lambda.run({ timeoutMs: this.#options.timeoutMs }, forMs);
  }

  /** One invocation for every shard that has something. */
  async poll(): Promise<void> {
    await this.#lambda.once({ timeoutMs: this.#options.timeoutMs });
  }

  /** Messages that are neither in AEP nor in the store. */
  get lost(): number[] {
    return [...this.produced.keys()].filter((n) => !this.taken.has(n) && !this.stored.has(n));
  }

  /** Messages that AEP would take, and that are in the store all the same. */
  get misjudged(): number[] {
    return [...this.stored.keys()].filter((n) => this.produced.get(n)?.fate === 'sound');
  }

  #countCopies({ text, batch, settled }: Invocation): void {
    if (settled < batch.length) this.count('possible copies', batch.length - 1);
    // Who dies or throws does not get to say what may come twice.
    if (text === undefined) this.count('copies nobody could foretell', batch.length);
  }

  #passed(records: readonly Carried[]): void {
    for (const n of records.flatMap(({ of }) => of)) {
      const { fate } = this.produced.get(n) as Produced;
      if (!this.stored.has(n) && !(fate === 'sound' && this.taken.has(n)))
        this.wrong.push(`${n} (${fate}) was passed over`);
    }
  }

  #outside(): Outside {
    const { onWritten, random, written, storeFails } = this.#options;
    const refuse = () => Promise.reject(new Error('the forwarder writes no secret'));
    return {
      settings: settingsFrom({}),
      random,
      deliveries: this.deliveries,
      secrets: {
        get: async (id) => {
          this.count(`read ${id}`);
          return this.secrets.get(id);
        },
        create: refuse,
        put: refuse,
        remove: refuse,
      },
      fetch: (container, url, init) =>
        new URL(url).pathname === '/ims/token/v3'
          ? this.#issue(container, Buffer.from(init.body ?? '').toString())
          : this.#receive(container, init),
      store: () => {
        if (storeFails?.() !== true) return;
        this.count('the store failed');
        throw new Error('AccessDenied');
      },
      wrong: (what) => void this.wrong.push(what),
      onWritten,
      onMetrics: (counted) => {
        for (const [name, value] of Object.entries(counted))
          this.metrics[name] = (this.metrics[name] ?? 0) + value;
      },
      ...written,
    };
  }

  async #issue(container: Container, body: string): Promise<Answer> {
    this.count('IMS');
    container.tokenRequests++;
    await container.sleep(this.#options.latencyMs);
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

  async #receive(container: Container, { headers, body = '' }: FetchInit): Promise<Answer> {
    this.count('requests');
    const texts = this.#arrived(Buffer.from(body), container);
    this.count('messages', texts.length);
    const dies = this.#options.dies?.();
    if (dies === 'before') return container.die();
    await container.sleep(this.#options.latencyMs);
    const { authorization } = headers;
    if (authorization !== undefined && !this.#tokens.has(authorization.slice('Bearer '.length)))
      return answerOf(401, { title: 'Oauth token is not valid', detail: `not ${authorization}` });
    const asked = this.#asked(texts, authorization);
    const answer = (this.#options.trouble?.(asked) ?? honest)(asked);
    if (dies === 'after') return container.die();
    if (answer.status !== 207 || acknowledgedIn(answer.text, texts).length < texts.length)
      container.watch.inTrouble = true;
    if (answer.status === 207)
      for (const text of acknowledgedIn(answer.text, texts)) container.watch.told.add(serialOf(text));
    return answer;
  }

  #arrived(body: Uint8Array, { watch }: Container): string[] {
    const [texts, wrong] = messagesIn(body, this.#options.derived === true ? '{"header":' : '{"n":');
    this.wrong.push(...wrong, ...this.deliveries.arrives(texts, watch.told, watch.inTrouble));
    return texts;
  }

  #asked(texts: readonly string[], authorization: string | undefined): Asked {
    const isSound = (text: string) => this.produced.get(serialOf(text))?.fate === 'sound';
    return {
      texts,
      authorization,
      take: (some) => this.deliveries.take(some.filter(isSound).map(serialOf)),
      entries: texts.map((text, at) =>
        isSound(text)
          ? { xactionId: `1771:3120:78:${at}` }
          : { status: 400, message: `the value of ${text.slice(0, 40)} is not allowed` },
      ),
    };
  }
}

/** It takes what is sound and says so, and refuses a request with poison in it. */
export function honest({ texts, take, entries }: Asked): Answer {
  if (texts.some((text) => text.includes('"poison"'))) return answerOf(400, { title: 'Bad Request' });
  take(texts);
  return answerOf(207, { responses: entries });
}

export function answerOf(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return textAnswer(status, JSON.stringify(body), headers);
}

/** Not a `Response`: to make its body and to read it is half of what a small request costs. */
export function textAnswer(status: number, text: string, headers: Record<string, string> = {}): Answer {
  return {
    status,
    text,
    headers: { get: (name) => headers[name.toLowerCase()] ?? null },
    body: {
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(text);
      },
    },
  };
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
  '502 with a page': () => textAnswer(502, '<html>Bad Gateway</html>'),
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
    return textAnswer(207, text.slice(0, text.length / 2));
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
    return textAnswer(200, '<html>OK</html>');
  },
  'entries of null': ({ texts, take }) => {
    take(texts);
    return answerOf(207, { responses: texts.map(() => null) });
  },
};
