// What holds for whatever an inlet answers to a batch: properties of reading a 207, to be tried as often as wanted.
import fc from 'fast-check';
import { inletAddress, postBatch } from '../../lib/aep/inlet.ts';
import { type Outcome, readEntries, readOutcomes, takesAllInOrder } from '../../lib/aep/inlet-reply.ts';
import { each, ensure, type Property } from './property.ts';

const ORIGIN = 'https://dcs.adobedc.net';
const INLET_ID = 'c1f0c1f0c1f0c1f0c1f0c1f0c1f0c1f0';

/** What became of a message: it was taken, or this status says why not. */
type Truth = 'taken' | number;
/** How the contract's §6.3 writes failures: A without an id and with `statusCode`, B with an id and `status`. */
type Shape = 'A' | 'B';

const truths = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Truth>('taken') },
    { weight: 1, arbitrary: fc.constantFrom<Truth[]>(400, 401, 403, 404, 408, 413, 429, 500, 503) },
  ),
  { minLength: 1, maxLength: 12 },
);
const shapes = fc.constantFrom<Shape[]>('A', 'B');

function entryOf(truth: Truth, index: number, shape: Shape): Record<string, unknown> {
  const xactionId = shape === 'A' ? `1771000200000:3120:78:${index}` : `6f0b7c1e-8f43-4a0c-9d41-${index}`;
  if (truth === 'taken') return { xactionId };
  const message = `inletId: [${INLET_ID}] Message ${index} has unknown xdm format`;
  return shape === 'A' ? { statusCode: truth, message } : { xactionId, status: truth, message };
}

function textOf(responses: readonly unknown[]): string {
  return JSON.stringify({
    inletId: INLET_ID,
    batchId: '1771000200000:3120:78',
    receivedTimeMs: 1,
    responses,
  });
}

/** How often each place of a list comes up; any order is as likely as any other. */
const order = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 });

function reordered<T>(items: readonly T[], keys: readonly number[]): T[] {
  return items
    .map((item, index) => ({ item, key: keys[index] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function agree(outcome: Outcome | undefined, truth: Truth): boolean {
  if (truth === 'taken') return outcome?.kind === 'acknowledged';
  return outcome?.kind === 'refused' && outcome.status === truth;
}

/** Every message's outcome is its own truth, or `unknown` where the answer left it out. */
function ensureTold(text: string, all: readonly Truth[], told: (index: number) => boolean): void {
  const { outcomes, acknowledged } = readOutcomes(text, all.length);
  for (const [index, truth] of all.entries()) {
    const outcome = outcomes[index];
    ensure(
      told(index) ? agree(outcome, truth) : outcome?.kind === 'unknown',
      `message ${index} is ${truth}, told: ${told(index)}; read as ${JSON.stringify(outcome)}`,
    );
  }
  const taken = all.filter((truth, index) => truth === 'taken' && told(index)).length;
  ensure(acknowledged === taken, `${taken} were acknowledged, and ${acknowledged} counted`);
}

/** No message is acknowledged that was not taken, and none is refused that was, or for another reason. */
function ensureNothingFalse(text: string, all: readonly Truth[]): void {
  const { outcomes } = readOutcomes(text, all.length);
  for (const [index, truth] of all.entries()) {
    const outcome = outcomes[index];
    ensure(
      outcome?.kind === 'unknown' || agree(outcome, truth),
      `message ${index} is ${truth}, read as ${JSON.stringify(outcome)}: ${text}`,
    );
  }
}

/** A status that a success may bear. */
const successes = fc.constantFrom<object[]>(
  {},
  {},
  { status: 200 },
  { statusCode: '202' },
  { status: null, statusCode: 207 },
);

const always = () => true;
const never = () => false;

/**
 * What a text acknowledges at most, by a reader of its own: for each message whether any entry that says "taken" stands in its
 * place or bears its number, and how many such entries there are in all.
 */
function carriedBy(
  text: string,
  messages: number,
): { readonly may: readonly boolean[]; readonly all: number } {
  const may = new Array<boolean>(messages).fill(false);
  const list = listIn(text);
  const positive = list.flatMap((entry, place) => (isPositive(entry) ? [{ entry, place }] : []));
  for (const { entry, place } of positive) {
    if (list.length === messages) may[place] = true;
    const number = Number(String(Reflect.get(entry, 'xactionId')).split(/[-:]/).at(-1) || 'none');
    if (number in may) may[number] = true;
  }
  return { may, all: positive.length };
}

function listIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    const list = value instanceof Object ? Object.entries(value).find(([name]) => name === 'responses') : [];
    return Array.isArray(list?.[1]) ? list[1] : [];
  } catch {
    return [];
  }
}

function isPositive(entry: unknown): entry is object {
  if (!(entry instanceof Object) || Array.isArray(entry)) return false;
  const members = new Map(Object.entries(entry));
  const fine = (status: unknown) =>
    status === undefined || status === null || /^[123]\d\d$/.test(String(status));
  return (
    typeof members.get('xactionId') === 'string' &&
    [members.get('status'), members.get('statusCode')].every(fine)
  );
}

/** Anything that JSON can say in the place of an entry, and mostly what is nearly one. */
const strange = fc.oneof(
  fc.record(
    {
      xactionId: fc.oneof(
        fc.nat(14).map((n) => `6f0b7c1e-${n}`),
        fc.constantFrom<unknown[]>(
          '',
          '-',
          ':',
          '-1e3',
          '-07',
          '-0x1',
          '-999999999999',
          0,
          null,
          true,
          ['a-0'],
          {},
        ),
        fc.string(),
      ),
      status: fc.oneof(fc.integer({ min: -1, max: 700 }), fc.constantFrom<unknown[]>('400', '', null, 4e9)),
      statusCode: fc.oneof(
        fc.integer({ min: 99, max: 600 }),
        fc.constantFrom<unknown[]>('503', ' 400', [400]),
      ),
      message: fc.anything(),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
  fc.constantFrom(
    JSON.parse('{"__proto__":{"xactionId":"a-0"}}'),
    JSON.parse('{"__proto__":1,"xactionId":"a-1"}'),
  ),
);

const DEEP = 100_000;
const nested = (open: string, inner: string, close: string) => open.repeat(DEEP) + inner + close.repeat(DEEP);
const ROOM = ' '.repeat(9 * 1024 * 1024);

/** Texts that only a stranger writes: too deep, too long, keys twice, prototypes. */
const monsters = fc.constantFrom(
  nested('[', '', ']'),
  nested('{"responses":', '[]', '}'),
  `{"responses":${nested('[', '{"xactionId":"a-0"}', ']')}}`,
  `{"responses":[{"xactionId":"a-0","message":${nested('[', '', ']')}}]}`,
  `{"responses":[{"xactionId":"a-0","status":${nested('{"a":', '1', '}')}}]}`,
  '{"responses":[{"xactionId":"a-0"}],"responses":[]}',
  '{"responses":[{"status":400,"status":200,"xactionId":"a-0"}]}',
  '{"responses":{"0":{"xactionId":"a-0"},"length":1}}',
  '{"__proto__":{"responses":[{"xactionId":"a-0"}]}}',
  `{"responses":[${'{"xactionId":"a-0"},'.repeat(50_000)}{"xactionId":"a-0"}]}`,
  `{"responses":[{"status":400,"message":"${'x'.repeat(2_000_000)}"}]}`,
  `{"responses":[{"status":400,"message":"${'-----BEGIN '.repeat(100_000)}"}]}`,
);
/** So much of an answer is read. */
const READ_BYTES = 8 * 1024 * 1024;
/** Beyond what is read of an answer; what it says before that could be taken back behind it. */
const endless = fc.constantFrom(textOf([{ xactionId: 'a-0' }]) + ROOM, `${ROOM}${textOf([])}`);

/** An answer's text, and the number of messages that the request had: mostly as many as there are entries. */
const whole = (entries: readonly unknown[]) => ({ text: textOf(entries), messages: entries.length });
const aside = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -2, max: 2 }) },
);
const answers = fc
  .tuple(
    fc.oneof(
      {
        weight: 400,
        arbitrary: fc
          .tuple(truths, shapes)
          .map(([all, shape]) => whole(all.map((truth, index) => entryOf(truth, index, shape)))),
      },
      { weight: 400, arbitrary: fc.array(strange, { maxLength: 14 }).map(whole) },
      { weight: 100, arbitrary: fc.json().map((text) => ({ text, messages: 1 })) },
      {
        weight: 100,
        arbitrary: fc.string({ unit: 'binary', maxLength: 100 }).map((text) => ({ text, messages: 1 })),
      },
      { weight: 4, arbitrary: monsters.map((text) => ({ text, messages: 1 })) },
      { weight: 1, arbitrary: endless.map((text) => ({ text, messages: 1 })) },
    ),
    aside,
  )
  .map(([{ text, messages }, more]) => ({ text, messages: Math.max(1, messages + more) }));

/** Bytes set, cut off and added anywhere, UTF-8 or not. */
const damage = fc.record({
  spots: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
  cut: fc.option(fc.nat(), { freq: 3 }),
  tail: fc.uint8Array({ maxLength: 3 }),
});

function damaged(
  text: string,
  { spots, cut, tail }: { spots: [number, number][]; cut: number | null; tail: Uint8Array },
) {
  const copy = Buffer.from(text);
  for (const [at, value] of spots) if (copy.length > 0) copy[at % copy.length] = value;
  return Buffer.concat([cut === null ? copy : copy.subarray(0, cut % (copy.length + 1)), tail]);
}

/** The bytes in pieces, as they come from a socket. */
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const piece = Math.max(size, Math.ceil(bytes.length / 40));
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

const wire = fc.record({
  answer: answers,
  damage: fc.option(damage, { freq: 1 }),
  status: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(207, 200, 202) },
    { weight: 1, arbitrary: fc.integer({ min: 200, max: 599 }) },
  ),
  retryAfter: fc.option(
    fc.oneof(fc.constantFrom('1', '-5', 'soon', '99999', ''), fc.string({ maxLength: 8 })),
  ),
  piece: fc.integer({ min: 1, max: 100 }),
});

const clock = { now: () => 0, sleep: async () => undefined };
const address = inletAddress(`${ORIGIN}/collection/${INLET_ID}`, [ORIGIN]);

/** The usual answer as a text, with what may be different in one: each of these alone, or several, or none. */
const nearlyUsual = fc
  .record({
    messages: fc.integer({ min: 1, max: 25 }),
    prefix: fc.constantFrom('1771000200000:3120:78:', '6f0b7c1e-8f43-', ':', 'x', '', 'é:', 'a b:', '\\"-'),
    head: fc.constantFrom(
      '"inletId":"a1","batchId":"1:2","receivedTimeMs":1565650704337,',
      '"receivedTimeMs":0,"inletId":"a","inletId":"b",',
      '',
      '"receivedTimeMs":01,',
      '"receivedTimeMs":1.5,',
      '"receivedTimeMs":null,',
      '"more":{"responses":[]},',
      '"responses":[],',
      '"inletId":"\\u0061",',
      '"inletId":"a"',
    ),
    tail: fc.constantFrom('', ' ', '\n', ',', '}', ',"responses":[]}', '\u0000'),
    members: fc.constantFrom('', ',"responses":[]', ',"more":1', ',"responses":null'),
    spoilt: fc.option(
      fc.record({
        at: fc.nat(24),
        entry: fc.constantFrom<(id: string) => string>(
          (id) => `{"xactionId":"${id}","status":500}`,
          (id) => `{"xactionId":"${id}","statusCode":200}`,
          (id) => `{"status":400,"xactionId":"${id}"}`,
          (id) => `{"xactionId":"${id}","xactionId":null}`,
          (id) => `{"xactionId":"${id}","of":{"xactionId":"${id}"}}`,
          (id) => `{"xactionId":"\\u0061${id}"}`,
          (id) => `{"xactionId":"${id}0"}`,
          (id) => `{"xactionId": "${id}"}`,
          () => '{"statusCode":400,"message":"no"}',
          () => '{"xactionId":7}',
          () => 'null',
        ),
      }),
      { freq: 2 },
    ),
    swap: fc.option(fc.tuple(fc.nat(24), fc.nat(24)), { freq: 1 }),
    cut: fc.option(fc.nat(), { freq: 1 }),
    more: fc.constantFrom(0, 0, 0, 0, 1, -1),
  })
  .map(({ messages, prefix, head, tail, members, spoilt, swap, cut, more }) => {
    const numbers = Array.from({ length: messages }, (_, number) => number);
    if (swap !== null) {
      const [one, other] = swap.map((at) => at % messages) as [number, number];
      [numbers[one], numbers[other]] = [numbers[other] as number, numbers[one] as number];
    }
    const entries = numbers.map((number, at) =>
      spoilt !== null && spoilt.at % messages === at
        ? spoilt.entry(prefix + number)
        : `{"xactionId":"${prefix}${number}"}`,
    );
    const whole = `{${head}"responses":[${entries.join(',')}]${members}}${tail}`;
    const text = cut === null ? whole : whole.slice(0, cut % (whole.length + 1));
    return { text, messages: Math.max(1, messages + more) };
  });

/** By name. None of it may throw, hang, or read out of an answer what is not in it. */
export const REPLY: Readonly<Record<string, Property>> = {
  '207: either shape is read message by message': each(
    fc.record({ all: truths, shape: shapes, success: successes }),
    ({ all, shape, success }) => {
      const entries = all.map((truth, index) => ({
        ...(truth === 'taken' && success),
        ...entryOf(truth, index, shape),
      }));
      ensureTold(textOf(entries), all, always);
    },
  ),

  // One of the two readings is right here, by place or by number, and nobody but this property knows which.
  '207: in any order, with ids of any request, it says of no message what is not so': each(
    fc.record({ all: truths, shape: shapes, keys: order, isMoved: fc.boolean() }),
    ({ all, shape, keys, isMoved }) => {
      const inOrder = all.map((truth, index) => entryOf(truth, index, shape));
      const places = reordered(Array.from(all.keys()), keys);
      const foreign = inOrder.map((entry, index) => ({
        ...entry,
        ...('xactionId' in entry && { xactionId: `0c9d41-${places[index]}` }),
      }));
      // What bears no id can be told by its place alone, so in shape A no entry is moved.
      const moved = shape === 'B' ? reordered(inOrder, keys) : inOrder;
      ensureNothingFalse(textOf(isMoved ? moved : foreign), all);
    },
  ),

  '207: an id twice takes no message with it that was not taken': each(
    fc.record({ all: truths, from: fc.nat(11), to: fc.nat(11) }),
    ({ all, from, to }) => {
      const entries = all.map((truth, index) => entryOf(truth, index, 'B'));
      const [source, target] = [entries[from % all.length], entries[to % all.length]];
      if (target !== undefined) target.xactionId = source?.xactionId;
      ensureNothingFalse(textOf(entries), all);
    },
  ),

  "207: an entry twice, in another's place as well, takes no message with it that was not taken": each(
    fc.record({ all: truths, shape: shapes, from: fc.nat(11), to: fc.nat(11) }),
    ({ all, shape, from, to }) => {
      const entries = all.map((truth, index) => entryOf(truth, index, shape));
      const source = entries[from % all.length] ?? {};
      // What bears no id can be told by its place alone.
      if ('xactionId' in source) entries[to % all.length] = source;
      ensureNothingFalse(textOf(entries), all);
    },
  ),

  '207: a short one and a long one say nothing': each(
    fc.record({
      all: truths,
      shape: shapes,
      keys: order,
      lacks: fc.nat(),
      more: fc.array(strange, { maxLength: 3 }),
    }),
    ({ all, shape, keys, lacks, more }) => {
      const entries = all.map((truth, index) => entryOf(truth, index, shape));
      ensureTold(textOf(reordered(entries, keys).slice(1 + (lacks % all.length))), all, never);
      const long = [...entries, { xactionId: 'a-0' }, ...more];
      ensureTold(textOf(reordered(long, keys)), all, never);
    },
  ),

  '207: ids that say nothing of places leave the place to speak': each(
    fc.record({
      all: truths,
      foreign: fc.constantFrom('foreign', 'the-same-7', 'a-1771000200000', 'x:99', ''),
    }),
    ({ all, foreign }) => {
      // A number within the batch is one that all of them have.
      const entries = all.map((truth, index) => ({ ...entryOf(truth, index, 'B'), xactionId: foreign }));
      ensureTold(textOf(entries), all, always);
    },
  ),

  '207: what is told without parsing is what the parsed answer says': each(
    nearlyUsual,
    ({ text, messages }) => {
      const parsed = readEntries(text, messages, (said) => said);
      const told = takesAllInOrder(text, messages);
      ensure(!told || parsed.acknowledged === messages, `told too much of ${messages} messages by ${text}`);
      const read = readOutcomes(text, messages);
      ensure(JSON.stringify(read) === JSON.stringify(parsed), `read in two ways: ${text}`);
    },
  ),

  '207: the usual one is told without parsing, and with a character changed in its entries it is not': each(
    fc.record({
      messages: fc.integer({ min: 1, max: 1_100 }),
      isB: fc.boolean(),
      at: fc.nat(),
      character: fc.integer({ min: 0x20, max: 0x17e }),
    }),
    ({ messages, isB, at, character }) => {
      const usual = textOf(
        Array.from({ length: messages }, (_, index) => entryOf('taken', index, isB ? 'B' : 'A')),
      );
      ensure(takesAllInOrder(usual, messages), `not told: ${usual}`);
      ensure(!takesAllInOrder(usual, messages + 1), 'told of one message more');
      ensure(messages === 1 || !takesAllInOrder(usual, messages - 1), 'told of one message less');
      const from = usual.indexOf('"responses"');
      const place = from + (at % (usual.length - from));
      const other = usual.slice(0, place) + String.fromCharCode(character) + usual.slice(place + 1);
      const isTold = other !== usual && takesAllInOrder(other, messages);
      const isTrue = readEntries(other, messages, (said) => said).acknowledged === messages;
      ensure(!isTold || (messages === 1 && isTrue), `told: ${other}`);
    },
  ),

  '207: cut anywhere, it acknowledges nothing': each(
    fc.record({ all: truths, shape: shapes, at: fc.nat() }),
    ({ all, shape, at }) => {
      const whole = textOf(all.map((truth, index) => entryOf(truth, index, shape)));
      ensureTold(whole.slice(0, at % whole.length), all, never);
    },
  ),

  '207: whatever comes over the wire is a reply, and acknowledges no more than is in it': each(
    wire,
    async ({ answer: { text, messages }, damage: how, status, retryAfter, piece }) => {
      const bytes = how === null ? Buffer.from(text) : damaged(text, how);
      const fetch = async () => ({
        status,
        headers: { get: (name: string) => (name === 'retry-after' ? retryAfter : null) },
        body: inPieces(bytes, piece),
      });
      const request = { address, body: Buffer.from(''), messages, sandbox: 'dev1', timeoutMs: 3_600_000 };
      const reply = await postBatch({ fetch, clock, random: () => 0.5 }, request);
      ensure(reply.retryAfterMs === undefined || reply.retryAfterMs >= 0, 'a wait before now');
      if (status < 200 || status > 299) return ensure(reply.kind === 'failed', `${status} is no answer`);
      if (reply.kind === 'failed') throw new Error(`${status} is an answer`);
      ensure(
        reply.outcomes.length === messages,
        `${reply.outcomes.length} outcomes for ${messages} messages`,
      );
      const { may, all } = carriedBy(
        bytes.length > READ_BYTES ? '' : new TextDecoder().decode(bytes),
        messages,
      );
      const taken = reply.outcomes.flatMap(({ kind }, index) => (kind === 'acknowledged' ? [index] : []));
      ensure(taken.length === reply.acknowledged, 'two counts that differ');
      ensure(taken.length <= all, 'more acknowledged than the answer says');
      for (const index of taken) ensure(may[index] === true, `no entry acknowledges message ${index}`);
      for (const outcome of reply.outcomes)
        ensure(outcome.kind !== 'refused' || outcome.said.length <= 500, 'more said than is kept');
      ensure(!JSON.stringify(reply.outcomes).includes(INLET_ID), "the inlet's id is in it");
    },
  ),
};
