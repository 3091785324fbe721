// A container of the forwarder in virtual time: what it is told is watched, and it can die at any moment.
import type { FetchAnswer, FetchInit } from '../../lib/aep/transport.ts';
import { createForward, type Forward } from '../../lib/forward/forward.ts';
import type { ForwardRuntime } from '../../lib/runtime.ts';
import { ContainerWatch, type Deliveries, unbalanced } from './forward-watch.ts';
import { memoryMarks } from './marks.ts';
import { memoryRoutes } from './routes.ts';
import type { VirtualTime, Worker } from './virtual-time.ts';

/** What an invocation came to: the literal answer, an error, or a death. */
export interface Ended {
  readonly text?: string;
  readonly error?: Error;
}

/** What goes wrong with one invocation. */
export interface Mishap {
  /** The container dies at this request of the invocation, before AEP sees it or after. */
  readonly dies?: { readonly at: number; readonly before: boolean };
  /** The function's answer is lost: Lambda takes that for an error. */
  readonly silent?: boolean;
}

/** What is outside of every container of a world. */
export interface Outside
  extends Pick<ForwardRuntime, 'settings' | 'random' | 'secrets'>,
    Partial<Pick<ForwardRuntime, 'log' | 'metrics' | 'routes' | 'marks'>> {
  readonly deliveries: Deliveries;
  fetch(container: Container, url: string, init: FetchInit): Promise<FetchAnswer>;
  /** @throws while the store does not take what it is given */
  store(): void;
  wrong(what: string): void;
  /** Is given every log line, metric and document, and where it went. */
  readonly onWritten?: ((text: string, where: string) => void) | undefined;
  onMetrics?(counted: Readonly<Record<string, number>>): void;
}

/** One for each who waits: a shared one would keep all of them, and with them every world there was. */
export const never = () => new Promise<never>(() => undefined);

export class Container {
  readonly watch = new ContainerWatch();
  mishap: Mishap = {};
  /** Since the invocation began. */
  requests = 0;
  tokenRequests = 0;
  readonly #time: VirtualTime;
  readonly #worker: Worker;
  readonly #died = Promise.withResolvers<void>();
  readonly #forward: Forward;
  #alive = true;

  constructor(time: VirtualTime, outside: Outside) {
    this.#time = time;
    this.#worker = time.worker();
    this.#forward = createForward(runtimeOf(this, outside));
  }

  get alive(): boolean {
    return this.#alive;
  }

  now(): number {
    return this.#time.now();
  }

  /** In a dead container nobody wakes up. */
  sleep(ms: number): Promise<void> {
    return this.#alive ? this.#worker.sleep(ms) : never();
  }

  /** Whoever is at work in it never gets any further. */
  die(): Promise<never> {
    this.#alive = false;
    this.#died.resolve();
    return never();
  }

  async invoke(event: object, deadline: number, mishap: Mishap): Promise<Ended> {
    [this.mishap, this.requests, this.tokenRequests] = [mishap, 0, 0];
    this.#worker.begin();
    this.watch.inTrouble = false;
    const invocation = {
      remainingMs: () => deadline - this.now(),
      invocationId: '5a0c6a0e-0000-4000-8000-000000000000',
    };
    const ended = await Promise.race([
      this.#forward(event, invocation).then(
        (answer): Ended => ({ text: JSON.stringify(answer) }),
        (error: Error): Ended => ({ error }),
      ),
      this.#died.promise.then((): Ended => ({})),
    ]);
    this.#worker.end();
    return ended;
  }
}

function runtimeOf(container: Container, outside: Outside): ForwardRuntime {
  const { onWritten } = outside;
  const log = (message: string, fields: unknown) =>
    onWritten?.(`${message} ${JSON.stringify(fields)}`, 'the log');
  return {
    settings: outside.settings,
    random: outside.random,
    secrets: outside.secrets,
    routes: outside.routes ?? memoryRoutes(),
    marks: outside.marks ?? memoryMarks(),
    clock: { now: () => container.now(), sleep: (ms) => container.sleep(ms) },
    log: outside.log ?? { debug: log, info: log, warn: log, error: log },
    metrics: outside.metrics ?? metricsOf(outside),
    fetch: (url, init) => (container.alive ? outside.fetch(container, url, init) : never()),
    deadLetters: {
      put: async (document, kind) => {
        if (!container.alive) return never();
        outside.store();
        if (document.entries.some(({ reason }) => (reason === 'parked') !== (kind === 'parked')))
          outside.wrong('F9: a document has parked messages and rejects');
        onWritten?.(JSON.stringify(document), 'the store');
        for (const what of outside.deliveries.keeps(document, container.watch)) outside.wrong(what);
        return { key: 'k', entries: document.entries.length };
      },
    },
  };
}

/** Published on flush alone: what is never flushed was never counted. */
function metricsOf({ onWritten, onMetrics, wrong }: Outside): ForwardRuntime['metrics'] {
  let counted: Record<string, number> = {};
  return {
    count: (name, value, reason) => {
      counted[name] = (counted[name] ?? 0) + value;
      onWritten?.(`${name} ${reason}`, 'a metric');
    },
    measure: () => undefined,
    flush: (dimensions) => {
      onWritten?.(JSON.stringify(dimensions), 'a metric');
      const what = unbalanced(counted);
      if (what !== undefined) wrong(what);
      onMetrics?.(counted);
      counted = {};
    },
  };
}
