// Commands for a model of provisioning: what users ask for, what goes wrong, and what people do in AEP by hand.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Fault, Mode, Tally } from './chaos.ts';
import {
  deletable,
  disable,
  foreignIn,
  KINDS,
  makeByHand,
  oursIn,
  refers,
  remove,
  rename,
  type Thing,
  thingsIn,
  type World,
} from './model-hand.ts';
import { leftWhenRetired, type Wanted, wrongWhenApplied } from './model-oracle.ts';
import { Watch } from './model-watch.ts';
import { world } from './provisioning.ts';
import { CREDENTIALS } from './scripted.ts';

const read = (file: string) =>
  JSON.parse(readFileSync(new URL(`../../examples/${file}`, import.meta.url), 'utf8')) as Wanted;
const inlet = read('customer-profiles.json');
const pulled = read('orders-kinesis.json');
const FIRST_SECRET = 'fake/secret+source-1';
const SOURCE_SECRET = String(pulled.source.credentials);

const OWN_GROUP = {
  name: 'extra',
  fields: { extra: { type: 'object', properties: { note: { type: 'string' } } } },
};
const [orders] = pulled.schema.fieldGroups as [{ name: string; fields: Record<string, unknown> }];

/** Two pipelines, and the ways in which each is asked for. */
export const VARIANTS = {
  inlet: {
    plain: inlet,
    mapped: { ...inlet, mapping: inlet.mapping.slice(0, -2) },
    groups: { ...inlet, schema: { ...inlet.schema, fieldGroups: [...inlet.schema.fieldGroups, OWN_GROUP] } },
    auth: { ...inlet, source: { ...inlet.source, authenticationRequired: false } },
    adopt: { ...inlet, adopt: true },
    profile: {
      ...inlet,
      allowIrreversible: true,
      schema: {
        ...inlet.schema,
        identities: [{ path: 'workEmail.address', namespace: 'Email', primary: true }],
        profile: true,
      },
    },
  },
  pulled: {
    plain: pulled,
    mapped: { ...pulled, mapping: pulled.mapping.slice(0, -1) },
    groups: {
      ...pulled,
      schema: {
        ...pulled.schema,
        fieldGroups: [{ ...orders, fields: { ...orders.fields, late: { type: 'boolean' } } }],
      },
    },
    auth: { ...pulled, source: { ...pulled.source, region: 'us-east-1' } },
    adopt: { ...pulled, adopt: true },
  },
} as const satisfies Record<string, Record<string, Wanted>>;

export type Key = keyof typeof VARIANTS;
export const KEYS = Object.keys(VARIANTS) as Key[];

interface Kept {
  variant: string;
  /** What was asked for last, and came to its end; `unclear` where it did not. */
  state: 'new' | 'applied' | 'retired' | 'unclear';
}

type Model = Record<Key, Kept>;

/** What one execution meets with. */
interface Trouble {
  readonly fault?: Fault;
  readonly refuse?: Refusal;
  /** Somebody stores what it is about to change, just before. */
  readonly meddle?: boolean;
  /** A function that never comes to its end, and how Lambda calls that. */
  readonly dies?: Readonly<Record<string, string>>;
}

export interface Real {
  readonly own: World;
  /** Those that IMS takes. */
  readonly clientSecrets: string[];
  readonly rotations: { count: number };
  readonly tally: Tally;
}

interface Refusal {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** What there is before the first command. */
export async function begin(model: Model, real: Real, which: readonly Key[]): Promise<void> {
  for (const key of which) await execute(model, real, key, { mode: 'apply' });
}

/** Calls that a fault-free execution makes at most, from whatever state. */
export const MOST_CALLS_TO_CONVERGE = 80;

const templates = new Map<Key, readonly Thing[]>();

/** What each pipeline is made of, to be made by hand. */
export async function prepareTemplates(): Promise<void> {
  for (const key of KEYS) {
    // Their ids are to be nobody else's.
    const own = worldWith([CREDENTIALS.clientSecret], 4_711);
    await own.run({ manifest: VARIANTS[key].plain });
    templates.set(key, thingsIn(own));
  }
}

function worldWith(clientSecrets: string[], seed = 1): World {
  const own = world({ seed, credentials: [{ clientId: CREDENTIALS.clientId, clientSecrets }] });
  keepSource(own, FIRST_SECRET);
  return own;
}

function keepSource({ secrets }: World, secretKey: string): void {
  secrets.values.set(SOURCE_SECRET, JSON.stringify({ accessKeyId: 'AKIAFAKEFAKEFAKEFAKE', secretKey }));
}

export function setup(tally: Tally): { model: Model; real: Real } {
  const clientSecrets = [CREDENTIALS.clientSecret];
  const fresh = (): Kept => ({ variant: 'plain', state: 'new' });
  return {
    model: { inlet: fresh(), pulled: fresh() },
    real: { own: worldWith(clientSecrets), clientSecrets, rotations: { count: 1 }, tally },
  };
}

function manifestOf(key: Key, variant: string): Wanted {
  const variants: Readonly<Record<string, Wanted>> = VARIANTS[key];
  return variants[variant] ?? VARIANTS[key].plain;
}

interface Asking {
  readonly mode: 'apply' | 'plan' | 'retire';
  readonly deleteData?: boolean;
  readonly trouble?: Trouble;
}

/** One execution, watched; throws what is wrong with it. */
export async function execute(model: Model, real: Real, which: Key, asking: Asking): Promise<Run> {
  const { own, tally } = real;
  const kept = model[which];
  const { mode, deleteData = false, trouble: { fault, refuse, dies, meddle = false } = {} } = asking;
  const manifest = manifestOf(which, kept.variant);
  const watch = new Watch(own, { pipeline: manifest.name, mode, adopt: manifest.adopt === true, meddle });
  const refusing = refuse && own.platform.faults.add({ kind: 'refuse', ...refuse });
  const run = await own.run(
    { manifest, mode, deleteData },
    {
      ...watch.options,
      ...(fault && { fault }),
      ...(dies && { fail: dies }),
    },
  );
  if (refusing !== undefined) own.platform.faults.remove(refusing.id);
  tally.add(run);
  tally.count(`${which} ${mode} ${run.status} ${run.error ?? ''}`.trim());
  if (refusing?.struck) tally.count(`refused ${refusing.status}`);
  for (const what of watch.seen(run)) tally.count(what);
  if (mode !== 'plan') kept.state = ended(run.status, mode);
  const wrong = [...watch.ended(run), ...wrongAfter(own, run, manifest, asking)];
  if (wrong.length === 0) return run;
  throw new Error(`${run.execution.name} ${which} ${kept.variant} ${mode}:\n  ${wrong.join('\n  ')}`);
}

function ended(status: string, mode: 'apply' | 'retire'): Kept['state'] {
  if (status !== 'SUCCEEDED') return 'unclear';
  return mode === 'apply' ? 'applied' : 'retired';
}

/** What could not be removed is said, and then it may be there. */
function wrongAfter(
  own: World,
  { status, document }: Run,
  manifest: Wanted,
  { mode, deleteData = false }: Asking,
): string[] {
  if (status !== 'SUCCEEDED' || mode === 'plan' || document.left.length > 0) return [];
  return mode === 'apply' ? wrongWhenApplied(own, manifest) : leftWhenRetired(own, manifest, deleteData);
}

type Run = Awaited<ReturnType<World['run']>>;
type Command = fc.AsyncCommand<Model, Real>;

/** A command that says what it is in a counterexample. */
function command(
  name: string,
  run: (model: Model, real: Real) => Promise<unknown>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return {
    check,
    run: async (model, real) => {
      real.tally.count(`command ${name.split(' ')[0]}`);
      await run(model, real);
    },
    toString: () => name,
  };
}

const key = fc.constantFrom(...KEYS);

const MODES: readonly Mode[] = [
  'refused',
  'lost',
  'error-after',
  'truncated',
  'throttled',
  'killed',
  'zombie',
];
const ABORTS: readonly Mode[] = ['refused', 'lost', 'killed'];
/** How many calls a first apply makes, and a little more: what is hit may not be reached. */
const CALLS = { aep: 45, aws: 80 } as const;

/** Dice without fast-check's love for the first and the last. */
const place = fc.constantFrom(
  ...(['aep', 'aws'] as const).flatMap((kind) =>
    Array.from({ length: CALLS[kind] }, (_, index) => ({ kind, k: index + 1 })),
  ),
);

const failCall = fc.tuple(place, fc.constantFrom(...MODES)).map(([at, mode]) => ({ fault: { ...at, mode } }));
const abort = fc
  .tuple(place, fc.constantFrom(...ABORTS))
  .map(([at, mode]) => ({ fault: { ...at, mode, after: 'abort' as const } }));

const PLACES: readonly Omit<Refusal, 'status'>[] = [
  ...['schemaregistry/tenant/schemas', 'schemaregistry/tenant/fieldgroups', 'catalog/dataSets'],
  ...['flowservice/connections', 'flowservice/sourceConnections', 'flowservice/targetConnections'],
  ...['conversion/mappingSets', 'flowservice/flows'],
].flatMap((path) => [
  { method: 'POST', path: `/data/foundation/${path}` },
  { method: 'DELETE', path: `/data/foundation/${path}/*` },
  { method: 'GET', path: `/data/foundation/${path}` },
]);

const refuse = fc
  .tuple(fc.constantFrom(...PLACES), fc.constantFrom(400, 400, 403, 403, 404, 409, 429, 500, 503))
  // Whoever is told that there is nothing to delete may believe it.
  .filter(([{ method }, status]) => method !== 'DELETE' || status !== 404)
  .map(([where, status]) => ({ refuse: { ...where, status } }));

const meddle = fc.constant({ meddle: true });

const dies = fc
  .tuple(
    fc.constantFrom(
      'schema',
      'dataset',
      'baseConnection',
      'mapping',
      'flow',
      'verify',
      'publish',
      'trigger',
      'retire',
    ),
    fc.constantFrom('Lambda.Unknown', 'Sandbox.Timedout'),
  )
  .map(([step, error]) => ({ dies: { [step]: error } }));

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: failCall },
  { weight: 3, arbitrary: abort },
  { weight: 4, arbitrary: refuse },
  { weight: 1, arbitrary: meddle },
  { weight: 1, arbitrary: dies },
);

function said(trouble: Trouble): string {
  return Object.keys(trouble).length === 0 ? '' : `, ${JSON.stringify(trouble)}`;
}

const apply = fc
  .tuple(key, fc.constantFrom('plain', 'plain', 'mapped', 'groups', 'auth', 'adopt', 'profile'), trouble)
  .map(([which, variant, trouble]) =>
    command(`apply ${which} ${variant}${said(trouble)}`, (model, real) => {
      model[which].variant = variant;
      return execute(model, real, which, { mode: 'apply', trouble });
    }),
  );

const again = fc
  .tuple(key, trouble)
  .map(([which, trouble]) =>
    command(`again ${which}${said(trouble)}`, (model, real) =>
      execute(model, real, which, { mode: 'apply', trouble }),
    ),
  );

const plan = fc
  .tuple(key, fc.constantFrom('plain', 'mapped', 'groups', 'auth', 'adopt'), trouble)
  .map(([which, variant, trouble]) =>
    command(`plan ${which} ${variant}${said(trouble)}`, async (model, real) => {
      const before = model[which].variant;
      model[which].variant = variant;
      await execute(model, real, which, { mode: 'plan', trouble });
      model[which].variant = before;
    }),
  );

const retire = fc.tuple(key, fc.boolean(), trouble).map(([which, deleteData, trouble]) =>
  command(
    `retire ${which}${deleteData ? ' with its data' : ''}${said(trouble)}`,
    (model, real) => execute(model, real, which, { mode: 'retire', deleteData, trouble }),
    (model) => model[which].state !== 'new',
  ),
);

/** Nobody is so quick that a list could still show what was before. */
function later({ own }: Real): void {
  own.time.now += 60_000;
}

const drift = fc
  .tuple(
    key,
    fc.nat({ max: 50 }),
    fc.constantFrom(...(['delete', 'delete', 'rename', 'rename', 'disable'] as const)),
  )
  .map(([which, pick, what]) =>
    command(
      `drift ${which} ${what} ${pick}`,
      async (model, real) => {
        const { own, tally } = real;
        later(real);
        const written = /applied|retired/.test(model[which].state);
        const those = oursIn(own, VARIANTS[which].plain.name)
          .filter((one) => DRIFTS[what].may(own, one))
          // What nobody has written down yet is found by its name, by what it refers to and by its schema, and by nothing else.
          .filter(
            ({ id, kind }, _, all) => written || (kind !== 'schemas' && !all.some((one) => refers(one, id))),
          );
        const thing = those[pick % those.length];
        if (thing === undefined) return;
        DRIFTS[what].does(own, thing);
        tally.count(`drift ${what} ${thing.kind}`);
        later(real);
      },
      (model) => (what === 'rename' ? /applied|retired/ : /applied|retired|unclear/).test(model[which].state),
    ),
  );

/** What people do to what is ours. */
const DRIFTS = {
  delete: { may: deletable, does: remove },
  rename: {
    // The name of a mapping set is its ownership tag.
    may: (_: World, { kind }: Thing) => kind !== 'mappingSets',
    does: (own: World, thing: Thing) => rename(own, thing, `${thing.name} by hand`),
  },
  disable: {
    may: (_: World, { state, kind }: Thing) => kind === 'flows' && state === 'enabled',
    does: disable,
  },
} as const;

const lookAlike = fc.tuple(key, fc.constantFrom(...KINDS)).map(([which, kind]) =>
  command(`look-alike ${which} ${kind}`, async (_, real) => {
    // A flow keeps what it refers to from being deleted.
    const ours = kind === 'flows' ? [] : oursIn(real.own, VARIANTS[which].plain.name);
    const known = (templates.get(which) ?? []).flatMap((one) => {
      const there = ours.find((own) => own.kind === one.kind);
      return there === undefined ? [] : [[one.id, there.id] as const];
    });
    const those = (templates.get(which) ?? []).filter((one) => one.kind === kind);
    makeByHand(real.own, those, new Map(known));
    later(real);
  }),
);

/** A whole pipeline by hand, with the credentials of the day: nobody could tell that they are others. */
function makeAll(real: Real, which: Key): void {
  const now = JSON.parse(real.own.secrets.values.get(SOURCE_SECRET) ?? '{}') as { secretKey: string };
  makeByHand(real.own, templates.get(which) ?? [], new Map([[FIRST_SECRET, now.secretKey]]));
  later(real);
}

const byHand = key.map((which) =>
  command(
    `by-hand ${which}`,
    async (_, real) => {
      makeAll(real, which);
    },
    (model) => model[which].state === 'new',
  ),
);

/** What somebody made by hand is taken over, more often than not undisturbed. */
const adopt = fc.tuple(key, fc.oneof(trouble, meddle)).map(([which, trouble]) =>
  command(
    `adopt ${which}${said(trouble)}`,
    async (model, real) => {
      makeAll(real, which);
      model[which].variant = 'adopt';
      await execute(model, real, which, { mode: 'apply', trouble });
    },
    (model) => model[which].state === 'new',
  ),
);

/** From now on every list is so old. */
export function age({ platform }: World, ms: number): void {
  (platform.settings as { staleMs: number }).staleMs = ms;
}

const stale = fc.constantFrom(0, 2_000, 10_000, 30_000).map((ms) =>
  command(`stale ${ms}`, async (_, { own }) => {
    age(own, ms);
  }),
);

const rotate = fc.constantFrom('adobe', 'source').map((which) =>
  command(`rotate ${which}`, async (_, { own, clientSecrets, rotations }) => {
    const fresh = `fake/secret+${which}-${++rotations.count}`;
    if (which === 'source') return keepSource(own, fresh);
    clientSecrets.splice(0, clientSecrets.length, fresh);
    own.secrets.values.set(
      'penstock/dev/credentials',
      JSON.stringify({ ...CREDENTIALS, clientSecret: fresh }),
    );
  }),
);

const advance = fc.constantFrom(1_000, 60_000, 900_000, 90_000_000).map((ms) =>
  command(`advance ${ms}`, async (_, { own }) => {
    own.time.now += ms;
  }),
);

const settle = key.map((which) => command(`settle ${which}`, (model, real) => converge(model, real, which)));

/** P5, P6: from wherever it is, undisturbed, and with nothing in its way. */
export async function converge(model: Model, real: Real, which: Key): Promise<void> {
  const { own, tally } = real;
  const kept = model[which];
  later(real);
  const adopting =
    kept.variant === 'adopt' ? await execute(model, real, which, { mode: 'apply' }) : undefined;
  if (adopting?.status !== 'SUCCEEDED') {
    for (const one of foreignIn(own)) remove(own, one);
    later(real);
    const run = await execute(model, real, which, { mode: 'apply' });
    if (run.status !== 'SUCCEEDED') throw new Error(`P5: ${which} ${run.error} ${run.cause}`);
    const calls = run.calls.filter(({ kind }) => kind === 'aep').length;
    tally.count(`calls to converge: ${Math.ceil(calls / 10) * 10} at most`);
    if (calls > MOST_CALLS_TO_CONVERGE) throw new Error(`P5: ${calls} calls`);
  }
  later(real);
  await unchanged(model, real, which, { mode: 'apply' }, 'P6');
}

/** P17: nothing of ours is left, and asking once more does nothing. */
export async function takeDown(model: Model, real: Real, which: Key): Promise<void> {
  const { own } = real;
  for (const one of foreignIn(own)) remove(own, one);
  later(real);
  const run = await execute(model, real, which, { mode: 'retire', deleteData: true });
  if (run.status !== 'SUCCEEDED') throw new Error(`P17: ${which} ${run.error} ${run.cause}`);
  later(real);
  await unchanged(model, real, which, { mode: 'retire', deleteData: true }, 'P17 twice');
}

async function unchanged(model: Model, real: Real, which: Key, asking: Asking, what: string): Promise<void> {
  const { own } = real;
  const writes = () => own.secrets.writes() + own.triggers.writes();
  const before = writes();
  own.mutations();
  const run = await execute(model, real, which, asking);
  const mutations = own.mutations();
  if (run.status !== 'SUCCEEDED' || mutations.length > 0 || writes() > before)
    throw new Error(
      `${what}: ${which} ${run.status} ${run.cause ?? ''} ${mutations.join(', ')} ${writes() - before}`,
    );
}

export const COMMANDS: fc.Arbitrary<Command>[] = [
  ...[apply, apply, apply, apply, again, again, again, plan, retire, retire],
  ...[drift, drift, drift, lookAlike, byHand, adopt, adopt, stale, rotate, advance, settle],
];
