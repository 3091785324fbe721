// A stream, Lambda's polling rules, the simulated platform, and a forwarder in between that can die at any request.
import type { FetchAnswer, FetchInit } from '../../lib/aep/transport.ts';
import { createForward, type Forward } from '../../lib/forward/forward.ts';
import type { ForwardRuntime, UndeliveredDocument } from '../../lib/runtime.ts';
import type { FaultSpec } from '../../local/aep/faults.ts';
import { branch } from './branch.ts';
import { sleeper } from './forward-time.ts';
import { acknowledgedIn, ContainerWatch, Deliveries, type Produced, serialOf } from './forward-watch.ts';
import { aggregate } from './kpl.ts';
import { ORIGIN, world as provisioningWorld, STREAM_ARN } from './provisioning.ts';
import { CREDENTIALS } from './scripted.ts';

/** A record is given up when it is older than this: the mapping's `MaximumRecordAgeInSeconds`. */
export const MAX_AGE_MS = 69_120_000;
const LATENCY_MS = 5;
const CANARY = CREDENTIALS.clientSecret;

interface StreamRecord {
  readonly sequenceNumber: string;
  readonly key: string;
  readonly bytes: Buffer;
  readonly arrivedAt: number;
  readonly messages: readonly Produced[];
}

interface Shard {
  readonly id: string;
  readonly records: StreamRecord[];
  /** What comes before is behind the checkpoint. */
  position: number;
  /** Bisecting: no more than so many records at once. */
  limit: number;
  children: readonly Shard[];
}

interface Container {
  readonly forward: Forward;
  readonly watch: ContainerWatch;
  readonly died: PromiseWithResolvers<'died'>;
  alive: boolean;
}

export interface Poll {
  readonly size: number;
  readonly remainingMs: number;
  /** The container dies at this request of the invocation, before AEP sees it or after. */
  readonly dies?: { readonly at: number; readonly before: boolean };
  /** The function's answer is lost: Lambda takes that for an error. */
  readonly silent?: boolean;
}

export type Own = ReturnType<typeof branch>;

/** One for each who waits: a shared one would keep all of them, and with them every world there was. */
const never = () => new Promise<never>(() => undefined);

/** The provisioned pipeline that every world begins with. */
export async function provisioned(manifest: object): Promise<Own> {
  const own = provisioningWorld();
  const { status, cause } = await own.run({ manifest });
  if (status !== 'SUCCEEDED') throw new Error(cause);
  return own;
}

export class ForwardWorld {
  readonly produced = new Map<number, Produced>();
  readonly deliveries = new Deliveries(this.produced);
  /** Serial numbers in the undelivered store, and why. */
  readonly stored = new Map<number, string>();
  /** Serial numbers of messages that grew too old, and of which Lambda keeps a document. */
  readonly expired = new Set<number>();
  /** What was found wrong, each as `F…: what`. */
  readonly wrong: string[] = [];
  readonly counts = new Map<string, number>();
  readonly clientSecrets = [CREDENTIALS.clientSecret];
  readonly #own: Own;
  readonly #root: Shard[];
  readonly #sleep: (ms: number) => Promise<void>;
  #container: Container;
  readonly #names = new Map<string, string>();
  readonly #tokens = new Set<string>();
  #dies: Poll['dies'];
  #requests = 0;
  #storeFails = 0;
  #serial = 0;
  #sequence = 49590338271490256608559692538361571095921575989136588898n;

  constructor(base: Own) {
    this.#own = branch(base, {
      credentials: [{ clientId: CREDENTIALS.clientId, clientSecrets: this.clientSecrets }],
      onReceived: (records) =>
        this.deliveries.take(records.map((record) => serialOf(JSON.stringify(record)))),
    });
    this.#sleep = sleeper(this.#own.time);
    this.#root = [this.#shard(), this.#shard()];
    this.#container = this.#start();
  }

  get now(): number {
    return this.#own.time.now;
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  // What happens in the world.

  produce(key: string, kinds: readonly Produced['kind'][], bytes: number): void {
    const shard = this.#shardOf(key);
    const sequenceNumber = String(++this.#sequence);
    const whole = kinds.length > 1;
    const messages = kinds.map((kind, index): Produced => {
      const n = ++this.#serial;
      const message = { n, key, sequenceNumber, ...(whole && { subSequenceNumber: index }), kind };
      return { ...message, text: textOf(n, kind, bytes) };
    });
    for (const message of messages) this.produced.set(message.n, message);
    const parts = messages.map(({ text }) => ({ key, data: Buffer.from(text) }));
    const [first] = parts;
    const data = whole || first === undefined ? aggregate(parts) : first.data;
    shard.records.push({ sequenceNumber, key, bytes: data, arrivedAt: this.now, messages });
  }

  /** Counted under its name, as often as it strikes. */
  fault(name: string, spec: FaultSpec): void {
    this.#names.set(this.#own.platform.faults.add(spec).id, name);
  }

  heal(): void {
    const { faults } = this.#own.platform;
    for (const { id, struck } of faults.list()) this.count(this.#names.get(id) ?? id, struck);
    faults.clear();
    this.#storeFails = 0;
  }

  storeFails(times: number): void {
    this.#storeFails = times;
  }

  advance(ms: number): void {
    this.#own.time.now += ms;
  }

  /** A new client secret; the old one is taken back at once. */
  rotate(): void {
    const secret = `${CANARY}-${this.clientSecrets.length}-${this.now}`;
    this.clientSecrets.splice(0, this.clientSecrets.length, secret);
    const value = JSON.stringify({ ...CREDENTIALS, clientSecret: secret });
    this.#own.secrets.values.set('penstock/dev/credentials', value);
    this.fault('rotated', { kind: 'expireTokens', path: '/collection/**', times: 1 });
  }

  reshard(which: number): void {
    const open = this.#shards().filter(({ children }) => children.length === 0);
    const shard = open[which % open.length];
    if (shard === undefined || open.length > 6) return;
    shard.children = [this.#shard(), this.#shard()];
    this.count('reshard');
  }

  // Lambda.

  /** One poll of each shard that may be read, as Lambda does it. */
  async poll(options: Poll): Promise<void> {
    for (const shard of this.#readable()) await this.#pollShard(shard, options);
    this.wrong.push(...this.deliveries.outOfOrder());
  }

  /** Nothing goes wrong any more: everything has to come to its end. */
  async drain(): Promise<void> {
    this.heal();
    for (let round = 0; round < 60 && this.pending > 0; round++) {
      this.advance(31_000);
      await this.poll({ size: 10_000, remainingMs: 60_000 });
    }
    if (this.pending > 0) this.wrong.push(`F15: ${this.pending} are still pending`);
  }

  get pending(): number {
    return this.#shards().reduce((sum, { records, position }) => sum + records.length - position, 0);
  }

  #readable(): Shard[] {
    const reach = (shard: Shard): Shard[] =>
      shard.position < shard.records.length || shard.children.length === 0
        ? [shard]
        : shard.children.flatMap(reach);
    return this.#root.flatMap(reach);
  }

  #shards(): Shard[] {
    const all = (shard: Shard): Shard[] => [shard, ...shard.children.flatMap(all)];
    return this.#root.flatMap(all);
  }

  async #pollShard(shard: Shard, options: Poll): Promise<void> {
    this.#expire(shard);
    const batch = shard.records.slice(shard.position, shard.position + Math.min(options.size, shard.limit));
    if (batch.length === 0) return;
    this.#dies = options.dies;
    this.#requests = 0;
    const deadline = this.now + options.remainingMs;
    const tokens = this.counts.get('token') ?? 0;
    const answer = await Promise.race([
      this.#invoke(eventOf(batch, shard.id), deadline),
      this.#container.died.promise,
    ]);
    // The wait for a token ends by the process's own timers, which virtual time does not move.
    const asked = (this.counts.get('token') ?? 0) - tokens;
    if (this.now > deadline && asked < 2)
      this.wrong.push(`F10: ${this.now - deadline} ms beyond the deadline`);
    if (answer === 'died') {
      this.count('killed');
      this.#container = this.#start();
    } else if (options.silent) {
      this.#container.alive = false;
      this.#container = this.#start();
      this.count('answer lost');
    }
    this.#settle(shard, batch, answer === 'died' || options.silent ? undefined : answer);
    this.#check(shard);
  }

  async #invoke(event: object, deadline: number): Promise<string | undefined> {
    try {
      const answer = await this.#container.forward(event, {
        remainingMs: () => deadline - this.now,
        invocationId: '5a0c6a0e-0000-4000-8000-000000000000',
      });
      return JSON.stringify(answer);
    } catch (error) {
      this.count(`threw ${/^[A-Z_]+/.exec((error as Error).message)?.[0] ?? 'something else'}`);
      return undefined;
    }
  }

  /** Lambda's rule: nothing reported is all done; one reported in the batch is where it goes on; all else is an error. */
  #settle(shard: Shard, batch: readonly StreamRecord[], answer: string | undefined): void {
    const shape =
      answer === undefined
        ? null
        : /^\{"batchItemFailures":\[(?:\{"itemIdentifier":"(\d+)"\})?\]\}$/.exec(answer);
    if (answer !== undefined && shape === null) this.wrong.push(`F5: ${answer}`);
    if (shape === null) {
      if (batch.length > 1) this.count('bisected');
      shard.limit = Math.max(1, Math.ceil(batch.length / 2));
      return;
    }
    shard.limit = Number.POSITIVE_INFINITY;
    const [, reported] = shape;
    if (reported === undefined) {
      shard.position += batch.length;
      return;
    }
    const index = batch.findIndex(({ sequenceNumber }) => sequenceNumber === reported);
    if (index < 0) this.wrong.push(`F4: ${reported} is not in the batch`);
    const open = batch[index]?.messages.some(
      ({ n }) => !this.#container.watch.told.has(n) && !this.#container.watch.kept.has(n),
    );
    if (open === false) this.wrong.push(`F4: ${reported} is reported and has nothing unresolved`);
    shard.position += Math.max(0, index);
    this.count('checkpoint');
  }

  #expire(shard: Shard): void {
    for (;;) {
      const record = shard.records[shard.position];
      if (record === undefined || this.now - record.arrivedAt <= MAX_AGE_MS) return;
      for (const { n } of record.messages) this.expired.add(n);
      shard.position++;
      this.count('expired');
    }
  }

  /** F1, F3, F6: whatever is behind the checkpoint is in AEP, in the store, or in Lambda's own document. */
  #check(shard: Shard): void {
    for (const { messages } of shard.records.slice(0, shard.position)) {
      for (const { n, kind } of messages) {
        const taken = this.deliveries.taken.has(n);
        if (!taken && !this.stored.has(n) && !this.expired.has(n))
          this.wrong.push(`F3: ${n} (${kind}) is lost`);
        // Of a lone message that the inlet calls too large, nobody can say otherwise.
        const why = this.stored.get(n) ?? 'too-large';
        if (kind === 'sound' && why !== 'too-large')
          this.wrong.push(`F3: ${n} is sound and in the store: ${why}`);
      }
    }
  }

  // The container.

  #start(): Container {
    const container: Container = {
      forward: createForward(this.#runtime(() => container)),
      watch: new ContainerWatch(),
      died: Promise.withResolvers<'died'>(),
      alive: true,
    };
    return container;
  }

  #runtime(container: () => Container): ForwardRuntime {
    const { runtime, time } = this.#own;
    const log = (message: string, fields: unknown) =>
      this.#seek(`${message} ${JSON.stringify(fields)}`, 'the log');
    let metrics: Record<string, number> = {};
    return {
      settings: runtime.settings,
      random: runtime.random,
      secrets: runtime.secrets,
      clock: { now: () => time.now, sleep: (ms) => (container().alive ? this.#sleep(ms) : never()) },
      fetch: (url, init) => this.#fetch(container(), url, init),
      log: { debug: log, info: log, warn: log, error: log },
      undelivered: { put: async (document) => this.#keep(container(), document) },
      metrics: {
        count: (name, value) => {
          metrics[name] = (metrics[name] ?? 0) + value;
        },
        measure: () => undefined,
        flush: () => {
          this.#balance(metrics);
          metrics = {};
        },
      },
    } as ForwardRuntime;
  }

  /** F16. */
  #balance(metrics: Readonly<Record<string, number>>): void {
    const of = (...names: string[]) => names.reduce((sum, name) => sum + (metrics[`Records${name}`] ?? 0), 0);
    if (of('Received') !== of('Acknowledged', 'AcknowledgedBefore', 'Filtered', 'Rejected', 'Returned'))
      this.wrong.push(`F16: ${JSON.stringify(metrics)}`);
  }

  async #keep(
    container: Container,
    document: UndeliveredDocument,
  ): Promise<{ key: string; entries: number }> {
    if (!container.alive) return never();
    if (this.#storeFails > 0) {
      this.#storeFails--;
      this.count('the store failed');
      throw new Error('the store is not there');
    }
    this.#seek(JSON.stringify(document), 'the store');
    for (const { data, sequenceNumber, subSequenceNumber, reason } of document.entries) {
      const text = Buffer.from(data, 'base64').toString('utf8');
      const produced = this.produced.get(serialOf(text));
      const right =
        produced?.text === text &&
        produced.sequenceNumber === sequenceNumber &&
        produced.subSequenceNumber === subSequenceNumber &&
        reason !== '';
      if (produced === undefined || !right)
        this.wrong.push(`F9: ${text.slice(0, 60)} is not what was produced`);
      else {
        this.stored.set(produced.n, reason);
        container.watch.kept.add(produced.n);
      }
    }
    return { key: 'k', entries: document.entries.length };
  }

  /** F14. */
  #seek(text: string, where: string): void {
    if ([CANARY, ...this.#tokens].some((secret) => text.includes(secret)))
      this.wrong.push(`F14: a secret is in ${where}`);
  }

  async #fetch(container: Container, url: string, init: FetchInit): Promise<FetchAnswer> {
    if (!container.alive) return never();
    if (new URL(url).pathname.startsWith('/ims/')) return this.#ask(container, url, init);
    const { messages, wrong } = this.deliveries.arrives(url, init, ORIGIN, container.watch.told);
    this.wrong.push(...wrong);
    await this.#sleep(LATENCY_MS);
    const dies = this.#dies?.at === ++this.#requests;
    if (dies && this.#dies?.before) return this.#die(container);
    if (messages.some((text) => text.includes('"poison"')))
      return new Response('{"title":"Bad Request","report":{"message":"Message is invalid"}}', {
        status: 400,
      });
    const response = await this.#own.runtime.fetch(url, init);
    if (dies) return this.#die(container);
    if (response.status === 401 || response.status === 403)
      if (container.watch.refused(init.headers.authorization)) this.count('refresh race');
    const text = await bodyOf(response);
    if (response.status === 207) {
      const acknowledged = acknowledgedIn(text, messages).map(serialOf);
      for (const n of acknowledged) container.watch.told.add(n);
      this.#classify(messages.length, acknowledged.length, messages, acknowledged);
    }
    return response;
  }

  #classify(all: number, good: number, messages: readonly string[], acknowledged: readonly number[]): void {
    if (good === 0 || good === all) return;
    const failed = messages.map(serialOf).findIndex((n) => !acknowledged.includes(n));
    this.count(failed === 0 ? 'partial, first' : failed === all - 1 ? 'partial, last' : 'partial, middle');
  }

  #die(container: Container): Promise<never> {
    container.alive = false;
    container.died.resolve('died');
    return never();
  }

  async #ask(container: Container, url: string, init: FetchInit): Promise<FetchAnswer> {
    const wrong = container.watch.asks(this.now);
    if (wrong !== undefined) this.wrong.push(wrong);
    await this.#sleep(LATENCY_MS);
    let status = 0;
    let text = '';
    try {
      const response = await this.#own.runtime.fetch(url, init);
      status = response.status;
      text = await bodyOf(response);
      return response;
    } finally {
      container.watch.answered(this.now, status, text);
      const [, token] = /"access_token":"([^"]+)"/.exec(text) ?? [];
      if (token !== undefined) this.#tokens.add(token);
      this.count('token');
    }
  }

  // The stream.

  #shard(): Shard {
    const id = `shardId-${String(this.#nextShard++).padStart(12, '0')}`;
    return { id, records: [], position: 0, limit: Number.POSITIVE_INFINITY, children: [] };
  }

  #nextShard = 0;

  #shardOf(key: string): Shard {
    let hash = [...key].reduce((sum, one) => (sum * 31 + one.charCodeAt(0)) >>> 0, 7);
    let shard = this.#root[hash % this.#root.length] as Shard;
    while (shard.children.length > 0) {
      hash = Math.floor(hash / 2);
      shard = shard.children[hash % shard.children.length] as Shard;
    }
    return shard;
  }
}

/** Its body is there to be read as often as one likes: the platform in this process keeps it whole. */
async function bodyOf({ body }: FetchAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function textOf(n: number, kind: Produced['kind'], bytes: number): string {
  if (kind === 'garbage') return `no JSON, "n":${n} {`;
  const mark = kind === 'refused' ? ',"refused":1' : kind === 'poison' ? ',"poison":1' : '';
  return `{"n":${n}${mark},"huge":9007199254740993,"firstName":"${'x'.repeat(bytes)}"}`;
}

function eventOf(records: readonly StreamRecord[], shardId: string): object {
  return {
    Records: records.map(({ sequenceNumber, key, bytes, arrivedAt }) => ({
      eventID: `${shardId}:${sequenceNumber}`,
      eventSource: 'aws:kinesis',
      eventSourceARN: STREAM_ARN,
      kinesis: {
        partitionKey: key,
        sequenceNumber,
        approximateArrivalTimestamp: arrivedAt / 1_000,
        data: bytes.toString('base64'),
      },
    })),
  };
}
