// A mapping that is saved on the page: into its own file alone, whole, checked, and over nobody else's change.
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TOKEN_HEADER } from '../../../local/aep/access.ts';
import { mappingDetail } from '../../../local/page/areas/mapping.ts';
import { saveMapping } from '../../../local/page/save.ts';
import { startPage } from '../../../local/page/server.ts';
import { createStore } from '../../../local/page/store.ts';
import type { MappingDetail, MappingLine, Saving } from '../../../local/page/told.ts';
import type { Edit, Looked } from '../../../local/page/watched.ts';
import { editOf } from '../../../local/start/edit.ts';
import { manifestOf, succeeded, toldStack } from '../../support/watched.ts';

// Odd blanks, a long number and a row in a form of AEP: nothing of it may move.
const TEXT = `{
  "version": 1,  "name": "orders", "sandbox": "dev1",
  "source": { "kind": "inlet", "stream": "shop", "data": "raw" },
  "schema": { "class": "profile", "fieldGroups": ["profile-person-details"] },
  "mapping": [
    { "source": "id",   "destination": "_id" },
    { "sourceType": "ATTRIBUTE", "source": "first", "sourceAttribute": "first",
      "destination": "person.name.firstName", "version": 12345678901234567890 },
    { "expression": "upper(family)", "destination": "person.name.lastName" }
  ]
}
`;
const MANIFEST = manifestOf('orders', { mapping: (JSON.parse(TEXT) as { mapping: object[] }).mapping });

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  file = join(folder, 'orders.json');
  await writeFile(file, TEXT);
});
afterEach(() => rm(folder, { recursive: true }));

const opened = () => editOf([{ file, manifest: MANIFEST }]);

function lookedAt(edit?: Edit, manifest = MANIFEST): Looked {
  const stack = toldStack();
  stack.told.push(succeeded(manifest));
  return { watched: { ...stack, ...(edit && { edit }) }, store: createStore('/nowhere') };
}

const seen = async (looked: Looked) => (await mappingDetail(looked, 'orders')) as MappingDetail;
const versionIn = ({ saving }: { readonly saving: Saving }) =>
  saving.state === 'on' ? saving.version : saving.state;

const save = (looked: Looked, version: string, rows: readonly MappingLine[], pipeline = 'orders') =>
  saveMapping(looked, {
    method: 'POST',
    path: '',
    body: Buffer.from(JSON.stringify({ pipeline, version, rows })),
  });

const now = () => readFile(file, 'utf8');

describe('a mapping that is saved', () => {
  it('changes, removes and adds rows, and leaves every other byte of the file', async () => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const [id, first] = rows as [MappingLine, MappingLine, MappingLine];
    const added: MappingLine = { kind: 'expression', from: '"x"', destination: 'person.name.middleName' };
    const answer = await save(looked, versionIn(detail), [
      { ...id, from: 'key' },
      { ...first, from: 'given' },
      added,
    ]);
    expect(answer?.status).toBe(200);
    expect(await now()).toBe(
      TEXT.replace('"id",  ', '"key",  ')
        .replace(
          '"source": "first", "sourceAttribute": "first"',
          '"source": "given", "sourceAttribute": "given"',
        )
        .replace(
          '"expression": "upper(family)", "destination": "person.name.lastName"',
          '"expression": "\\"x\\"", "destination": "person.name.middleName"',
        ),
    );
    const after = await seen(looked);
    expect(answer?.body).toEqual({ rows: after.rows, saving: after.saving });
    expect(after.rows.map(({ row }) => row)).toEqual([0, 1, 2]);
    expect(after.saving).toMatchObject({ state: 'on', file, isInForce: false });
  });

  it('makes a row of another kind anew, without a word of AEP for the old one', async () => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const changed = rows.with(1, { ...(rows[1] as MappingLine), kind: 'expression', from: 'upper(given)' });
    expect((await save(looked, versionIn(detail), changed))?.status).toBe(200);
    const { mapping } = JSON.parse(await now()) as { mapping: object[] };
    expect(mapping[1]).toEqual({ expression: 'upper(given)', destination: 'person.name.firstName' });
  });

  it.each<[string, (rows: readonly MappingLine[]) => MappingLine[]]>([
    ['in another order', (rows) => rows.toReversed()],
    ['with one twice', ([one, ...rows]) => [one, one, ...rows] as MappingLine[]],
    ['with a place that is not there', (rows) => [...rows, { ...(rows[0] as MappingLine), row: 3 }]],
    ['with a new one before kept ones', (rows) => [{ kind: 'field', from: 'a', destination: 'b' }, ...rows]],
  ])('is refused %s', async (_, change) => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    expect(await save(looked, versionIn(detail), change(rows))).toMatchObject({ status: 400 });
    expect(await now()).toBe(TEXT);
  });

  it('is refused with its mistakes, each also beside its row, and the file stays as it is', async () => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const twice: MappingLine = { kind: 'field', from: 'id', destination: '_id' };
    const answer = await save(looked, versionIn(detail), [...rows, twice]);
    expect(answer).toMatchObject({
      status: 422,
      body: { hasChanged: false, rows: [null, null, null, expect.stringContaining('_id')] },
    });
    const unknown = rows.with(0, { ...(rows[0] as MappingLine), destination: 'nowhere' });
    expect(await save(looked, versionIn(detail), unknown)).toMatchObject({
      status: 422,
      body: { mistakes: expect.arrayContaining([expect.stringContaining('nowhere')]) },
    });
    expect(await now()).toBe(TEXT);
  });

  it('is held against the samples beside the file', async () => {
    const samples = [{ record: { id: 'a' }, xdm: { _id: 'a' } }];
    await writeFile(join(folder, 'orders.samples.json'), JSON.stringify(samples));
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const changed = rows.with(0, { ...(rows[0] as MappingLine), from: 'key' });
    expect(await save(looked, versionIn(detail), changed)).toMatchObject({ status: 422 });
    expect(await now()).toBe(TEXT);
  });

  it('never goes over the change of another window or another program', async () => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const of = (from: string) => rows.with(0, { ...(rows[0] as MappingLine), from });
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((from) => save(looked, versionIn(detail), of(from))),
    );
    expect(answers.map((answer) => answer?.status).toSorted()).toEqual([200, 409, 409]);
    const saved = await seen(looked);
    await writeFile(file, (await now()).replace('"dev1"', '"dev2"'));
    expect(await save(looked, versionIn(saved), of('four'))).toMatchObject({
      status: 409,
      body: { hasChanged: true },
    });
    expect(await now()).toContain('"dev2"');
    // Read anew, it is saved.
    expect((await save(looked, versionIn(await seen(looked)), of('four')))?.status).toBe(200);
  });

  it('is saved already where only the answer was lost', async () => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const changed = rows.with(0, { ...(rows[0] as MappingLine), from: 'key' });
    const first = await save(looked, versionIn(detail), changed);
    expect(await save(looked, versionIn(detail), changed)).toEqual(first);
  });

  it('tells whether its rows are in force', async () => {
    const looked = lookedAt(await opened());
    expect((await seen(looked)).saving).toMatchObject({ isInForce: true });
    const others = lookedAt(await opened(), manifestOf('orders'));
    const detail = await seen(others);
    expect(detail.saving).toMatchObject({ isInForce: false });
    expect(detail.rows).toHaveLength(3);
  });
});

describe('the files that can be written', () => {
  it('are those of the start alone, by the name of their pipeline', async () => {
    const off = lookedAt();
    expect((await seen(off)).saving).toEqual({ state: 'off' });
    expect(await save(off, 'v', [])).toMatchObject({ status: 400 });
    const looked = lookedAt(await opened());
    for (const name of ['../orders', file, 'another', '__proto__', ''])
      expect(await save(looked, versionIn(await seen(looked)), [], name)).toMatchObject({
        status: 404,
        body: { why: `There is no pipeline ${name} here.` },
      });
    const elsewhere = lookedAt(await editOf([]));
    expect((await seen(elsewhere)).saving).toEqual({ state: 'elsewhere' });
    expect(await save(elsewhere, 'v', [])).toMatchObject({ status: 400 });
  });

  it('are in UTF-8: of any other bytes nothing is written again', async () => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const latin = Buffer.from(
      TEXT.replace('"version": 1', '"description": "\u00e9", "version": 1'),
      'latin1',
    );
    await writeFile(file, latin);
    const why = expect.stringContaining('not UTF-8');
    expect((await seen(looked)).saving).toMatchObject({ state: 'unreadable', why });
    expect(await save(looked, versionIn(detail), rows.slice(1))).toMatchObject({
      status: 400,
      body: { why },
    });
    expect((await readFile(file)).equals(latin)).toBe(true);
  });

  it('are not followed through a link that somebody has put there since', async () => {
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    const other = join(folder, 'other.json');
    await rename(file, other);
    await symlink(other, file);
    expect(await save(looked, versionIn(detail), rows.slice(1))).toMatchObject({
      status: 400,
      body: { why: expect.stringContaining('another file') },
    });
    expect((await seen(looked)).saving.state).toBe('unreadable');
    expect(await readFile(other, 'utf8')).toBe(TEXT);
    // Nor through one in place of a folder.
    await rm(file);
    await mkdir(join(folder, 'there'));
    await rename(other, join(folder, 'there', 'orders.json'));
    await symlink(join(folder, 'there', 'orders.json'), file);
    const throughFolder = join(folder, 'link', 'orders.json');
    await symlink(join(folder, 'there'), join(folder, 'link'));
    const second = lookedAt(await editOf([{ file: throughFolder, manifest: MANIFEST }]));
    const before = await seen(second);
    await rm(join(folder, 'link'));
    await mkdir(join(folder, 'elsewhere'));
    await writeFile(join(folder, 'elsewhere', 'orders.json'), TEXT);
    await symlink(join(folder, 'elsewhere'), join(folder, 'link'));
    expect(await save(second, versionIn(before), rows.slice(1))).toMatchObject({ status: 400 });
    expect(await readFile(join(folder, 'elsewhere', 'orders.json'), 'utf8')).toBe(TEXT);
  });

  it('may be named by a link: what it leads to is written, and the link stays', async () => {
    const link = join(folder, 'link.json');
    await symlink(file, link);
    const looked = lookedAt(await editOf([{ file: link, manifest: MANIFEST }]));
    const { rows, ...detail } = await seen(looked);
    expect((await save(looked, versionIn(detail), rows.slice(0, 2)))?.status).toBe(200);
    expect(await now()).not.toContain('upper(family)');
    expect(await readFile(link, 'utf8')).toBe(await now());
  });

  it('keep their mode, leave nothing beside them, and say why they cannot be read', async () => {
    await chmod(file, 0o640);
    const looked = lookedAt(await opened());
    const { rows, ...detail } = await seen(looked);
    expect((await save(looked, versionIn(detail), rows.slice(0, 2)))?.status).toBe(200);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(['orders.json']);
    await writeFile(file, TEXT.replace('"orders"', '"renamed"'));
    expect((await seen(looked)).saving).toMatchObject({
      state: 'unreadable',
      why: expect.stringContaining('renamed'),
    });
    await writeFile(file, '{');
    expect((await seen(looked)).saving).toMatchObject({ state: 'unreadable' });
    await rm(file);
    expect((await seen(looked)).saving).toMatchObject({
      state: 'unreadable',
      why: expect.stringContaining('ENOENT'),
    });
    expect(await save(looked, versionIn(detail), rows)).toMatchObject({ status: 400 });
    expect(await readdir(folder)).toEqual([]);
  });

  it('are not written for another site: the token, JSON and a post are asked for', async () => {
    const { watched } = lookedAt(await opened());
    const page = await startPage(watched);
    try {
      const { rows, ...detail } = await seen({ watched, store: createStore('/nowhere') });
      const body = JSON.stringify({ pipeline: 'orders', version: versionIn(detail), rows: rows.slice(0, 2) });
      const json = { 'content-type': 'application/json' };
      const statusOf = async (headers: Record<string, string>, method = 'POST') =>
        (await fetch(`${page.origin}/api/save`, { method, headers, body })).status;
      expect(await statusOf({ ...json, origin: 'http://elsewhere.example' })).toBe(401);
      expect(await statusOf({ ...json, 'sec-fetch-site': 'cross-site' })).toBe(401);
      expect(await statusOf({ 'content-type': 'text/plain' })).toBe(415);
      expect(await statusOf(json, 'DELETE')).toBe(404);
      expect(await now()).toBe(TEXT);
      const token = new URL(page.address).hash.slice(1);
      expect(await statusOf({ ...json, origin: page.origin, [TOKEN_HEADER]: token })).toBe(200);
      expect(await now()).not.toContain('upper(family)');
    } finally {
      await page.close();
    }
  });
});
