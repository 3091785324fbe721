import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../../lib/forward/transform/redact.ts';
import type { Redaction } from '../../../lib/records.ts';
import type { DeadLetter, DeadLetterDocument } from '../../../lib/runtime.ts';
import { runs } from '../../support/depth.ts';
import { seq } from '../../support/forwarding.ts';
import { acknowledgeBut, fakeInlet, json, multi } from '../../support/inlet.ts';
import { aggregate } from '../../support/kpl.ts';
import { everythingIn, type RedactionWorld, redactionWorld, type Written } from '../../support/redaction.ts';
import {
  document,
  entry,
  ON_FAILURE_KEY,
  onFailureDocument,
  redriveWorld,
  streamRecord,
} from '../../support/redriving.ts';
import { kept, pipelineWith, transforming } from '../../support/transforming.ts';

// A 4: what leaves, by whatever way, obeys the rules in force at that moment. The oracle knows nothing of how it is redacted: it
// looks for the values that the rules name in everything that has left, in whatever form they may be there.

const ENTITY = '/body/xdmEntity';

/** A value of a record, and the way to it from the record's root, or from the message's where that is XDM. */
interface Leaf {
  readonly path: readonly string[];
  /** A piece of it that nothing else has. */
  readonly canary: string;
}

type Kind = 'text' | 'escaped' | 'digits' | 'hex';
type Shape = Kind | readonly Shape[] | { readonly [name: string]: Shape };

const NAMES = ['a', 'b'] as const;
const kind = fc.constantFrom<Kind>('text', 'escaped', 'digits', 'hex');
const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 3, arbitrary: kind },
    { weight: 1, arbitrary: fc.array(tie('shape'), { minLength: 1, maxLength: 2 }) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom(...NAMES), tie('shape'), { minKeys: 1, maxKeys: 2 }),
    },
  ),
}));
const entity = fc.dictionary(fc.constantFrom(...NAMES), shape, { minKeys: 1, maxKeys: 2 });

let serial = 0;

/** The value of a shape, each of its leaves unlike any other, and where they are. */
function filled(shape: Shape, path: readonly string[], leaves: Leaf[]): unknown {
  if (Array.isArray(shape))
    return shape.map((one, at) => filled(one as Shape, [...path, String(at)], leaves));
  if (typeof shape === 'object')
    return Object.fromEntries(
      Object.entries(shape).map(([name, one]) => [name, filled(one as Shape, [...path, name], leaves)]),
    );
  const hash = createHash('sha256').update(`canary ${serial++}`).digest('hex');
  const digits = BigInt(`0x${hash.slice(0, 12)}`)
    .toString()
    .padStart(15, '7')
    .slice(0, 15);
  const [canary, value] = {
    text: [`cn${hash.slice(0, 12)}`, `cn${hash.slice(0, 12)}`],
    escaped: [`cn${hash.slice(0, 12)}`, `"\\é\n ${`cn${hash.slice(0, 12)}`}/`],
    digits: [digits, Number(digits)],
    // As what a hash rule would make of a value.
    hex: [hash, hash],
  }[shape as Kind] as [string, unknown];
  leaves.push({ path, canary });
  return value;
}

const step = fc.constantFrom(...NAMES, ...NAMES, '0', '*');
const rule = fc.record({
  steps: fc.oneof(fc.tuple(fc.constantFrom(...NAMES)), fc.array(step, { minLength: 1, maxLength: 3 })),
  whole: fc.boolean(),
  action: fc.constantFrom<Redaction['action']>('drop', 'mask', 'hash'),
  salt: fc.option(fc.constantFrom('s1', 's2'), { nil: undefined }),
});
type Rule = typeof rule extends fc.Arbitrary<infer R> ? R : never;

interface Setting {
  readonly data: 'raw' | 'xdm';
  /** Where in a record its message is. */
  readonly root: '' | '/p';
  /** Or there: what is sent is the first of the two, and rules speak of that place alone. */
  readonly otherwise?: '/q';
  /** What its inlet does not take is parked, and sent again from there. */
  readonly parks?: true;
}

function redactionsOf(rules: readonly Rule[], { data, root }: Setting): Redaction[] {
  const all = rules.map(({ steps, whole, action, salt }): Redaction => {
    const field = `${root}${whole && data === 'xdm' ? ENTITY : ''}/${steps.join('/')}`;
    return action === 'hash' ? { field, action, ...(salt !== undefined && { salt }) } : { field, action };
  });
  return all.filter(({ field }, at) => all.findIndex((one) => one.field === field) === at);
}

/** Whether a rule names a value, or something that it is in. */
function names({ steps }: Rule, { path }: Leaf): boolean {
  return (
    steps.length <= path.length &&
    steps.every((one, at) => one === path[at] || (one === '*' && /^\d$/.test(path[at] ?? '')))
  );
}

const form = fc.record({
  whole: fc.boolean(),
  second: fc.boolean(),
  escapes: fc.boolean(),
  packed: fc.constantFrom('none', 'none', 'gzip', 'aggregate'),
  broken: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
type Form = typeof form extends fc.Arbitrary<infer F> ? F : never;

function write(shape: Shape, form: Form, { data, root, otherwise }: Setting, leaves: Leaf[]): Written {
  const own: Leaf[] = [];
  const value = filled(shape, [], own);
  leaves.push(...own);
  const message =
    data === 'xdm' && form.whole ? { header: { x: 1 }, body: { xdmMeta: {}, xdmEntity: value } } : value;
  let text = JSON.stringify(
    root === ''
      ? message
      : otherwise !== undefined && form.second
        ? { p: null, q: message }
        : { p: message, q: 1 },
  );
  if (form.escapes)
    text = text.replace(/"cn(\w+)"/g, (_, rest: string) => `"\\u0063n${rest.replaceAll('a', '\\u0061')}"`);
  if (form.broken) text = text.slice(0, -1);
  // Keys are people's names and addresses more often than not.
  const partitionKey = own[0]?.canary ?? 'k';
  const bytes =
    form.packed === 'gzip'
      ? gzipSync(text)
      : form.packed === 'aggregate'
        ? aggregate([{ key: partitionKey, data: Buffer.from(text) }])
        : Buffer.from(text);
  return { bytes, partitionKey };
}

const record = fc.tuple(entity as fc.Arbitrary<Shape>, form);
const mood = fc.constantFrom('take', 'take', 'refuse', 'refuse', 'away' as const);
const records = fc.array(record, { minLength: 1, maxLength: 3 });
/** What is stored under some rules and looked at under others comes often. */
const move = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('rules' as const), rules: fc.array(rule, { maxLength: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('forward' as const), mood, records }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('redrive' as const),
      mood,
      source: fc.constantFrom('rejected', 'rejected', 'rejected', 'on-failure', 'stream' as const),
      parked: fc.constantFrom('rejected', 'parked', 'parked' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('reconcile' as const), mapped: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('discarded' as const), payload: fc.boolean(), records }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('age' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ask' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), left: fc.nat(3) }) },
);
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

async function play(moves: readonly Move[], setting: Setting): Promise<void> {
  const own = redactionWorld(setting.data);
  const leaves: Leaf[] = [];
  let rules: readonly Rule[] = [];
  const publish = () => {
    const redact = redactionsOf(rules, setting);
    const records = {
      derive: ['_id' as const],
      ...(setting.root !== '' && {
        select: setting.otherwise === undefined ? setting.root : [setting.root, setting.otherwise],
      }),
      ...(redact.length > 0 && { redact }),
    };
    own.publish(records, setting.parks && { afterSeconds: 1 });
  };
  publish();
  for (const [at, one] of moves.entries()) {
    if (one.kind === 'rules') {
      ({ rules } = one);
      publish();
      continue;
    }
    await make(one, own, (shape, form) => write(shape, form, setting, leaves), setting.parks);
    const texts = own.left().flatMap((text) => everythingIn(text));
    const named = leaves.filter((leaf) => rules.some((each) => names(each, leaf)));
    // A part of a value is a part of it too.
    const seen = named.filter(({ canary }) => texts.some((text) => text.includes(canary.slice(0, 10))));
    expect(seen, `after move ${at}, ${one.kind}`).toEqual([]);
  }
}

async function make(
  move: Move,
  own: RedactionWorld,
  written: (shape: Shape, form: Form) => Written,
  parks = false,
) {
  if ('mood' in move) own.mood = move.mood;
  const records = 'records' in move ? move.records.map(([shape, form]) => written(shape, form)) : [];
  if (move.kind === 'forward') await own.forward(records);
  else if (move.kind === 'redrive')
    await own.redrive(parks && move.source === 'rejected' ? move.parked : move.source);
  else if (move.kind === 'reconcile') await own.reconcile(move.mapped);
  else if (move.kind === 'discarded') own.giveUp(records, move.payload);
  else if (move.kind === 'ask') await own.ask(move.index);
  else if (move.kind === 'trim') own.trim(move.left);
  else if (move.kind === 'age') own.age();
}

describe('A 4: nothing that a rule in force names is anywhere outside the stream', () => {
  it.each<Setting>([
    { data: 'raw', root: '' },
    { data: 'raw', root: '/p' },
    { data: 'xdm', root: '' },
    { data: 'xdm', root: '/p' },
    { data: 'raw', root: '/p', otherwise: '/q' },
    { data: 'xdm', root: '/p', otherwise: '/q' },
    { data: 'raw', root: '', parks: true },
    { data: 'xdm', root: '/p', parks: true },
  ])(
    'whatever records, rules and histories there are: $data, at "$root", or $otherwise, parked: $parks',
    async (setting) => {
      await fc.assert(
        fc.asyncProperty(fc.array(move, { minLength: 4, maxLength: 14, size: 'max' }), (moves) =>
          play(moves, setting),
        ),
        { numRuns: runs(300) },
      );
    },
  );
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('A 4 (a): a reject that was stored under other rules', () => {
  const mask = (...fields: string[]) => fields.map((field) => ({ field, action: 'mask' as const }));
  const hash = (field: string, salt?: string) => ({
    field,
    action: 'hash' as const,
    ...(salt !== undefined && { salt }),
  });
  const refuse = fakeInlet(() => multi([{ xactionId: 'a-0', status: 400, message: 'no' }]));
  const RECORD = '{"ssn":"123-45","email":"ana@example.com","n":1.0}';

  /** Stores a refused record under the first rules, and sends it again under the second. */
  async function redriven(first: Redaction[], second: Redaction[], record = RECORD, more: object = {}) {
    const transformed = transforming({ redact: first, select: '/nothing' })(record)[0]?.entry as DeadLetter;
    const rules = createRedactor(pipelineWith({ redact: first }))?.applied ?? [];
    const stored = { ...transformed, ...more };
    const held = document([stored, entry(9, '{"other":1}')], { rules: { [transformed.rules ?? '']: rules } });
    const now = { published: { records: { redact: second } } };
    const own = redriveWorld(now);
    const key = await own.store(held);
    const before = own.documents().get(key)?.entries[0];
    const answer = await own.run({ source: 'rejected' });
    const again = redriveWorld({ ...now, inlet: refuse });
    const kept = await again.store(held);
    await again.run({ source: 'rejected' });
    const left = again
      .documents()
      .get(kept)
      ?.entries.find(({ sequenceNumber }) => sequenceNumber === seq(0));
    return { answer, sent: own.inlet.acknowledged, after: own.documents().get(key), before, left };
  }

  it.each<[string, Redaction[], Redaction[], string]>([
    [
      'is sent by the rules there are now',
      mask('/ssn'),
      mask('/ssn', '/email'),
      '{"ssn":"***","email":"***","n":1.0}',
    ],
    [
      'is hashed where it was not yet',
      mask('/ssn'),
      [...mask('/ssn'), hash('/email', 's')],
      `{"ssn":"***","email":"${sha256('sana@example.com')}","n":1.0}`,
    ],
    [
      'is not hashed twice',
      [hash('/email')],
      [hash('/email'), ...mask('/ssn')],
      `{"ssn":"***","email":"${sha256('ana@example.com')}","n":1.0}`,
    ],
    [
      'has taken out what was hashed',
      [hash('/email')],
      [{ field: '/email', action: 'drop' }],
      '{"ssn":"123-45","n":1.0}',
    ],
    ['has its hash masked', [hash('/email')], mask('/email'), '{"ssn":"123-45","email":"***","n":1.0}'],
    [
      'is as it was where the rules are',
      mask('/ssn'),
      mask('/ssn'),
      '{"ssn":"***","email":"ana@example.com","n":1.0}',
    ],
  ])('%s', async (_, first, second, wanted) => {
    const { answer, sent, left } = await redriven(first, second);
    expect(sent.toSorted()).toEqual([wanted, '{"other":1}'].toSorted());
    expect(answer).toMatchObject({ delivered: 2, complete: true });
    // And so it is kept where it is rejected again.
    expect(kept(left)).toBe(wanted);
    expect(left).toMatchObject({ redacted: true, partitionKey: sha256('key-0') });
  });

  it.each<[string, Redaction[], Redaction[]]>([
    ['another salt', [hash('/email', 's1')], [hash('/email', 's2'), ...mask('/ssn')]],
    ['a hash of what was masked', mask('/email'), [hash('/email')]],
    ['a hash of what was taken out', [{ field: '/email', action: 'drop' }], [hash('/email')]],
  ])('stays untouched where the rules ask for what cannot be made any more: %s', async (_, first, second) => {
    const { answer, sent, after, before, left } = await redriven(first, second);
    expect(sent).toEqual(['{"other":1}']);
    expect(answer).toMatchObject({ delivered: 1, rejectedAgain: 0, withheld: 1, complete: false });
    expect(after?.entries).toEqual([before]);
    expect(left).toEqual(before);
  });

  it.each([
    ['whose value may be a hash already', `{"email":"${sha256('ana@example.com')}"}`, undefined],
    ['whose value is hidden already', '{"email":"***"}', undefined],
    ['whose value is none', '{"email":"ana@example.com"}', `{"email":"${sha256('ana@example.com')}"}`],
    ['without the field', '{"x":1}', '{"x":1}'],
  ])('by 0.1.0, which did not say by which rules, %s', async (_, data, wanted) => {
    const own = redriveWorld({ published: { records: { redact: [hash('/email')] } } });
    await own.store(document([entry(1, data, { redacted: true })]));
    const before = structuredClone([...own.s3.objects]);
    const answer = await own.run({ source: 'rejected' });
    expect(own.inlet.acknowledged).toEqual(wanted === undefined ? [] : [wanted]);
    if (wanted !== undefined) return;
    expect(answer).toMatchObject({ delivered: 0, withheld: 1, complete: false });
    expect([...own.s3.objects]).toEqual(before);
  });
});

describe('A 4 (b): a row that AEP took before anything was to be hidden', () => {
  const redact = [{ field: '/email', action: 'mask' as const }];

  it.each([
    ['of 0.1.0, said to be redacted', { redacted: true as const, reason: 'refused-later', partitionKey: '' }],
    [
      'stored in clear before there were rules',
      { asReceived: true as const, reason: 'refused-later', partitionKey: '' },
    ],
  ])('is not sent, and nothing of it is written again: %s', async (_, more) => {
    const own = redriveWorld({ published: { records: { redact } } });
    await own.store(document([entry(1, '{"email":"ana@example.com"}', more)]));
    const before = structuredClone([...own.s3.objects]);
    expect(await own.run({ source: 'rejected' })).toMatchObject({ delivered: 0, withheld: 1 });
    expect(own.inlet.requests).toEqual([]);
    expect([...own.s3.objects]).toEqual(before);
  });

  it('is kept without bytes by reconcile, or as the record from the stream by the rules there are, which redrive sends', async () => {
    const own = redactionWorld('raw', [{ source: 'id', destination: 'other.form.id' }]);
    const written = (id: string) => ({
      bytes: Buffer.from(`{"id":"${id}","email":"ana@example.com","n":1.0}`),
      partitionKey: 'ana@example.com',
    });
    own.publish(undefined);
    await own.forward([written('lost'), written('there')]);
    own.publish({ redact });
    own.trim(1);
    own.left();
    await own.reconcile(true);
    const [text = ''] = own.left().filter((one) => one.includes('"entries"'));
    const { entries, rules } = JSON.parse(text) as DeadLetterDocument;
    expect(entries).toMatchObject([
      { withheld: true, data: '', message: 'DCVS-1106-400', length: expect.any(Number) },
      { redacted: true, rules: Object.keys(rules ?? {})[0], partitionKey: sha256('ana@example.com') },
    ]);
    expect(kept(entries[1])).toBe('{"id":"there","email":"***","n":1.0}');
    own.mood = 'take';
    await own.redrive('rejected');
    expect(own.left()).toContain('{"messages":[{"id":"there","email":"***","n":1.0}]}');
  });
});

describe('A 4 (c): XDM comes as an entity or as a whole message', () => {
  const entityText = '{"_id":"1","workEmail":{"address":"ana@example.com"}}';
  const whole = `{"header":{"x":1},"body":{"xdmMeta":{},"xdmEntity":${entityText}}}`;
  const sentOf = (records: object, text: string) =>
    /"xdmEntity":(.*)\}\}$/.exec(transforming(records, { data: 'xdm' })(text)[0]?.sent ?? '')?.[1];

  it.each([
    ['/workEmail/address', 'mask', '{"_id":"1","workEmail":{"address":"***"}}'],
    ['/body/xdmEntity/workEmail/address', 'mask', '{"_id":"1","workEmail":{"address":"***"}}'],
    ['/workEmail', 'drop', '{"_id":"1"}'],
    ['/body/xdmEntity/workEmail', 'drop', '{"_id":"1"}'],
    ['/workEmail/address', 'hash', `{"_id":"1","workEmail":{"address":"${sha256('ana@example.com')}"}}`],
  ])('a rule for %s hides it in both: %s', (field, action, wanted) => {
    const records = { redact: [{ field, action }] };
    expect([sentOf(records, entityText), sentOf(records, whole)]).toEqual([wanted, wanted]);
  });

  it('also in the part that is selected, and where each form has a rule of its own each is hidden once', () => {
    const redact = [{ field: '/p/workEmail/address', action: 'mask' }];
    const select = '/p';
    for (const part of [entityText, whole])
      expect(sentOf({ redact, select }, `{"p":${part}}`)).toBe('{"_id":"1","workEmail":{"address":"***"}}');
    const both = ['/workEmail/address', '/body/xdmEntity/workEmail/address'].map((field) => ({
      field,
      action: 'hash',
    }));
    const once = `{"_id":"1","workEmail":{"address":"${sha256('ana@example.com')}"}}`;
    expect([sentOf({ redact: both }, entityText), sentOf({ redact: both }, whole)]).toEqual([once, once]);
  });

  it('of raw data a pointer leads where it says, and nowhere else', () => {
    const redact = [{ field: '/a', action: 'mask' }];
    expect(transforming({ redact })('{"body":{"xdmEntity":{"a":1}}}')[0]?.sent).toBe(
      '{"body":{"xdmEntity":{"a":1}}}',
    );
  });
});

describe("A 4: a document of Lambda's that says only where its records are", () => {
  const records = { redact: [{ field: '/email', action: 'mask' as const }] };
  const lines = Array.from({ length: 6 }, (_, n) => `{"n":${n},"email":"ana-${n}@example.com"}`);
  const pointing = () => onFailureDocument({ records: lines, payload: 'none' });

  it('comes to hold none of them, and is about those that are left', async () => {
    // The third is not taken now.
    const some = acknowledgeBut((message) => (/"n":[23],/.test(message) ? { status: 503 } : undefined));
    const own = redriveWorld({ published: { records }, inlet: fakeInlet(some) });
    own.stream.records.push(...lines.map((line, n) => streamRecord(n, line)));
    own.s3.objects.set(ON_FAILURE_KEY, pointing());
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ delivered: 4, left: 2, complete: false });
    const text = own.s3.objects.get(ON_FAILURE_KEY) ?? '';
    expect(everythingIn(text).join('\n')).not.toContain('ana-');
    expect((JSON.parse(text) as { KinesisBatchInfo: object }).KinesisBatchInfo).toMatchObject({
      startSequenceNumber: seq(2),
      endSequenceNumber: seq(3),
      batchSize: 2,
    });
    const later = redriveWorld({ published: { records }, s3: own.s3 });
    later.stream.records.push(...own.stream.records);
    expect(await later.run({ source: 'on-failure' })).toMatchObject({ delivered: 2, complete: true });
    expect(later.inlet.acknowledged).toEqual(['{"n":2,"email":"***"}', '{"n":3,"email":"***"}']);
  });

  it('says once what of it is lost, and holds none of the rest', async () => {
    const own = redriveWorld({ published: { records }, inlet: fakeInlet(() => json(503, {})) });
    own.stream.records.push(...lines.map((line, n) => streamRecord(n, line)));
    own.stream.trimmed = 2;
    own.s3.objects.set(ON_FAILURE_KEY, pointing());
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ left: 4, lost: { records: 2 } });
    expect(everythingIn(JSON.stringify([...own.s3.objects])).join('\n')).not.toContain('ana-');
    expect(await own.run({ source: 'on-failure' })).toMatchObject({ left: 4, lost: { records: 0 } });
  });
});

describe('14 B: a CloudEvent whose data_base64 holds no JSON object', () => {
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  const event = (data: string, more = '') =>
    `{"specversion":"1.0","id":"e-1","source":"s","type":"t","subject":"b@example.org"${more},"data_base64":"${data}"}`;
  const veiled = [
    event(encoded('[{"email":"a@example.org"}]')),
    event(encoded('a@example.org')),
    event(encoded('{"email":"a@example.org"}'), ',"data":{}'),
  ];
  const through = (field: string, select: object = { select: '/data' }) =>
    transforming(
      { ...select, redact: [{ field, action: 'drop' }] },
      { data: 'raw', format: { kind: 'cloudevents' } },
    );

  it.each(['/data/email', '/data'])('is kept without its bytes where %s is hidden', (field) => {
    for (const one of veiled) {
      const [found] = through(field)(one);
      expect(found).toMatchObject({ verdict: 'nothing-selected', entry: { withheld: true, data: '' } });
      expect(found?.entry?.length).toBe(one.length);
      // Nor is it sent where the whole event is.
      expect(through(field, {})(one)).toMatchObject([{ verdict: 'nothing-selected' }]);
    }
  });

  it('is redacted where it is opened, and kept where no rule leads into its data', () => {
    const [opened] = through('/data/email')(event(encoded('{"n":1,"email":"a@example.org"}')));
    expect(opened).toMatchObject({ sent: '{"n":1}' });
    const [kept] = through('/subject')(veiled[0] as string);
    expect(kept).toMatchObject({ verdict: 'nothing-selected', entry: { redacted: true } });
    expect(Buffer.from(kept?.entry?.data ?? '', 'base64').toString()).not.toContain('b@example.org');
  });
});
