// A stream that Lambda reads, the simulated platform, and forwarders in between that can die at any request.
import type { FetchAnswer, FetchInit } from '../../lib/aep/transport.ts';
import { MIN_REQUEST_MS, SETTLE_RESERVE_MS } from '../../lib/forward/send/classes.ts';
import type { FaultSpec } from '../../local/aep/fault-kinds.ts';
import { branch } from './branch.ts';
import type { Container, Mishap, Outside } from './container.ts';
import {
  acknowledgedIn,
  Deliveries,
  type Fate,
  messagesIn,
  type Produced,
  serialOf,
} from './forward-watch.ts';
import { aggregate } from './kpl.ts';
import { memoryMarks } from './marks.ts';
import { ORIGIN, world as provisioningWorld, STREAM_ARN } from './provisioning.ts';
import { CREDENTIALS } from './scripted.ts';
import { type Carried, type Invocation, VirtualLambda } from './virtual-lambda.ts';
import { VirtualTime } from './virtual-time.ts';

const LATENCY_MS = 5;
const CANARY = CREDENTIALS.clientSecret;
/** Long enough for whatever is left once nothing goes wrong any more. */
const DRAIN_MS = 1_800_000;
const MOST_SHARDS = 7;
/** Of a lone message that the inlet calls too large, nobody can say otherwise. What is parked waits. */
const SOUND_IN_STORE = ['too-large', 'parked'];
const NO_TIME_MS = SETTLE_RESERVE_MS + MIN_REQUEST_MS;

export interface Poll extends Mishap {
  readonly size: number;
  readonly timeoutMs: number;
  /** How long the mapping is on; without it, for one invocation of each shard. */
  readonly forMs?: number;
}

export type Own = ReturnType<typeof branch>;

/** The provisioned pipeline that every world begins with. */
export async function provisioned(manifest: object): Promise<Own> {
  const own = provisioningWorld();
  const { status, cause } = await own.run({ manifest });
  if (status !== 'SUCCEEDED') throw new Error(cause);
  return own;
}

/**
 * How several messages stand in one record: as the KPL puts them there, or as the lines of a format. `parked`: as the
 * KPL does, and the pipeline parks.
 */
export type Holding = 'aggregates' | 'lines' | 'parked';

export class ForwardWorld {
  readonly deliveries = new Deliveries();
  /** Serial numbers of messages that grew too old, and of which Lambda keeps a document. */
  readonly expired = new Set<number>();
  /** What was found wrong, each as `F…: what`. */
  readonly wrong: string[] = [];
  readonly counts = new Map<string, number>();
  readonly clientSecrets = [CREDENTIALS.clientSecret];
  readonly #own: Own;
  readonly #lambda: VirtualLambda;
  readonly #names = new Map<string, string>();
  readonly #tokens = new Set<string>();
  #storeFails = 0;
  readonly #marks = memoryMarks();
  #serial = 0;

  readonly #holding: Holding;

  constructor(base: Own, holding: Holding = 'aggregates') {
    this.#holding = holding;
    this.#own = branch(base, {
      credentials: [{ clientId: CREDENTIALS.clientId, clientSecrets: this.clientSecrets }],
      onReceived: (records) => this.deliveries.take(records.map(({ n }) => Number(n))),
    });
    this.#lambda = new VirtualLambda({
      time: new VirtualTime(this.#own.time),
      streamArn: STREAM_ARN,
      shards: 2,
      outside: this.#outside(),
      count: (what, by) => this.count(what, by),
      onInvocation: (invocation) => this.#checkReported(invocation),
      onPassed: (records) => this.#checkPassed(records),
      onGivenUp: (records) => {
        for (const n of records.flatMap(({ of }) => of)) this.expired.add(n);
      },
    });
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  // What happens in the world.

  produce(key: string, fates: readonly Fate[], bytes: number): void {
    const serials = fates.map(() => ++this.#serial);
    const texts = fates.map((fate, index) => textOf(serials[index] as number, fate, bytes));
    const parts = texts.map((text) => ({ key, data: Buffer.from(text) }));
    const [first] = parts;
    const whole = parts.length > 1;
    const lines = this.#holding === 'lines' ? Buffer.from(texts.join('\n')) : undefined;
    const data = lines ?? (whole || first === undefined ? aggregate(parts) : first.data);
    const { sequenceNumber } = this.#lambda.stream.put(key, data, serials);
    for (const [index, fate] of fates.entries()) {
      const [n, text] = [serials[index] as number, texts[index] as string];
      const place = { sequenceNumber, ...((whole || lines !== undefined) && { subSequenceNumber: index }) };
      this.deliveries.produced.set(n, { n, key, ...place, text, fate });
    }
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

  /** What redrive does in the end: all that is parked is sent, and the outage has ended. */
  endOutages(): void {
    this.count('an outage ended', this.#marks.outages.size);
    this.#marks.outages.clear();
  }

  /** Time passes while the mapping is off. */
  advance(ms: number): void {
    this.#own.time.now += ms;
  }

  /** A new client secret; the old one is taken back at once. */
  rotate(): void {
    const secret = `${CANARY}-${this.clientSecrets.length}-${this.#own.time.now}`;
    this.clientSecrets.splice(0, this.clientSecrets.length, secret);
    const value = JSON.stringify({ ...CREDENTIALS, clientSecret: secret });
    this.#own.secrets.values.set('penstock/dev/credentials', value);
    this.fault('rotated', { kind: 'expireTokens', path: '/collection/**', times: 1 });
  }

  split(which: number): void {
    const { open } = this.#lambda.stream;
    const shard = open[which % open.length];
    if (shard === undefined || open.length >= MOST_SHARDS) return;
    this.#lambda.stream.split(shard.id);
    this.count('reshard');
  }

  merge(which: number): void {
    const { open } = this.#lambda.stream;
    const [one, other] = [open[which % open.length], open[(which + 1) % open.length]];
    if (one === undefined || other === undefined || one === other) return;
    this.#lambda.stream.merge(one.id, other.id);
    this.count('reshard');
  }

  /** The mapping is on for a while; what goes wrong does so in the first invocation of each shard. */
  async poll({ size, timeoutMs, forMs, ...mishap }: Poll): Promise<void> {
    const run = { batchSize: size, timeoutMs, mishap };
    await (forMs === undefined ? this.#lambda.once(run) : this.#lambda.run(run, forMs));
  }

  /** Nothing goes wrong any more: everything has to come to its end. */
  async drain(): Promise<void> {
    this.heal();
    await this.#lambda.run({}, DRAIN_MS);
    const { pending } = this.#lambda;
    if (pending > 0) this.wrong.push(`F15: ${pending} are still pending`);
  }

  // What is watched.

  /** F4: what is reported has something in it that is not resolved; who has no time to look gives back all. */
  #checkReported({ text, batch, settled, timeoutMs, container: { watch } }: Invocation): void {
    if (text === undefined || settled === batch.length || timeoutMs < NO_TIME_MS) return;
    const reported = batch[settled];
    if (reported?.of.every((n) => watch.told.has(n) || watch.kept.has(n)))
      this.wrong.push(`F4: ${reported.sequenceNumber} is reported and has nothing unresolved`);
  }

  /** F1, F3, F6: whatever is behind the checkpoint is in AEP or in the store; Lambda's own documents come on top. */
  #checkPassed(records: readonly Carried[]): void {
    for (const n of records.flatMap(({ of }) => of)) {
      const { fate } = this.deliveries.produced.get(n) as Produced;
      const why = this.deliveries.stored.get(n);
      if (why === undefined && !this.deliveries.taken.has(n)) this.wrong.push(`F3: ${n} (${fate}) is lost`);
      if (why === 'parked') this.count('parked');
      if (fate === 'sound' && why !== undefined && !SOUND_IN_STORE.includes(why))
        this.wrong.push(`F3: ${n} is sound and in the store: ${why}`);
    }
  }

  #outside(): Outside {
    const { runtime } = this.#own;
    return {
      settings: runtime.settings,
      random: runtime.random,
      secrets: runtime.secrets,
      routes: runtime.routes,
      marks: this.#marks,
      deliveries: this.deliveries,
      fetch: (container, url, init) =>
        new URL(url).pathname.startsWith('/ims/')
          ? this.#ask(container, url, init)
          : this.#post(container, url, init),
      store: () => {
        if (this.#storeFails === 0) return;
        this.#storeFails--;
        this.count('the store failed');
        throw new Error('the store is not there');
      },
      wrong: (what) => void this.wrong.push(what),
      onWritten: (text, where) => {
        if ([CANARY, ...this.#tokens].some((secret) => text.includes(secret)))
          this.wrong.push(`F14: a secret is in ${where}`);
      },
    };
  }

  async #post(container: Container, url: string, init: FetchInit): Promise<FetchAnswer> {
    const { mishap, watch } = container;
    const messages = this.#arrived(container, url, init);
    await container.sleep(LATENCY_MS);
    const dies = mishap.dies?.at === ++container.requests;
    if (dies && mishap.dies?.before) return container.die();
    if (messages.some((text) => text.includes('"poison"'))) {
      watch.inTrouble = true;
      return new Response('{"title":"Bad Request","report":{"message":"Message is invalid"}}', {
        status: 400,
      });
    }
    const response = await this.#own.runtime.fetch(url, init);
    if (dies) return container.die();
    if (response.status === 401 || response.status === 403)
      if (watch.refused(init.headers.authorization)) this.count('refresh race');
    const text = await bodyOf(response);
    if (response.status !== 207) watch.inTrouble = true;
    else {
      const acknowledged = acknowledgedIn(text, messages).map(serialOf);
      if (acknowledged.length < messages.length) watch.inTrouble = true;
      for (const n of acknowledged) watch.told.add(n);
      this.#classify(messages.length, acknowledged.length, messages, acknowledged);
    }
    return response;
  }

  #arrived({ watch }: Container, url: string, { body = '', redirect }: FetchInit): string[] {
    if (new URL(url).origin !== ORIGIN || redirect !== 'manual') this.wrong.push(`F13: ${url}`);
    const [messages, wrong] = messagesIn(Buffer.from(body), '{"n":');
    this.wrong.push(...wrong, ...this.deliveries.arrives(messages, watch.told, watch.inTrouble));
    return messages;
  }

  #classify(all: number, good: number, messages: readonly string[], acknowledged: readonly number[]): void {
    if (good === 0 || good === all) return;
    const failed = messages.map(serialOf).findIndex((n) => !acknowledged.includes(n));
    this.count(failed === 0 ? 'partial, first' : failed === all - 1 ? 'partial, last' : 'partial, middle');
  }

  async #ask(container: Container, url: string, init: FetchInit): Promise<FetchAnswer> {
    container.tokenRequests++;
    const wrong = container.watch.asks(container.now());
    if (wrong !== undefined) this.wrong.push(wrong);
    await container.sleep(LATENCY_MS);
    let status = 0;
    let text = '';
    try {
      const response = await this.#own.runtime.fetch(url, init);
      status = response.status;
      text = await bodyOf(response);
      return response;
    } finally {
      container.watch.answered(container.now(), status, text);
      const [, token] = /"access_token":"([^"]+)"/.exec(text) ?? [];
      if (token !== undefined) this.#tokens.add(token);
      this.count('token');
    }
  }
}

/** Its body is there to be read as often as one likes: the platform in this process keeps it whole. */
async function bodyOf({ body }: FetchAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function textOf(n: number, fate: Fate, bytes: number): string {
  if (fate === 'garbage') return `no JSON, "n":${n} {`;
  const mark = fate === 'refused' ? ',"refused":1' : fate === 'poison' ? ',"poison":1' : '';
  return `{"n":${n}${mark},"huge":9007199254740993,"firstName":"${'x'.repeat(bytes)}"}`;
}
