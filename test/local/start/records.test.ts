import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KinesisClient, type PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { spans } from '../../../local/start/journey.ts';
import { parseOptions, UsageError, xdmIn } from '../../../local/start/options.ts';
import { produce } from '../../../local/start/producer.ts';
import {
  decoded,
  filesOf,
  type Line,
  LineTooLongError,
  linesOf,
  MAX_LINE_BYTES,
} from '../../../local/start/records.ts';
import { sampleRecords } from '../../../local/start/samples.ts';
import { recordIn } from '../../../local/start/witness.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('linesOf', () => {
  async function lines(content: string | Buffer): Promise<[number, string][]> {
    const file = join(folder, 'lines');
    await writeFile(file, content);
    const found: [number, string][] = [];
    for await (const { number, bytes } of linesOf(file)) found.push([number, bytes.toString('latin1')]);
    return found;
  }

  it.each([
    [
      'a\nb\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'a\nb',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'a\r\n\r\n\nb\r\n',
      [
        [1, 'a'],
        [4, 'b'],
      ],
    ],
    ['', []],
    ['\n\n', []],
    ['a b\u2028c', [[1, Buffer.from('a b\u2028c').toString('latin1')]]],
  ])('counts as an editor does: %j', async (content, expected) => {
    expect(await lines(content)).toEqual(expected);
  });

  it('holds no more of a line than a record may have', async () => {
    const sound = 'x'.repeat(MAX_LINE_BYTES - 1_000);
    expect((await lines(`${sound}\n${sound}\n`)).map(([number]) => number)).toEqual([1, 2]);
    const more = lines(`a\n${'x'.repeat(MAX_LINE_BYTES + 100_000)}`);
    await expect(more).rejects.toThrow(LineTooLongError);
    await expect(more).rejects.toThrow(`line 2 has more than ${MAX_LINE_BYTES} bytes`);
  });

  it('keeps bytes that are no text, and lines longer than a chunk', async () => {
    expect(await lines(Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]))).toEqual([[1, '"\u00ff\u00fe"']]);
    const long = 'x'.repeat(200_000);
    expect(await lines(`${long}\n${long}y\nz`)).toEqual([
      [1, long],
      [2, `${long}y`],
      [3, 'z'],
    ]);
  });
});

describe('sampleRecords', () => {
  const take = (options: Partial<Parameters<typeof sampleRecords>[0]>) => [
    ...sampleRecords({ count: 400, seed: 1, data: 'raw', ...options }),
  ];

  it('makes the same of the same seed, and something else of another', () => {
    expect(take({})).toEqual(take({}));
    expect(take({})).not.toEqual(take({ seed: 2 }));
  });

  it.each(['raw', 'xdm'] as const)(
    'makes %s records of about the size asked for, in several shapes',
    (data) => {
      const records = take({ data, spoilEvery: 0 });
      for (const record of records) expect(Math.abs(Buffer.byteLength(record) - 1_000)).toBeLessThan(20);
      const shapes = new Set(
        records.map((record) =>
          Object.keys(JSON.parse(record) as object)
            .sort()
            .join(),
        ),
      );
      if (data === 'raw') expect(shapes.size).toBeGreaterThanOrEqual(3);
    },
  );

  it('spoils every nth record', () => {
    const broken = take({ spoilEvery: 100 })
      .map((record, index) => [index + 1, record] as const)
      .filter(([, record]) => {
        try {
          return Array.isArray(JSON.parse(record)) || record.includes('artian');
        } catch {
          return true;
        }
      });
    expect(broken.map(([line]) => line)).toEqual([100, 200, 300, 400]);
  });
});

describe('produce', () => {
  /** A Kinesis that throttles every seventh entry once. */
  function throttling() {
    const client = new KinesisClient({
      region: 'eu-west-1',
      credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    });
    const stored: string[] = [];
    let entries = 0;
    client.send = (async (command: PutRecordsCommand) => {
      const records = command.input.Records ?? [];
      expect(records.length).toBeLessThanOrEqual(500);
      expect(records.reduce((sum, { Data }) => sum + (Data?.length ?? 0), 0)).toBeLessThanOrEqual(
        5 * 1024 * 1024,
      );
      return {
        Records: records.map(({ Data }) => {
          if (++entries % 7 === 0) return { ErrorCode: 'ProvisionedThroughputExceededException' };
          stored.push(Buffer.from(Data ?? []).toString());
          return { SequenceNumber: String(1_000 + stored.length) };
        }),
      };
    }) as typeof client.send;
    return { client, stored };
  }

  function* many(count: number, size: number): Generator<Line> {
    for (let number = 1; number <= count; number++)
      yield { number, bytes: Buffer.from(`${number}`.padEnd(size, '.')) };
  }

  it('puts every line once, also those that are throttled, and knows their sequence numbers', async () => {
    const { client, stored } = throttling();
    const { lineOf, refused } = await produce(client, 'orders', many(1_203, 20));
    expect(refused).toEqual([]);
    expect(stored.map((text) => Number.parseInt(text, 10)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1_203 }, (_, index) => index + 1),
    );
    expect(lineOf.size).toBe(1_203);
    stored.forEach((text, index) => {
      expect(lineOf.get(String(1_001 + index))).toBe(Number.parseInt(text, 10));
    });
  });

  it('stays below what PutRecords takes, and names a line that is too large for Kinesis', async () => {
    const { client } = throttling();
    const lines = [...many(30, 400_000), { number: 31, bytes: Buffer.alloc(1024 * 1024) }];
    const { lineOf, refused } = await produce(client, 'orders', lines);
    expect(lineOf.size).toBe(30);
    expect(refused).toEqual([{ line: 31, reason: expect.stringContaining('too large for Kinesis') }]);
  });
});

describe('spans', () => {
  it('counts overlaps once and leaves out the pauses', () => {
    const seen = [
      { startedAt: 100, durationMs: 50 },
      { startedAt: 120, durationMs: 10 },
      { startedAt: 140, durationMs: 30 },
      { startedAt: 300, durationMs: 20 },
    ];
    expect(spans(seen)).toEqual({ workingMs: 90, wholeMs: 220 });
    expect(spans([])).toEqual({ workingMs: 0, wholeMs: 0 });
  });
});

describe('the witness', () => {
  it.each([
    ['raw', { a: 1 }, { a: 1 }],
    ['raw', { header: { flowId: 'f' }, body: { a: 1 } }, { a: 1 }],
    ['raw', { header: {}, body: { a: 1 } }, { header: {}, body: { a: 1 } }],
    ['xdm', { header: {}, body: { xdmEntity: { a: 1 } } }, { a: 1 }],
    ['xdm', { header: 5, body: { xdmEntity: { a: 1 } } }, { header: 5, body: { xdmEntity: { a: 1 } } }],
    ['xdm', { header: {}, body: { a: 1 } }, { header: {}, body: { a: 1 } }],
  ] as const)('knows the record in a message as the platform sees it: %s %j', (data, message, record) => {
    expect(recordIn(message, data)).toEqual(record);
  });
});

describe('records in a file', () => {
  const lines = async (from: AsyncIterable<Line>) => {
    const all: [number, string][] = [];
    for await (const { number, bytes } of from) all.push([number, bytes.toString('latin1')]);
    return all;
  };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock records-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('can be base64, line by line; one that is none is named', async () => {
    const file = join(folder, 'a');
    await writeFile(file, 'AAH/\n\neyJhIjoxfQ==\r\neyJhIjoxfQ\n');
    expect(await lines(decoded(linesOf(file), 'base64'))).toEqual([
      [1, '\0\x01\xff'],
      [3, '{"a":1}'],
      [4, '{"a":1}'],
    ]);
    await writeFile(file, 'AAH/\n{"a":1}\n');
    await expect(lines(decoded(linesOf(file), 'base64'))).rejects.toThrow('line 2 is not base64');
  });

  it('can be the files of a folder, in the order of their names, each whole', async () => {
    await writeFile(join(folder, 'b'), 'two\nlines\n');
    await writeFile(join(folder, 'a'), Buffer.from([0x1f, 0x8b, 0x0a]));
    await writeFile(join(folder, '.hidden'), 'x');
    await mkdir(join(folder, 'c'));
    expect(await lines(filesOf(folder))).toEqual([
      [1, '\x1f\x8b\n'],
      [2, 'two\nlines\n'],
    ]);
  });
});

describe('parseOptions', () => {
  it('has defaults for all of it', () => {
    expect(parseOptions([])).toMatchObject({
      manifests: ['examples/customer-profiles.json'],
      generate: 10_000,
      keep: false,
    });
    expect(parseOptions(['--help'])).toBe('help');
  });

  it('12 B 9: --xdm names a checkout', async () => {
    expect(parseOptions([])).toMatchObject({ xdm: undefined });
    expect(parseOptions(['--xdm', 'there'])).toMatchObject({ xdm: 'there' });
    await expect(xdmIn(folder)).rejects.toThrow(/^--xdm: \S+ is no checkout of github\.com/);
    await expect(xdmIn(folder)).rejects.toThrow(UsageError);
  });

  it('--edit is for the manifests of a page that stays', () => {
    expect(parseOptions(['--keep', '--edit'])).toMatchObject({ keep: true, edit: true });
    expect(() => parseOptions(['--edit'])).toThrow('add --keep');
    expect(() => parseOptions(['--keep', '--edit', '--empty'])).toThrow('begins with none');
  });

  it.each([['--shards', '0'], ['--warm-up', '-1'], ['--seed', '1.5'], ['extra']])(
    'refuses %s %s',
    (...args) => {
      expect(() => parseOptions(args)).toThrow(UsageError);
    },
  );
});
