// The soak's oracle finds whatever it is there to find: one that cannot would make every soak a success.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { markOf, messagesIn, Oracle } from './oracle.ts';

const record = (index: number, more = '') => Buffer.from(`{"id":"${markOf(index)}","n":1e400${more}}`);
const row = (index: number) => ({ _id: markOf(index) });
const request = (...records: readonly Buffer[]) => Buffer.from(`{"messages":[${records.join(',')}]}`);

let folder: string | undefined;
afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

/** A store with these entries, and the half of a document that a kill has left. */
async function store(
  ...entries: readonly { readonly reason: string; readonly data: string }[]
): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'penstock-oracle-'));
  const below = join(folder, 'rejected', 'soak-raw', '2026');
  await mkdir(below, { recursive: true });
  await writeFile(join(below, 'a.json'), JSON.stringify({ version: 1, entries }));
  await writeFile(join(below, 'b.json.1.tmp'), '{"version":1,"ent');
  return folder;
}

const entry = (bytes: Buffer) => ({ reason: 'not-json', data: bytes.toString('base64') });

/** Two that land, one that AEP refuses, one that is unfit. */
function written(): Oracle {
  const oracle = new Oracle(4);
  oracle.write(0, 'lands', record(0));
  oracle.write(1, 'lands', Buffer.concat([Buffer.from('\ufeff'), record(1)]), record(1));
  oracle.write(2, 'refused', record(2));
  oracle.write(3, 'unfit', Buffer.from([0xff, 0xfe]));
  return oracle;
}

const fine = { written: 4, lost: 0, phantoms: 0, altered: 0, misplaced: 0, duplicates: 0 };

describe('the oracle', () => {
  it('has nothing to say where all is well', async () => {
    const oracle = written();
    const sent = oracle.request(request(record(0), record(1), record(2)));
    oracle.answer(sent, [{ xactionId: 'a' }, { xactionId: 'b' }, { xactionId: 'c', status: 400 }]);
    oracle.rows([row(0), row(1)]);
    await oracle.store(await store(entry(record(2)), entry(Buffer.from([0xff, 0xfe]))));
    const found = oracle.findings();
    expect(found).toMatchObject({ ...fine, landed: 2, kept: 2, unacknowledged: 0, refusedThoughSound: 0 });
    expect(found.reasons).toEqual(new Map([['not-json', 2]]));
    expect(found.examples).toEqual([]);
  });

  it.each<[string, (oracle: Oracle) => unknown, object]>([
    ['a record that is nowhere', () => undefined, { lost: 4 }],
    ['a message that nobody wrote', (oracle) => oracle.request(request(record(7))), { phantoms: 1 }],
    ['a message without a mark', (oracle) => oracle.request(request(Buffer.from('{}'))), { phantoms: 1 }],
    ['a request that is none', (oracle) => oracle.request(Buffer.from('{"messages":[]')), { phantoms: 1 }],
    ['a row that nobody wrote', (oracle) => oracle.rows([{ _id: 'x' }, row(9)]), { phantoms: 2 }],
    [
      'a number written anew',
      (oracle) => oracle.request(request(Buffer.from(`{"id":"${markOf(0)}","n":null}`))),
      { altered: 1 },
    ],
    [
      'a blank more',
      (oracle) => oracle.request(request(Buffer.concat([record(0), Buffer.from(' ')]))),
      { altered: 1 },
    ],
    [
      'a BOM that was sent',
      (oracle) => oracle.request(Buffer.from(`{"messages":[\ufeff${record(1)}]}`)),
      { altered: 1 },
    ],
    ['a refused one that landed', (oracle) => oracle.rows([row(2)]), { misplaced: 1 }],
    [
      'copies',
      (oracle) => oracle.rows([row(0), row(0), row(0), row(1), row(1)]),
      { duplicates: 3, mostCopies: 3, landed: 2 },
    ],
  ])('finds %s', (_, happens, found) => {
    const oracle = written();
    happens(oracle);
    expect(oracle.findings()).toMatchObject(found);
  });

  it('finds what is wrong in the store', async () => {
    const oracle = written();
    const other = record(2, ',"more":1');
    await oracle.store(
      await store(entry(Buffer.from('?')), entry(other), entry(record(2)), entry(record(0))),
    );
    expect(oracle.findings()).toMatchObject({
      phantoms: 1,
      altered: 1,
      storedAgain: 1,
      kept: 2,
      refusedThoughSound: 1,
    });
  });

  it('finds a record of another route: sent, landed, or stored; and does not miss it', async () => {
    const oracle = new Oracle(1);
    oracle.write(0, 'elsewhere', record(0));
    expect(oracle.findings()).toMatchObject({ written: 0, lost: 0, misplaced: 0 });
    oracle.request(request(record(0)));
    oracle.rows([row(0)]);
    await oracle.store(await store(entry(record(0))));
    expect(oracle.findings()).toMatchObject({ written: 0, landed: 0, misplaced: 3, phantoms: 0 });
  });

  it('says which records an answer acknowledges', () => {
    const oracle = written();
    const sent = oracle.request(request(record(0), record(2), record(1)));
    expect(oracle.answer(sent, [{ xactionId: 'a' }, { status: 400 }, { xactionId: 'b' }])).toEqual([0, 1]);
    expect(oracle.answer(sent, [{ xactionId: 'a' }])).toEqual([]);
  });

  it('counts what was taken without an answer that says so', () => {
    const oracle = written();
    const sent = oracle.request(request(record(0), record(1)));
    oracle.rows([row(0), row(1), row(0)]);
    oracle.answer(sent, [{ xactionId: 'a' }]);
    expect(oracle.findings().unacknowledged).toBe(3);
    oracle.answer(sent, [{ xactionId: 'a' }, null]);
    oracle.answer(sent, 'none');
    expect(oracle.findings().unacknowledged).toBe(2);
  });

  it('reads the entity out of a pre-transformed message', () => {
    const oracle = written();
    const frame = '{"header":{"schemaRef":{"id":"x"}},"body":{"xdmMeta":{},"xdmEntity":';
    expect(oracle.request(Buffer.from(`{"messages":[${frame}${record(0)}}}]}`))).toEqual([0]);
    expect(oracle.findings().altered).toBe(0);
  });
});

describe('messagesIn', () => {
  it.each<[string, string[] | undefined]>([
    ['{"messages":[{}]}', ['{}']],
    [
      '{"messages":[{"a":"},{\\"\\\\"}, {"b":[1,{"c":","}]}]}',
      ['{"a":"},{\\"\\\\"}', ' {"b":[1,{"c":","}]}'],
    ],
    ['{"messages":[{"a":"\\\\\\""},1]}', ['{"a":"\\\\\\""}', '1']],
    ['{"messages":[{"a":1}]', undefined],
    ['{"messages":[{]}', undefined],
    ['{"messages":[}{]}', undefined],
    ['{"messages":[{"a":"]}', undefined],
    ['[{}]', undefined],
  ])('%s', (text, expected) => {
    expect(messagesIn(Buffer.from(text))?.map(String)).toEqual(expected);
  });
});
