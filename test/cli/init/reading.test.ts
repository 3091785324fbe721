// How init reads its input: lines of any length, broken ones, and what is no file of records.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initPipelines } from '../../../cli/init/init.ts';
import { linesOf, MAX_LINE_BYTES } from '../../../cli/init/lines.ts';
import { parseExactly } from '../../../cli/init/reader.ts';
import { type Most, spooled } from '../../../cli/init/spooled.ts';
import { parseSamplesText } from '../../../lib/samples.ts';
import { OPTIONS } from './landing.ts';
import { runInit } from './run.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-init-'));
});
afterEach(() => rm(folder, { recursive: true }));

const run = (options: Readonly<Record<string, string | true>>, signal?: AbortSignal) =>
  runInit({ out: join(folder, 'out'), ...options }, { signal });

async function file(text: string | Buffer): Promise<string> {
  const name = join(folder, 'sample.ndjson');
  await writeFile(name, text);
  return name;
}

const written = () => readdir(join(folder, 'out')).catch(() => []);

async function collected(chunks: readonly Buffer[], most?: number) {
  const source = async function* () {
    yield* chunks;
  };
  const all = [];
  for await (const group of linesOf(source(), most)) all.push(...group);
  return all;
}

describe('15 init: lines', () => {
  it('are cut at any place of a chunk, and numbered as an editor does', async () => {
    const text = '{"a":1}\r\n\n{"b":"ö"}\n{"c":3}';
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const all = await collected([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(all.map((line) => [line.number, 'bytes' in line && line.bytes.toString()])).toEqual([
        [1, '{"a":1}'],
        [3, '{"b":"ö"}'],
        [4, '{"c":3}'],
      ]);
    }
  });

  it('a line of 1 GB is told by its number, and never held', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 0x61);
    const before = process.memoryUsage().rss;
    const chunks = async function* () {
      yield Buffer.from('{"id":1}\n');
      for (let n = 0; n < 1024; n++) yield chunk;
      yield Buffer.from('\n{"id":2}\n');
    };
    const inferred = await initPipelines({ ...OPTIONS, lines: () => linesOf(chunks()) });
    expect(inferred.report.broken).toEqual([{ reason: 'too-large', count: 1, lines: [2] }]);
    expect(inferred.report.messages).toBe(2);
    // Held, it would take a gigabyte.
    expect(process.memoryUsage().rss - before).toBeLessThan(500 * 1024 * 1024);
  });

  it('the longest record of a stream is still a line', async () => {
    const all = await collected([
      Buffer.alloc(MAX_LINE_BYTES, 0x61),
      Buffer.from('\n'),
      Buffer.alloc(MAX_LINE_BYTES + 1),
    ]);
    expect(all.map((line) => ('tooLong' in line ? 'too long' : line.bytes.length))).toEqual([
      MAX_LINE_BYTES,
      'too long',
    ]);
  });

  it('no more records are looked at than asked for, and that is said', async () => {
    const lines = () =>
      linesOf(
        (async function* () {
          yield Buffer.from('{"id":1}\n'.repeat(30));
        })(),
      );
    const { report } = await initPipelines({ ...OPTIONS, lines, most: 10 });
    expect(report).toMatchObject({ records: 10, messages: 10, isCut: true });
  });

  it.each([
    ['{"a":12345678901234567890}', '{"a":12345678901234567890}'],
    ['{"a":0.1234567890123456}', '{"a":0.1234567890123456}'],
    ['{"a":1e400,"b":[1e400]}', '{"a":1e400,"b":[1e400]}'],
    ['{"a":"1,12345678901234567890"}', '{"a":"1,12345678901234567890"}'],
    ['{"a":9007199254740993}', '{"a":9007199254740993}'],
  ])('the digits of %s stay', (text, expected) => {
    expect(JSON.stringify(parseExactly(text))).toBe(expected);
  });
});

describe('15 init: a pipe', () => {
  /** What is kept of it, and how many chunks were asked for. */
  async function kept(chunks: Iterable<Buffer>, most: Partial<Most>) {
    let read = 0;
    const pipe = Readable.from(
      (function* () {
        for (const chunk of chunks) {
          read += 1;
          yield chunk;
        }
      })(),
      { highWaterMark: 1 },
    );
    const limits = { records: 100, bytes: 1_000_000, ...most };
    const { file: name, isCut, remove } = await spooled(pipe, limits, new AbortController().signal);
    const text = await readFile(name, 'utf8');
    await remove();
    await expect(readFile(name)).rejects.toMatchObject({ code: 'ENOENT' });
    return { text, isCut, read, isOpen: !pipe.destroyed };
  }

  it.each([
    ['all of it, if there is no more', '{"a":1}\n\r\n\n{"b":2}\r\n', 2, false],
    ['its first records, each with its line', '{"a":1}\n\r\n\n{"b":2}\r\n', 1, true],
    ['a last line without an end', '{"a":1}\n{"b":2}', 2, false],
    ['no part of a line that is one too many', '{"a":1}\n{"b":2}', 1, true],
  ])('is kept wherever its chunks are cut: %s', async (_, text, records, isCut) => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0);
      const found = await kept(chunks, { records });
      expect(found).toMatchObject({ isCut, isOpen: false });
      expect(found.text.trimEnd()).toBe(isCut ? '{"a":1}' : text.trimEnd());
    }
  });

  it('without an end is read no further than is kept, and then closed', async () => {
    const chunk = Buffer.from('{"a":1}\n'.repeat(1_000));
    const endless = (function* () {
      for (;;) yield chunk;
    })();
    const { text, isCut, read, isOpen } = await kept(endless, { records: 2_500 });
    expect({ lines: text.split('\n').length - 1, isCut, isOpen }).toEqual({
      lines: 2_500,
      isCut: true,
      isOpen: false,
    });
    expect(read).toBeLessThan(20);
  });

  it.each([
    ['the line that it cuts is left out', '{"a":1}\n{"b":2}\n', 12, '{"a":1}\n'],
    ['a line alone is kept as far as it goes', '{"a":1}', 5, '{"a":'],
  ])('of more bytes than are kept: %s', async (_, text, bytes, expected) => {
    for (let cut = 1; cut < text.length; cut++) {
      const chunks = [text.slice(0, cut), text.slice(cut)].map((one) => Buffer.from(one));
      expect(await kept(chunks, { bytes })).toMatchObject({ text: expected, isCut: true });
    }
  });
});

describe('15 init: records in base64', () => {
  const records = Array.from({ length: 5 }, (_, n) => JSON.stringify({ id: n, name: `n${n}` }));

  it.each([
    ['as text', (text: string) => Buffer.from(text)],
    ['packed by gzip', (text: string) => gzipSync(text)],
    ['packed by zlib', (text: string) => deflateSync(text)],
  ])('%s are read as those of a stream', async (kind, pack) => {
    const sample = await file(records.map((one) => pack(one).toString('base64')).join('\n'));
    const { exitCode, lines } = await run({ records: sample, encoding: 'base64' });
    expect({ exitCode, first: lines[0] }).toEqual({ exitCode: 0, first: '5 records, 5 sound messages' });
    const manifest = JSON.parse(await readFile(join(folder, 'out', 'sample.json'), 'utf8')) as {
      source: unknown;
    };
    expect(manifest.source).toMatchObject(kind === 'as text' ? { data: 'raw' } : { compression: 'auto' });
  });

  it('are told where nobody said so, with the words that read them', async () => {
    const sample = await file(records.map((one) => gzipSync(one).toString('base64')).join('\n'));
    await expect(run({ records: sample })).rejects.toMatchObject({
      code: 'NO_RECORDS',
      next: `penstock init --records ${sample} --encoding base64`,
    });
  });

  it('a line that is no base64 is told by its number', async () => {
    const sample = await file(`${Buffer.from('{"a":1}').toString('base64')}\n{"a":1}\n`);
    await expect(run({ records: sample, encoding: 'base64' })).rejects.toMatchObject({
      code: 'NO_RECORDS',
      message: `${sample}: line 2 is not base64`,
    });
    expect(await written()).toEqual([]);
  });

  it.each([
    ['another encoding', { records: 'any', encoding: 'hex' }],
    ['a stream, which has the bytes themselves', { stream: 'orders', encoding: 'base64' }],
  ])('%s is refused', async (_, options) => {
    await expect(run(options as Record<string, string>)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('15 init: bad input is a clear error, and nothing is changed', () => {
  it.each([
    ['an empty file', '', 'NO_RECORDS', /has no record$/],
    ['a file of blank lines', '\n\n\n', 'NO_RECORDS', /has no record$/],
    ['a list over several lines', '[\n{"id":1},\n{"id":2}\n]\n', 'NO_RECORDS', /over several lines/],
    ['records without a field that can be mapped', '{"_id":[]}\n', 'NO_RECORDS', /no field of its records/],
    ['a table', 'id,name\n1,Ana\n', 'NO_RECORDS', /not-json.*line 1, 2/],
    [
      'a picture',
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff]),
      'NO_RECORDS',
      /no sound record/,
    ],
  ])('%s', async (_kind, content, code, what) => {
    const sample = await file(content);
    await expect(run({ records: sample })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(what),
    });
    expect(await written()).toEqual([]);
  });

  it.each([
    ['a file that is not there', { records: 'nowhere.ndjson' }, 'FILE_UNREADABLE'],
    ['a folder', { records: '.' }, 'FILE_UNREADABLE'],
    ['no file', {}, 'USAGE'],
  ])('%s', async (_kind, options, code) => {
    const records = 'records' in options ? { records: join(folder, options.records as string) } : {};
    await expect(run(records)).rejects.toMatchObject({ code });
    expect(await written()).toEqual([]);
  });

  it('a name that no pipeline can have', async () => {
    await expect(run({ records: await file('{"id":1}'), name: 'a b' })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('a sandbox that no manifest can name', async () => {
    const records = await file('{"id":1}');
    await expect(run({ records, sandbox: 'Dev 1' })).rejects.toMatchObject({ code: 'USAGE' });
    expect(await written()).toEqual([]);
  });

  it('an interruption writes nothing', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await run({ records: await file('{"id":1}') }, stop.signal)).toMatchObject({ exitCode: 130 });
    expect(await written()).toEqual([]);
  });
});

describe('15 init: samples have room for whole records, or are told to be left out', () => {
  const MOST = 40_000;
  /** Records with so many fields, each of about 30 bytes. */
  const wide = (fields: number, count: number, more: object = {}) =>
    Array.from({ length: count }, (_, n) => {
      const members = Array.from({ length: fields }, (_, at) => [`field_name_${at}`, `value ${n} ${at}`]);
      return JSON.stringify({ ...Object.fromEntries(members), [`only_${n}`]: true, ...more });
    }).join('\n');
  const samples = async () => {
    const text = await readFile(join(folder, 'out', 'sample.samples.json'), 'utf8');
    return parseSamplesText(text, 'samples');
  };

  it.each([
    ['of more than 400 fields', wide(450, 3), 1],
    ['of 100 fields, as many as there is room for', wide(100, 30), 5],
    [
      'with numbers of more digits than JavaScript keeps',
      wide(150, 30).replaceAll('"value 0 1"', '1.00000000000000000001'),
      3,
    ],
  ])('%s', async (_, text, least) => {
    expect((await run({ records: await file(text) })).exitCode).toBe(0);
    const found = await samples();
    expect(found.length).toBeGreaterThanOrEqual(least);
    expect(Buffer.byteLength(JSON.stringify(found))).toBeLessThanOrEqual(MOST);
  });

  it('a record that is larger than that gives its place to a smaller one', async () => {
    const large = JSON.stringify({ id: 'large', note: 'x'.repeat(MOST) });
    const records = await file(`${large}\n{"id":"a","note":"b"}\n{"id":"c","note":"d"}\n`);
    expect((await run({ records })).exitCode).toBe(0);
    expect((await samples()).map(({ record }) => record)).toMatchObject([{ id: 'a', note: 'b' }]);
  });

  it('a record that is larger than that is no sample, and the report says so', async () => {
    const { exitCode, lines } = await run({ records: await file(wide(900, 3)) });
    expect(exitCode).toBe(0);
    expect(await written()).toEqual(['sample.json']);
    expect(lines.join('\n')).toContain(
      'no samples are written: a record and what becomes of it have more than the 40,000 bytes',
    );
  });
});

describe('15 init: files', () => {
  it('are written once, are the same again, and are never overwritten without being told', async () => {
    const records = await file('{"id":1,"name":"Ana"}\n{"id":2,\n');
    const first = await run({ records });
    expect(first.exitCode).toBe(0);
    expect(await written()).toEqual(['sample.json', 'sample.samples.json']);
    expect(first.lines).toContain('1 cannot be delivered (not-json): line 2');
    const manifest = await readFile(join(folder, 'out', 'sample.json'), 'utf8');
    expect((await run({ records })).lines.join('\n')).toMatch(/sample\.json \(the same\)/);

    await file('{"id":1,"other":true}\n');
    await expect(run({ records })).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    expect(await readFile(join(folder, 'out', 'sample.json'), 'utf8')).toBe(manifest);
    expect((await run({ records, overwrite: true })).lines.join('\n')).toMatch(/sample\.json \(changed\)/);
    expect(await readFile(join(folder, 'out', 'sample.json'), 'utf8')).not.toBe(manifest);
  });

  it('a folder that cannot be made is told', async () => {
    const records = await file('{"id":1}');
    await expect(run({ records, out: join(records, 'below') })).rejects.toMatchObject({
      code: expect.stringMatching(/FILE_UN/),
    });
  });
});
