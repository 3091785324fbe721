// Trouble at one exact call of an execution: what is cut, killed, hung or stopped there, and a record of every call made.
import { failure, type InvocationResult } from '../../local/aws/function-errors.ts';

/**
 * - `refused`: not applied, the connection was refused
 * - `lost`: applied, the connection was cut
 * - `error-after`: applied, answered with a 500
 * - `truncated`: applied, half of the answer's body
 * - `throttled`: not applied, answered with a 429
 * - `killed`: applied, and the function dies before it can say so
 * - `zombie`: applied, and the function hangs until it is released, while Step Functions has given it up
 */
export const MODES = [
  'refused',
  'lost',
  'error-after',
  'truncated',
  'throttled',
  'killed',
  'zombie',
] as const;
export type Mode = (typeof MODES)[number];

export type Kind = 'aep' | 'aws' | 'wait';

/** One call to the outside, as an interceptor sees it. */
export interface Call {
  readonly kind: Kind;
  readonly label: string;
  /** Whether it may change something; asking for a token does not. */
  readonly change: boolean;
  readonly execution: string;
  /** The function that makes it; of a service integration or a wait of the machine, the state. */
  readonly step: string;
  /** Which of its kind it is in this execution, from 1; 0 where a zombie makes it. */
  readonly index: number;
  readonly zombie: boolean;
  /** Of a wait: when it is over. */
  readonly until?: number;
}

export type Intercept = <T>(call: Call, proceed: () => Promise<T>) => Promise<T>;

export interface Fault {
  /** The call it hits, from 1. */
  readonly k: number;
  readonly mode: Mode;
  /** Calls to AEP are counted, tokens included, unless it says `aws`. */
  readonly kind?: 'aep' | 'aws';
  /** `abort`: StopExecution at that moment. The function is gone too, unless it is a zombie. */
  readonly after?: 'retry' | 'abort';
  /** How Lambda calls the death of one that was killed. */
  readonly as?: 'Lambda.Unknown' | 'Sandbox.Timedout';
}

/** A call that was made. */
export interface Made extends Call {
  /** The fault that hit it. */
  readonly fault?: Mode;
}

/** What happens to a call on the wire; the caller plays it. */
export type Spoil = Exclude<Mode, 'killed' | 'zombie'>;

const LAMBDA_SECONDS = 120;

export interface Time {
  now: number;
}

/** A function that was given up and still runs. */
export class Zombie {
  readonly step: string;
  /** What it did since it was released. */
  readonly calls: Made[] = [];
  readonly #hung = Promise.withResolvers<void>();
  readonly #ended: Promise<unknown>;

  constructor(step: string, ended: Promise<unknown>) {
    this.step = step;
    this.#ended = ended;
  }

  get hung(): Promise<void> {
    return this.#hung.promise;
  }

  /** Lets it go on; resolves with what it came to, when it has. */
  async release(): Promise<unknown> {
    this.#hung.resolve();
    return this.#ended;
  }
}

/** One invocation of one function: lives, dies, or becomes a zombie. */
export class Invocation {
  readonly step: string;
  readonly timeoutSeconds: number;
  readonly began: number;
  zombie: Zombie | undefined;
  dead = false;
  /** Resolves when it is over for whoever invoked it. */
  readonly over = Promise.withResolvers<InvocationResult>();
  /** What the handler itself came to, where it comes to anything. */
  readonly handled = Promise.withResolvers<unknown>();

  constructor(step: string, timeoutSeconds: number, began: number) {
    this.step = step;
    this.timeoutSeconds = timeoutSeconds;
    this.began = began;
  }
}

/** What somebody waits for who will never hear of it. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

const plain: Intercept = (_call, proceed) => proceed();

/** One execution's calls: numbered, recorded, intercepted, and hit by the faults that are meant for them. */
export class Execution {
  readonly name: string;
  readonly calls: Made[] = [];
  readonly zombies: Zombie[] = [];
  readonly logged: string[] = [];
  readonly #time: Time;
  readonly #stop = new AbortController();
  readonly #intercept: Intercept;
  readonly #counts = { aep: 0, aws: 0, wait: 0 };
  /** Those that have not hit yet. */
  readonly #faults: Set<Fault>;
  #running: Invocation | undefined;

  constructor(
    name: string,
    time: Time,
    options: {
      intercept?: Intercept;
      fault?: Fault | readonly Fault[];
      /** What it has done before: it goes on from there. */
      from?: { readonly calls: readonly Made[]; readonly logged: readonly string[] };
    } = {},
  ) {
    this.name = name;
    this.#time = time;
    this.#intercept = options.intercept ?? plain;
    this.#faults = new Set([options.fault ?? []].flat());
    const { calls = [], logged = [] } = options.from ?? {};
    this.calls.push(...calls);
    this.logged.push(...logged);
    for (const { kind } of calls) this.#counts[kind] += 1;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether every fault has hit. */
  get struck(): boolean {
    return this.#faults.size === 0;
  }

  /** StopExecution: its machine goes on no further, and what is running is gone unless it is a zombie. */
  stop(): void {
    if (this.#running?.zombie === undefined && this.#running !== undefined) this.#running.dead = true;
    this.#stop.abort();
  }

  /** Runs a handler as one invocation, to its end or to the end that a fault puts to it. */
  async invoke(at: Invocation, handler: () => Promise<InvocationResult>): Promise<InvocationResult> {
    this.#running = at;
    const answer = handler();
    answer.then(at.handled.resolve, at.handled.reject);
    at.handled.promise.catch(() => undefined);
    const result = await Promise.race([answer, at.over.promise]);
    if (this.#running === at) this.#running = undefined;
    return result;
  }

  /** A call of a function. `apply` makes it, spoiled as told. */
  async call<T>(
    at: Invocation,
    what: Pick<Call, 'kind' | 'label' | 'change'>,
    apply: (spoil?: Spoil) => Promise<T>,
  ): Promise<T> {
    if (at.dead) return never();
    const { call, fault } = this.#record(what, at.step, at.zombie);
    const mode = fault?.mode;
    const spoil = mode === 'killed' || mode === 'zombie' ? undefined : mode;
    const outcome = await settled(this.#intercept(call, () => (at.dead ? never<T>() : apply(spoil))));
    if (at.dead) return never();
    if (fault !== undefined) await this.#struckAt(at, fault);
    await this.#inTime(at);
    return outcome();
  }

  /** A call of the machine itself. */
  async integrate<T>(
    state: string,
    what: Pick<Call, 'label' | 'change'>,
    apply: (spoil?: Spoil) => Promise<T>,
  ): Promise<T> {
    const { call, fault } = this.#record({ kind: 'aws', ...what }, state, undefined);
    const mode = fault?.mode;
    const spoil = mode === 'killed' || mode === 'zombie' ? 'lost' : mode;
    const outcome = await settled(this.#intercept(call, () => apply(spoil)));
    if (fault?.after === 'abort') this.stop();
    return outcome();
  }

  /** Lets time pass for a function; one that sleeps past its own timeout does not wake up. */
  async sleep(at: Invocation, ms: number): Promise<void> {
    if (at.dead) return never();
    const deadline = at.zombie === undefined ? at.began + LAMBDA_SECONDS * 1_000 : Number.POSITIVE_INFINITY;
    await this.wait(at.step, Math.min(this.#time.now + ms, deadline), at.zombie);
    if (at.dead) return never();
    await this.#inTime(at);
  }

  /** Lets time pass until then. */
  wait(step: string, until: number, zombie?: Zombie): Promise<void> {
    const { call } = this.#record(
      { kind: 'wait', label: `wait ${until - this.#time.now} ms`, change: false },
      step,
      zombie,
      until,
    );
    return this.#intercept(call, async () => {
      this.#time.now = Math.max(this.#time.now, until);
    });
  }

  #record(
    what: Pick<Call, 'kind' | 'label' | 'change'>,
    step: string,
    zombie: Zombie | undefined,
    until?: number,
  ): { call: Made; fault: Fault | undefined } {
    const index = zombie === undefined ? ++this.#counts[what.kind] : 0;
    const fault = this.#faultAt(what.kind, index);
    const call: Made = {
      ...what,
      execution: this.name,
      step,
      index,
      zombie: zombie !== undefined,
      ...(until !== undefined && { until }),
      ...(fault && { fault: fault.mode }),
    };
    (zombie?.calls ?? this.calls).push(call);
    return { call, fault };
  }

  /** The fault that hits this call; it will hit no other. */
  #faultAt(kind: Kind, index: number): Fault | undefined {
    const fault = [...this.#faults].find((one) => (one.kind ?? 'aep') === kind && one.k === index);
    if (fault !== undefined) this.#faults.delete(fault);
    return fault;
  }

  /** What the fault does to the function after the call; comes back only where the function goes on. */
  async #struckAt(at: Invocation, { mode, after = 'retry', as = 'Lambda.Unknown' }: Fault): Promise<void> {
    if (mode === 'zombie') return this.#becomeZombie(at, after);
    if (after === 'abort') {
      this.stop();
      return never();
    }
    if (mode === 'killed') return this.#kill(at, as);
  }

  async #kill(at: Invocation, as: 'Lambda.Unknown' | 'Sandbox.Timedout'): Promise<void> {
    at.dead = true;
    if (as === 'Sandbox.Timedout') await this.wait(at.step, at.began + LAMBDA_SECONDS * 1_000);
    at.over.resolve(
      as === 'Lambda.Unknown'
        ? failure('exit', 'Runtime.ExitError', 'exit status 1')
        : failure('timeout', as, `Task timed out after ${LAMBDA_SECONDS}.00 seconds`),
    );
    return never();
  }

  async #becomeZombie(at: Invocation, after: 'retry' | 'abort'): Promise<void> {
    const zombie = new Zombie(at.step, at.handled.promise);
    at.zombie = zombie;
    this.zombies.push(zombie);
    if (after === 'abort') this.stop();
    else {
      await this.wait(at.step, at.began + at.timeoutSeconds * 1_000);
      at.over.resolve(failure('handled', 'States.Timeout', ''));
    }
    await zombie.hung;
  }

  /** Lambda ends a function that takes too long; a zombie is one that it has forgotten. */
  async #inTime(at: Invocation): Promise<void> {
    if (at.zombie !== undefined || this.#time.now < at.began + LAMBDA_SECONDS * 1_000) return;
    return this.#kill(at, 'Sandbox.Timedout');
  }
}

/** An outcome that can be looked at later: the value, or the error thrown again. */
async function settled<T>(promise: Promise<T>): Promise<() => T> {
  try {
    const value = await promise;
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

interface Waiting {
  readonly call: Call;
  readonly go: () => void;
}

/**
 * Takes turns between executions: holds every call back and lets one go at a time, the one that `choose` points at. A
 * sleeper may be chosen while others could go on if it sleeps no longer than `patienceMs`: then their call was that slow.
 */
export function scheduler(choose: (ready: readonly Call[]) => number, patienceMs = 20_000) {
  let waiting: Waiting[] = [];
  const trace: Call[] = [];

  const intercept: Intercept = (call, proceed) =>
    new Promise((resolve, reject) => {
      waiting.push({ call, go: () => void proceed().then(resolve, reject) });
    });

  const ready = (now: number): Waiting[] => {
    const calls = waiting.filter(({ call }) => call.until === undefined);
    const [first] = waiting
      .filter(({ call }) => call.until !== undefined)
      .sort((a, b) => (a.call.until ?? 0) - (b.call.until ?? 0));
    if (first === undefined) return calls;
    return calls.length === 0 || (first.call.until ?? 0) - now <= patienceMs ? [...calls, first] : calls;
  };

  return {
    intercept,
    /** The calls in the order in which they went. */
    trace,
    /** Drives the executions to their end. */
    async drive<T extends readonly Promise<unknown>[]>(time: Time, ...running: T) {
      let left = running.length;
      for (const one of running)
        one.then(
          () => left--,
          () => left--,
        );
      for (;;) {
        // All that can happen without another call has happened when the microtasks have run.
        await new Promise((resolve) => setImmediate(resolve));
        if (left === 0) return Promise.all(running);
        const open = ready(time.now);
        const next = open[open.length === 1 ? 0 : choose(open.map(({ call }) => call))];
        if (next === undefined) throw new Error(`${left} executions wait for nothing.`);
        waiting = waiting.filter((one) => one !== next);
        trace.push(next.call);
        next.go();
      }
    },
  };
}

/** What a sweep comes to, for its summary. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #began = performance.now();
  #runs = 0;

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  /** One execution, with what it did and where it went. */
  add(run: { calls: readonly Made[]; paths: ReadonlySet<string> }): void {
    this.#runs += 1;
    for (const { kind, change, fault } of run.calls) {
      this.count(`calls ${kind}`);
      if (change) this.count('calls that change');
      if (fault !== undefined) this.count(`fault ${fault}`);
    }
    for (const path of run.paths) this.count(`path ${path}`);
  }

  get(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  summary(): string {
    const ms = performance.now() - this.#began;
    return `${this.#runs} executions in ${(ms / 1_000).toFixed(1)} s, ${(ms / Math.max(1, this.#runs)).toFixed(1)} ms each`;
  }

  /** Everything that was counted, by name. */
  counts(): [string, number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
