// Issue 15: `check --fix` mends the files themselves, and leaves alone what it does not know better.
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkFiles, type Outcome } from '../../local/check/check-files.ts';

const WRITTEN = `{
  "name": "my shop",   "version": 1, "sandbox": "Dev1",
  "source": { "kind": "inlet", "stream": "shop", "data": "raw",
    "records": { "where": [{ "field": "/size", "greaterThan": 1.50 }] } },
  "schema": { "class": "profile", "fieldGroups": ["profile-personal-details"],
    "identities": [{ "path": "personalEmail.address" }] },
  "mapping": [{ "source": "$.id", "destination": "_id" }]
}
`;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-lint-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function checked(name: string, text: string, fix: boolean): Promise<Outcome & { text: string }> {
  const file = join(folder, name);
  await writeFile(file, text);
  const outcomes: Outcome[] = [];
  for await (const one of checkFiles({ files: [file], records: undefined, xdm: undefined, fix }))
    outcomes.push(one);
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error('nothing was checked');
  return { ...outcome, text: await readFile(file, 'utf8') };
}

it('without --fix the file stays, and each lint says what would be done', async () => {
  const { exitCode, lints, mended, text } = await checked('one.json', WRITTEN, false);
  expect([exitCode, mended, text]).toEqual([1, [], WRITTEN]);
  expect(lints.map(({ rule, does }) => [rule, does !== undefined])).toEqual([
    ['name', true],
    ['name', true],
    ['namespace', true],
    ['source', true],
  ]);
});

it('with --fix it is right, and every other byte is as it was', async () => {
  const { exitCode, lints, mended, text } = await checked('two.json', WRITTEN, true);
  expect([exitCode, lints, mended.length]).toEqual([0, [], 4]);
  expect(text).toBe(
    WRITTEN.replace('my shop', 'my-shop')
      .replace('Dev1', 'dev1')
      .replace('"personalEmail.address" }', '"personalEmail.address", "namespace": "Email" }')
      .replace('$.id', 'id'),
  );
});

it('a line that it adds ends as the others do', async () => {
  const { lints, text } = await checked('crlf.json', WRITTEN.replaceAll('\n', '\r\n'), true);
  expect(lints).toEqual([]);
  const less = WRITTEN.replace(/ "version": 1,/, '').replaceAll('\n', '\r\n');
  const { text: added } = await checked('crlf-too.json', less, true);
  expect(added).toContain('"version": 1');
  for (const one of [text, added]) expect(one.replaceAll('\r\n', '')).not.toContain('\n');
});

it('what is nested too deep to be a manifest is told, and stays as it is', async () => {
  const deep = `{ "name": "my shop", "z": ${'['.repeat(20_000)}${']'.repeat(20_000)} }`;
  const { exitCode, mistakes, text } = await checked('deep.json', deep, true);
  expect([exitCode, text]).toEqual([1, deep]);
  expect(mistakes.join()).toContain('nested deeper');
});

it('two manifests of a folder have a name each, and those of two folders need not', async () => {
  const right = (await checked('right.json', WRITTEN, true)).text;
  for (const name of ['a', 'b']) await mkdir(join(folder, name));
  for (const file of ['a/one.json', 'a/two.json', 'b/one.json']) await writeFile(join(folder, file), right);
  const outcomesOf = async (...files: string[]) => {
    const paths = files.map((file) => join(folder, file));
    const wrong: string[] = [];
    for await (const { exitCode, subject } of checkFiles({
      files: paths,
      records: undefined,
      xdm: undefined,
    }))
      if (exitCode !== 0) wrong.push(subject);
    return wrong;
  };
  expect(await outcomesOf('a')).toEqual([join(folder, 'a')]);
  expect(await outcomesOf('a/one.json', 'b/one.json')).toEqual([]);
});

it.each(['', '{', '[]', '{"a": 1, "a": 2}'])('what is no manifest stays as it is: %j', async (text) => {
  const { exitCode, mended, text: after } = await checked('three.json', text, true);
  expect([exitCode, mended, after]).toEqual([1, [], text]);
});

it('the file of a schema beside it is not taken for a misspelt word', async () => {
  await writeFile(join(folder, 'shop.avsc'), '{"type": "record", "name": "Shop", "fields": []}');
  const text = WRITTEN.replace(
    '"data": "raw",',
    '"data": "raw", "format": { "kind": "avro", "schemaFile": "shop.avsc" },',
  );
  expect((await checked('four.json', text, true)).text).toContain('"schemaFile": "shop.avsc"');
});

it.each(['large.json', 'small.samples.json', 'small.records.json'])(
  '%s of a gigabyte is not read to its end',
  async (name) => {
    const own = await mkdtemp(join(folder, 'large-'));
    const manifest = WRITTEN.replace('my shop', 'shop').replace('Dev1', 'dev1');
    if (name !== 'large.json') await writeFile(join(own, 'small.json'), manifest);
    await writeFile(join(own, name), '');
    await truncate(join(own, name), 2 ** 30);
    const outcomes: Outcome[] = [];
    for await (const one of checkFiles({ files: [own], records: undefined, xdm: undefined, fix: true }))
      outcomes.push(one);
    const [{ exitCode, mistakes }] = outcomes as [Outcome];
    expect(exitCode).toBe(2);
    expect(mistakes.join()).toContain(`${name} has more than 1000000 bytes`);
  },
);
