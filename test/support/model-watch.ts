// Stands beside an execution and writes down what it must never do: at each call, and from what is left of it at its end.
import { readFileSync } from 'node:fs';
import type { Entry } from '../../local/aep/journal.ts';
import type { Call, Intercept } from './chaos.ts';
import { foreignIn, type Kind, refers, type Thing, thingsIn, touch, type World } from './model-hand.ts';

type Json = Record<string, unknown>;

export interface Asked {
  readonly pipeline: string;
  readonly mode: 'apply' | 'plan' | 'retire';
  readonly adopt: boolean;
  /** Somebody stores what it is about to change, just before. */
  readonly meddle: boolean;
}

const LOOK = 'arn:aws:states:::test:get';
const MOST_BYTES = 64 * 1_024;
const MOST_SECONDS = 7_200;
/** Calls to AEP of one execution, whatever happens to it: most of them look for a mapping set whose POST fails every time. */
const MOST_CALLS = 1_600;
/** Of one state: the first, and what its retriers allow. */
const MOST_ATTEMPTS = 1 + 4 + 3;

const definition = lookedThrough(
  JSON.parse(readFileSync(new URL('../../functions/provision/states.asl.json', import.meta.url), 'utf8')) as {
    States: Record<string, Json>;
  },
);

/** The state machine with a look at the document after each function. */
function lookedThrough(source: { States: Record<string, Json> }): object {
  const states: Record<string, Json> = {};
  for (const [name, state] of Object.entries(source.States)) {
    const works =
      state.Type === 'Task' && typeof state.Resource === 'object' && typeof state.Next === 'string';
    states[name] = works ? { ...state, Next: `after ${name}` } : state;
    if (!works) continue;
    states[`after ${name}`] = {
      Type: 'Task',
      Resource: LOOK,
      Parameters: { 'document.$': '$' },
      ResultPath: null,
      Retry: [{ ErrorEquals: ['States.ALL'] }],
      Next: state.Next,
    };
  }
  return { ...source, States: states };
}

/** One execution, watched. */
export class Watch {
  readonly wrong: string[] = [];
  readonly options: { readonly definition: object; readonly intercept: Intercept };
  readonly #own: World;
  readonly #asked: Asked;
  readonly #before: ReadonlySet<string>;
  readonly #foreign: ReadonlyMap<string, string>;
  readonly #number: number;
  readonly #logged: number;
  readonly #began: number;
  readonly #documents: string[] = [];
  readonly #adopted = new Set<string>();
  readonly #undone: Kind[] = [];
  #meddled = false;

  constructor(own: World, asked: Asked) {
    this.#own = own;
    this.#asked = asked;
    this.#before = new Set(thingsIn(own).map(({ id }) => id));
    this.#foreign = new Map(foreignIn(own).map((one) => [one.id, one.text]));
    this.#number = own.platform.journal.entries().at(-1)?.number ?? 0;
    this.#logged = own.logged.length;
    this.#began = own.time.now;
    own.integrations[LOOK] = async (given) => void this.#documents.push(JSON.stringify(given));
    this.options = {
      definition,
      intercept: async (call, proceed) => {
        this.#asks(call);
        const answer = await proceed();
        this.#hasDone(call);
        return answer;
      },
    };
  }

  /** Everything that was wrong, once it has ended. */
  ended(run: Run): string[] {
    this.#foreignUntouched();
    this.#versions();
    this.#secrets(run);
    this.#bounds(run);
    this.#lease(run);
    if (run.status === 'FAILED') this.wrong.push(...speechless(run));
    if (this.#asked.mode === 'plan' && this.#changes().length > 0)
      this.wrong.push('a plan has changed something');
    return this.wrong;
  }

  /** Paths that a sweep is to have been on. */
  seen({ cause = '', document }: Run): string[] {
    const answered = this.#entries().some(({ status }) => status === 412) ? ['answered 412'] : [];
    const actions = (document?.plan ?? []).map(({ resource, action }) => `planned ${action} ${resource}`);
    const undone = this.#undone.map((kind) => `undone ${kind}`);
    const conflict = CONFLICTS.find((one) => cause.includes(one));
    return [...answered, ...actions, ...undone, ...(conflict === undefined ? [] : [`conflict: ${conflict}`])];
  }

  #asks(call: Call): void {
    if (call.kind === 'aws' && call.label.startsWith('triggers.switchOn'))
      this.#warm('P12 a trigger goes on');
    if (call.kind !== 'aep' || !call.change) return;
    const target = targetOf(call, thingsIn(this.#own));
    if (target === undefined) return;
    if (this.#asked.meddle && !this.#meddled && /^PATCH .*(flowservice|catalog)/.test(call.label)) {
      this.#meddled = true;
      touch(this.#own, target);
    }
    if (target.ownershipTag?.pipeline !== this.#asked.pipeline) this.#adopts(call, target);
    if (call.step === 'rollback' && call.label.startsWith('DELETE')) this.#undoes(target);
  }

  /** P4: what is not ours is left alone, but for the ownership tag where the manifest says adopt. */
  #adopts({ label }: Call, { id, ownershipTag, kind }: Thing): void {
    if (
      this.#asked.adopt &&
      ownershipTag === undefined &&
      label.startsWith('PATCH') &&
      this.#asked.mode === 'apply'
    ) {
      this.#adopted.add(id);
      return;
    }
    this.wrong.push(
      `P4 ${label}: ${kind} ${id} is ${ownershipTag === undefined ? "nobody's" : `of ${ownershipTag.pipeline}`}`,
    );
  }

  /** P11: only what was not there before, and nothing before what refers to it. */
  #undoes({ id, kind, ownershipTag }: Thing): void {
    if (this.#before.has(id)) this.wrong.push(`P11 ${kind} ${id} was there before`);
    if (ownershipTag?.adopted === true) this.wrong.push(`P11 ${kind} ${id} was adopted`);
    const users = thingsIn(this.#own).filter(
      (one) => one.id !== id && !this.#before.has(one.id) && refers(one, id),
    );
    for (const user of users) this.wrong.push(`P11 ${kind} ${id} before ${user.kind} ${user.id}`);
    this.#undone.push(kind);
  }

  #hasDone({ kind, label }: Call): void {
    if (kind === 'aws' && /^secrets\.(put|create) \S+\/streams\//.test(label)) this.#warm('P12 published');
  }

  /** P12: whoever is told of a flow may send to it at once. */
  #warm(what: string): void {
    const published = this.#own.secrets.values.get(`penstock/dev/streams/customers/${this.#asked.pipeline}`);
    if (published === undefined) return;
    const { flowId } = JSON.parse(published) as { flowId: string };
    const flow = this.#own.platform.state.sandboxes.get('dev1')?.flows.get(flowId);
    if (flow?.state !== 'enabled') this.wrong.push(`${what}, and the flow is ${flow?.state ?? 'not there'}`);
    else if (flow.acceptsFrom > this.#own.time.now) this.wrong.push(`${what}, and the flow is cold`);
  }

  #entries(): Entry[] {
    return this.#own.platform.journal.entries({ after: this.#number });
  }

  #changes(): Entry[] {
    return this.#entries().filter(
      ({ method, path }) =>
        method !== 'GET' && !path.startsWith('/ims/') && !/\/(preview|validate)$/.test(path),
    );
  }

  #foreignUntouched(): void {
    const now = new Map(thingsIn(this.#own).map((one) => [one.id, one.text]));
    for (const [id, text] of this.#foreign)
      if (!this.#adopted.has(id) && now.get(id) !== text) this.wrong.push(`P4: ${id} is not what it was`);
  }

  /** P13: a change carries the version that was read last, and after a 412 it is read again. */
  #versions(): void {
    const seen = new Map<string, string>();
    for (const { method, path, status, headers, replyHeaders } of this.#entries()) {
      if (!/flowservice|catalog/.test(path)) continue;
      const version = replyHeaders.etag ?? replyHeaders['e-tag'];
      if (method === 'GET' && status === 200 && typeof version === 'string') seen.set(path, version);
      if (method !== 'PATCH') continue;
      if (headers['if-match'] !== seen.get(path))
        this.wrong.push(`P13 ${method} ${path} at ${headers['if-match']}, read was ${seen.get(path)}`);
      if (status === 412) seen.delete(path);
    }
  }

  /** P14: the document is small; nothing that anybody reads has a secret in it. */
  #secrets(run: Run): void {
    const largest = Math.max(0, ...this.#documents.map((one) => Buffer.byteLength(one)));
    if (largest > MOST_BYTES) this.wrong.push(`P14: a document of ${largest} bytes`);
    const items = [...this.#own.ledger.items.values()].map((item) => JSON.stringify(item));
    const logged = this.#own.logged.slice(this.#logged);
    const texts = { document: this.#documents, cause: [run.cause ?? ''], log: logged, ledger: items };
    for (const [where, all] of Object.entries(texts)) {
      const whole = all.join('\n');
      for (const secret of secretsOf(this.#own))
        if (whole.includes(secret)) this.wrong.push(`P14: a secret in the ${where}: ${secret.slice(0, 12)}…`);
    }
  }

  /** P16: tries have an end. */
  #bounds({ status, execution: { calls } }: Run): void {
    const asked = calls.filter(({ kind }) => kind === 'aep').length;
    if (asked > MOST_CALLS) this.wrong.push(`P16: ${asked} calls`);
    const seconds = (this.#own.time.now - this.#began) / 1_000;
    if (seconds > MOST_SECONDS || status === 'TIMED_OUT') this.wrong.push(`P16: ${seconds} s, ${status}`);
    const attempts = new Map<string, number>();
    for (const { step, label } of calls)
      if (label.startsWith('ledger.takeFencingToken')) attempts.set(step, (attempts.get(step) ?? 0) + 1);
    for (const [step, count] of attempts)
      if (count > MOST_ATTEMPTS) this.wrong.push(`P16: ${step} was tried ${count} times`);
  }

  #lease({ status }: Run): void {
    const owner = this.#own.ledger.items.get(this.#asked.pipeline)?.owner;
    if (this.#asked.mode !== 'plan' && status !== 'ABORTED' && owner !== undefined)
      this.wrong.push('P9: the lease was not returned');
  }
}

const CONFLICTS = [
  'the name is ambiguous',
  'it has no ownership tag',
  'cannot be adopted',
  'It cannot be changed',
  'carries the pipeline',
];

type Run = Awaited<ReturnType<World['run']>>;

/** What a call changes that is there. */
function targetOf({ label }: Call, things: readonly Thing[]): Thing | undefined {
  const [method, path = ''] = label.split(' ');
  if (method === 'POST' && !path.endsWith('/action')) return undefined;
  const id = decodeURIComponent(
    path
      .replace(/\/action$/, '')
      .split('/')
      .at(-1) ?? '',
  );
  return things.find((one) => one.id === id);
}

/** Everything that must not be read anywhere. */
function secretsOf({ platform, secrets }: World): string[] {
  const kept = [...secrets.values].flatMap(([, text]) => {
    const { clientSecret, secretKey } = JSON.parse(text) as Json;
    return [clientSecret, secretKey].filter((one) => typeof one === 'string');
  });
  return [...kept, ...platform.state.tokens.keys(), ...platform.state.inlets.keys()];
}

/** P15: what a failure does not say. */
function speechless({ error, cause = '', paths }: Run): string[] {
  const wrong: string[] = [];
  const caught = [...paths].find(
    (path) => path.startsWith('caught ') && !/caught (lease|take-over|release)/.test(path),
  );
  const step = caught?.split(' ')[1];
  if (error !== 'Penstock.Conflict' && (step === undefined || !cause.includes(step)))
    wrong.push(`P15 does not name the step ${step}: ${error} ${cause}`);
  if (!/Next: |[Ss]tart it again|by hand/.test(cause))
    wrong.push(`P15 does not say what to do: ${error} ${cause}`);
  const [reason = ''] = cause.split(' | ');
  if (/answered \d{3}/.test(reason) && !/request-\d+/.test(reason))
    wrong.push(`P15 does not name AEP's request: ${error} ${cause}`);
  return wrong;
}
