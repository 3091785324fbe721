// Executions of several pipelines of one stream, turn by turn: the real steps over fakes, each call of which waits for its turn.
import { Failure, isFailure } from '../../lib/failure.ts';
import { Manifest } from '../../lib/manifest.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { planRoute, planTrigger } from '../../lib/provision/plan/route.ts';
import type { StreamContext } from '../../lib/provision/resources/resource.ts';
import { publish } from '../../lib/provision/steps/publish.ts';
import { retire, stop } from '../../lib/provision/steps/retire.ts';
import { unpublish } from '../../lib/provision/steps/rollback.ts';
import { trigger } from '../../lib/provision/steps/trigger.ts';
import type { RouteList } from '../../lib/route-list.ts';
import type { Secrets, Trigger, Triggers } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { inletManifest } from '../provision/cases.ts';
import { STREAM_ARN } from './provisioning.ts';
import { memoryRoutes } from './routes.ts';

/** What an execution is to do. */
export type Wish =
  | { readonly mode: 'apply'; readonly compression: 'none' | 'gzip'; readonly order: 'key' | 'strict' }
  | { readonly mode: 'retire' };

/** How one came out: `conflict` leaves everything as it was. */
export type Outcome = 'done' | 'conflict';

class Died extends Error {}

const START = Date.parse('2026-01-01T00:00:00Z');
const MAX_TURNS = 20_000;
const SECRET = 'penstock/dev/streams/customers';

/** The stream, all that AWS holds of it, and who waits for a turn. */
export class SharedStream {
  readonly routes = memoryRoutes();
  readonly secrets = new Map<string, string>();
  readonly versions = new Map<string, string>();
  readonly triggers = new Map<string, Trigger>();
  /** What must never be, and was. */
  readonly wrong: string[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #random: () => number;
  readonly #dies: number;
  #executions = 0;
  #triggers = 0;
  now = START;
  deaths = 0;
  turns = 0;

  /** @param dies how likely a call is the last one of its execution */
  constructor(random: () => number, dies: number) {
    this.#random = random;
    this.#dies = dies;
  }

  /** Does the wishes of each pipeline one after the other, those of different ones at once, until all are done. */
  async drive(wishes: Readonly<Record<string, readonly Wish[]>>): Promise<Record<string, Outcome[]>> {
    let open = Object.keys(wishes).length;
    const all = Object.entries(wishes).map(async ([name, own]) => {
      const outcomes: Outcome[] = [];
      try {
        for (const wish of own) outcomes.push(await this.#until(name, wish));
      } catch (error) {
        this.wrong.push(`${name}: ${error instanceof Error ? error.stack : error}`);
      }
      open--;
      return [name, outcomes] as const;
    });
    while (open > 0) {
      if (this.turns > MAX_TURNS) throw new Error(`no end: ${JSON.stringify(this.list())}`);
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
      next?.();
      this.turns++;
    }
    return Object.fromEntries(await Promise.all(all));
  }

  /** Starts an execution, and another one where that one died or is to be started again. */
  async #until(name: string, wish: Wish): Promise<Outcome> {
    for (;;) {
      try {
        return await this.#execution(name, wish);
      } catch (error) {
        if (error instanceof Died) this.deaths++;
        else if (!isFailure(error) || !error.retryable) throw error;
      }
    }
  }

  async #execution(name: string, wish: Wish): Promise<Outcome> {
    const id = `execution-${++this.#executions}`;
    const context = { runtime: this.#runtime(), aep: AEP, first: true } as unknown as StreamContext;
    const asked = documentOf(name, wish, id, this.now);
    const { manifest, streamArn } = asked;
    if (manifest.source.kind !== 'inlet') throw new Error('no inlet');
    const route = await planRoute({ ...asked, streamArn }, manifest.source, context);
    if (route.action === 'conflict') return 'conflict';
    const entry = { resource: 'publish' as const, name: streamArn, ...route };
    const begun = { ...asked, plan: [entry] };
    const planned: Pipeline = { ...begun, plan: [entry, await planTrigger(begun, context)] };
    if (wish.mode === 'retire') {
      await retire(await stop(planned, context), context);
      return 'done';
    }
    try {
      await trigger(await publish(planned, context), context);
      return 'done';
    } catch (error) {
      if (!isFailure(error) || error.code !== 'CONFLICT') throw error;
      await unpublish(planned, context);
      return 'conflict';
    }
  }

  #runtime() {
    return {
      settings: settingsFrom({ PENSTOCK_INLET_ORIGINS: 'https://dcs.adobedc.net' }),
      clock: {
        now: () => this.now,
        sleep: (ms: number) =>
          this.#turn(() => {
            this.now += ms;
          }),
      },
      random: () => 0.5,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      routes: {
        read: (stream: string) => this.#turn(() => this.routes.read(stream)),
        write: (...given: [string, unknown, string | undefined]) =>
          this.#turn(() => this.routes.write(...given)),
        remove: (...given: [string, string | undefined]) => this.#turn(() => this.routes.remove(...given)),
      },
      secrets: this.#secrets(),
      triggers: this.#lambda(),
    };
  }

  #secrets(): Secrets {
    const { secrets, versions } = this;
    const write = (id: string, value: string, version = '') => {
      secrets.set(id, value);
      versions.set(`${id} ${version}`, value);
    };
    return {
      get: (id, version) =>
        this.#turn(() =>
          version === undefined || !secrets.has(id) ? secrets.get(id) : versions.get(`${id} ${version}`),
        ),
      create: (id, value, _, version) =>
        this.#turn(() => {
          if (secrets.has(id)) return false;
          write(id, value, version);
          return true;
        }),
      put: (id, value, _, version) => this.#turn(() => write(id, value, version)),
      remove: (id) => this.#turn(() => void secrets.delete(id)),
    };
  }

  #lambda(): Triggers {
    const switched = (state: 'on' | 'off') => (id: string) =>
      this.#turn(() => {
        const found = this.triggers.get(id);
        if (found === undefined) throw new Failure('AWS_REFUSED', `there is no trigger ${id}`);
        if (state === 'off') this.#mustBeLast('switched off');
        this.triggers.set(id, { ...found, state });
      });
    return {
      find: () => this.#turn(() => [...this.triggers.values()][0]),
      create: (streamArn) =>
        this.#turn(() => {
          if (this.triggers.size > 0) throw new Failure('AWS_UNAVAILABLE', 'ResourceConflictException');
          const made = { id: `trigger-${++this.#triggers}`, streamArn, state: 'off' as const };
          this.triggers.set(made.id, made);
          return made;
        }),
      switchOn: switched('on'),
      switchOff: switched('off'),
      remove: (id) =>
        this.#turn(() => {
          this.#mustBeLast('removed');
          this.triggers.delete(id);
        }),
    };
  }

  /** A call: it waits for its turn, and may be the last thing that its execution does, or nearly does. */
  async #turn<T>(act: () => T | Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    const dies = this.#random() < this.#dies;
    if (dies && this.#random() < 0.5) throw new Died();
    const result = await act();
    this.#check();
    if (dies) throw new Died();
    return result;
  }

  list(): RouteList | undefined {
    const { text } = this.routes.lists.get('customers') ?? {};
    return text === undefined ? undefined : (JSON.parse(text) as RouteList);
  }

  /** The document that the list names. */
  document(pipeline: string): Record<string, unknown> | undefined {
    const revision = this.list()?.routes[pipeline]?.revision;
    const id = revision === undefined ? SECRET : `${SECRET}/${pipeline}`;
    const text = revision === undefined ? this.secrets.get(id) : this.versions.get(`${id} ${revision}`);
    return this.secrets.has(id) && text !== undefined ? JSON.parse(text) : undefined;
  }

  #mustBeLast(what: string): void {
    const others = Object.keys(this.list()?.routes ?? {});
    if (others.length > 1) this.wrong.push(`the trigger was ${what} under ${others.join(', ')}`);
    if (this.list()?.closing === undefined)
      this.wrong.push(`the trigger was ${what}, and anybody could join`);
  }

  /** At every moment a forwarder may read: each route has its document, and all say the same of what they share. */
  #check(): void {
    const list = this.list();
    for (const pipeline of Object.keys(list?.routes ?? {})) {
      const { compression } = this.document(pipeline) ?? {};
      if (compression === undefined && this.triggers.size > 0)
        this.wrong.push(`${pipeline} is listed without its document`);
      if (compression !== undefined && compression !== list?.settings.compression)
        this.wrong.push(`${pipeline} has ${compression}, and the stream ${list?.settings.compression}`);
    }
  }
}

const AEP = {
  flowService: {
    getConnection: async (id: string) => ({
      id,
      auth: {
        params: {
          inletUrl: 'https://dcs.adobedc.net/collection/0123456789abcdef0123456789abcdef',
          sourceId: id,
          authenticationRequired: true,
        },
      },
    }),
  },
  sessions: { current: async () => ({ organizationId: '0A1B2C3D4E5F60718293A4B5@AdobeOrg' }) },
};

const MADE = ['base-connection', 'flow', 'dataset', 'schema'];

function documentOf(name: string, wish: Wish, id: string, now: number): Pipeline & { streamArn: string } {
  const { mode, ...more } = wish;
  const source = { kind: 'inlet', stream: 'customers', data: 'raw', ...more };
  const resources = Object.fromEntries(MADE.map((key) => [key, { id: `${name}-${key}`, name, how: 'kept' }]));
  return {
    mode,
    manifest: Manifest.parse(inletManifest({ name, source })),
    execution: { id, name: id, startedAt: new Date(now).toISOString() },
    streamArn: STREAM_ARN,
    resources,
    drainSeconds: 0,
    plan: [],
    old: [],
    hints: {},
    verified: [],
    fates: [],
    removed: [],
    left: [],
  } as unknown as Pipeline & { streamArn: string };
}
