// A stream of several routes in a test: an inlet for each, containers that die, and what outlives them.
import { createForward, type Forward } from '../../lib/forward/forward.ts';
import type { BatchResponse } from '../../lib/forward/settle.ts';
import type { LogFields } from '../../lib/log.ts';
import { type PublishedPipeline, revisionOf } from '../../lib/published.ts';
import type { RouteList } from '../../lib/route-list.ts';
import type { ForwardRuntime } from '../../lib/runtime.ts';
import { settingsFrom } from '../../lib/settings.ts';
import {
  kinesisEvent,
  memoryStore,
  PUBLISHED,
  type RecordInput,
  SECRET,
  SHARD_ID,
  STREAM_ARN,
  virtualClock,
} from './forwarding.ts';
import { type Answer, acknowledgeAll, fakeInlet, type InletRequest, itemsOf } from './inlet.ts';
import { type MemoryMarks, memoryMarks } from './marks.ts';

/** A pipeline of the stream, and what its inlet answers. */
export interface RouteInput {
  readonly pipeline: string;
  readonly answer?: Answer;
  readonly from?: number;
  readonly published?: Partial<PublishedPipeline>;
}

export interface RoutedOptions {
  readonly unrouted?: 'count' | 'keep';
  readonly deadLetters?: ForwardRuntime['deadLetters'];
  readonly metrics?: ForwardRuntime['metrics'];
}

/** @param index of the pipeline's requests in this container, 0 for the first */
export type Dies = (pipeline: string, index: number) => 'before' | 'after' | undefined;

/** @param call such as `put` or `outage`; `index` of that call in this container, 0 for the first */
export type DiesAt = (call: string, index: number) => 'before' | 'after' | undefined;

/** A container that may die: whoever is at work in it never gets any further. */
export interface Mortal {
  readonly isDead: () => boolean;
  run(records: readonly RecordInput[], remainingMs?: number): Promise<BatchResponse | 'died'>;
}

export interface Routed {
  readonly clock: ReturnType<typeof virtualClock>;
  readonly marks: MemoryMarks;
  readonly store: ReturnType<typeof memoryStore>;
  readonly secrets: Map<string, string>;
  /** What its containers have. */
  readonly runtime: ForwardRuntime;
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[];
  /** By pipeline, what was counted. */
  readonly counted: Record<string, Record<string, number>>;
  /** By pipeline, every message that was acknowledged, as often as it was. */
  readonly taken: Record<string, string[]>;
  /** By pipeline, the requests that came in. */
  readonly requests: Record<string, InletRequest[]>;
  /** From here on, what the inlet of the pipeline answers. */
  answer(pipeline: string, answer: Answer): void;
  publish(routes: readonly RouteInput[]): void;
  /** A container with nothing in its memory. */
  container(): Forward;
  /**
   * A container that dies when `dies` says so of a request, before its inlet sees it or after, or `diesAt` of a call to
   * the marks or the store.
   */
  mortal(dies: Dies, diesAt?: DiesAt): Mortal;
  /** Forwards with a container; a fresh one by default. */
  run(records: readonly RecordInput[], forward?: Forward, remainingMs?: number): Promise<BatchResponse>;
  /** What redrive does once the inlet answers again: sends what is parked, and ends the outage. */
  sendParked(pipeline: string): Promise<void>;
  /** The log line of a pipeline's last batch. */
  lineOf(pipeline: string): LogFields | undefined;
}

const LIST = 'customers';

/** A stream with these routes. */
export function routed(inputs: readonly RouteInput[], options: RoutedOptions = {}): Routed {
  const clock = virtualClock();
  const store = memoryStore();
  const marks = memoryMarks();
  const lines: Routed['lines'] = [];
  const counted: Routed['counted'] = {};
  const taken: Routed['taken'] = {};
  const requests: Routed['requests'] = {};
  const answers = new Map<string, Answer>();
  const inletUrls = new Map<string, string>();
  const credentials = { clientId: 'c', clientSecret: SECRET, organizationId: PUBLISHED.organizationId };
  const secrets = new Map([['penstock/dev/credentials', JSON.stringify(credentials)]]);
  let list: RouteList | undefined;

  const publish = (routes: readonly RouteInput[]): void => {
    const listed: RouteList['routes'] = {};
    for (const { pipeline, published, from } of routes) {
      const number = inletUrls.size.toString(16).padStart(32, '0');
      const inletUrl = published?.inletUrl ?? `https://dcs.adobedc.net/collection/${number}`;
      inletUrls.set(inletUrl.split('/').at(-1) ?? '', pipeline);
      const document = {
        ...PUBLISHED,
        datasetId: `dataset-of-${pipeline}`,
        ...published,
        pipeline,
        inletUrl,
      };
      const text = JSON.stringify(document);
      secrets.set(`penstock/dev/streams/customers/${pipeline}`, text);
      listed[pipeline] = { revision: revisionOf(text), ...(from !== undefined && { from }) };
      taken[pipeline] ??= [];
      requests[pipeline] ??= [];
    }
    const settings = { compression: 'none', unrouted: options.unrouted ?? 'count' } as const;
    list = { version: 1, streamArn: STREAM_ARN, settings, routes: listed };
  };
  publish(inputs);
  for (const { pipeline, answer } of inputs) if (answer !== undefined) answers.set(pipeline, answer);

  const log =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const pipelineOf = (url: string) => inletUrls.get(url.split('/').at(-1) ?? '') ?? '';
  const inlet = fakeInlet(async (request) => {
    const pipeline = pipelineOf(request.url);
    const own = { ...request, index: requests[pipeline]?.length ?? 0 };
    requests[pipeline]?.push(own);
    const response = await (answers.get(pipeline) ?? acknowledgeAll)(own);
    if (response.status === 207)
      note(taken[pipeline] ?? [], itemsOf(request.text), await response.clone().text());
    return response;
  });
  const pending: [string, number][] = [];
  const runtime: ForwardRuntime = {
    settings: settingsFrom({}),
    clock,
    random: () => 0.5,
    fetch: inlet.fetch,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    secrets: {
      get: async (id) => secrets.get(id),
      create: async () => true,
      put: () => Promise.reject(new Error('the forwarder writes no secret')),
      remove: () => Promise.reject(new Error('the forwarder removes no secret')),
    },
    routes: { read: async (name) => ({ value: name === LIST ? list : undefined, version: '1' }) },
    marks,
    deadLetters: options.deadLetters ?? store,
    metrics: options.metrics ?? {
      count(name, value, reason) {
        pending.push([name, value]);
        if (reason !== undefined) pending.push([`${name} ${reason}`, value]);
      },
      measure: () => undefined,
      flush({ pipeline }) {
        const own = counted[pipeline] ?? {};
        counted[pipeline] = own;
        for (const [name, value] of pending.splice(0)) own[name] = (own[name] ?? 0) + value;
      },
    },
  };
  return {
    clock,
    marks,
    store,
    secrets,
    runtime,
    lines,
    counted,
    taken,
    requests,
    publish,
    answer: (pipeline, answer) => void answers.set(pipeline, answer),
    container: () => createForward(runtime),
    mortal(dies, diesAt = () => undefined) {
      const death = Promise.withResolvers<'died'>();
      let isDead = false;
      const seen = new Map<string, number>();
      const never = () => new Promise<never>(() => undefined);
      const alive = <T>(call: () => Promise<T>): Promise<T> => (isDead ? never() : call());
      const die = (): Promise<never> => {
        isDead = true;
        death.resolve('died');
        return never();
      };
      const calls = new Map<string, number>();
      const at = <A extends unknown[], T>(name: string, call: (...given: A) => Promise<T>) => {
        return (...given: A): Promise<T> =>
          alive(async () => {
            const index = calls.get(name) ?? 0;
            calls.set(name, index + 1);
            const when = diesAt(name, index);
            if (when === 'before') return die();
            const answer = await call(...given);
            return when === 'after' || isDead ? die() : answer;
          });
      };
      const own = createForward({
        ...runtime,
        clock: { now: clock.now, sleep: (ms) => alive(() => clock.sleep(ms)) },
        marks: {
          read: at('read', marks.read),
          write: at('write', marks.write),
          clear: at('clear', marks.clear),
          outage: at('outage', marks.outage),
          outageLasts: at('outageLasts', marks.outageLasts),
          outageEnded: at('outageEnded', marks.outageEnded),
        },
        deadLetters: { put: at('put', runtime.deadLetters.put) },
        fetch: (url, init) =>
          alive(async () => {
            const pipeline = pipelineOf(url);
            const index = seen.get(pipeline) ?? 0;
            seen.set(pipeline, index + 1);
            const when = dies(pipeline, index);
            if (when === 'before') return die();
            const answer = await inlet.fetch(url, init);
            return when === 'after' || isDead ? die() : answer;
          }),
      });
      return {
        isDead: () => isDead,
        run(records, remainingMs = 60_000) {
          const deadline = clock.now() + remainingMs;
          const invocation = { remainingMs: () => deadline - clock.now(), invocationId: 'i' };
          return Promise.race([own(kinesisEvent(records), invocation), death.promise]);
        },
      };
    },
    run(records, forward = createForward(runtime), remainingMs = 60_000) {
      const deadline = clock.now() + remainingMs;
      return forward(kinesisEvent(records), { remainingMs: () => deadline - clock.now(), invocationId: 'i' });
    },
    async sendParked(pipeline) {
      const own = store.parked.filter((document) => document.pipeline === pipeline);
      for (const document of own) {
        store.parked.splice(store.parked.indexOf(document), 1);
        for (const { data } of document.entries)
          taken[pipeline]?.push(Buffer.from(data, 'base64').toString());
      }
      await marks.outageEnded({ stream: 'customers', shardId: SHARD_ID }, pipeline).catch(() => undefined);
    },
    lineOf: (pipeline) =>
      lines.findLast(({ fields }) => fields.event === 'batch-ended' && fields.pipeline === pipeline)?.fields,
  };
}

function note(taken: string[], messages: readonly string[], text: string): void {
  const { responses } = JSON.parse(text) as { responses: ({ xactionId?: string; status?: number } | null)[] };
  responses.forEach((entry, index) => {
    if (entry?.xactionId !== undefined && entry.status === undefined) taken.push(messages[index] as string);
  });
}
