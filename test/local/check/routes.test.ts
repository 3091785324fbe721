// 14 A 5: manifests of one stream are held against each other: who takes what, and what nobody takes.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseManifest } from '../../../lib/manifest.ts';
import { checkRoutes } from '../../../local/check/routes-check.ts';
import type { Line } from '../../../local/start/records.ts';

const EXAMPLE = JSON.parse(
  readFileSync(new URL('../../../examples/shop-purchases.json', import.meta.url), 'utf8'),
) as { source: Record<string, unknown> };

const sample = (record: Record<string, string>) => ({ record, xdm: {} });

function route(
  name: string,
  where: unknown[] | undefined,
  more: { source?: object; samples?: object[] } = {},
) {
  const records = where === undefined ? {} : { records: { where } };
  const { records: _, ...source } = EXAMPLE.source;
  const value = { ...EXAMPLE, name, source: { ...source, ...records, ...more.source } };
  const manifest = parseManifest(value);
  return { file: `${name}.json`, manifest, samples: more.samples as never, records: undefined };
}

const kind = (equals: string) => [{ field: '/type', equals }];

async function* lines(...texts: string[]): AsyncGenerator<Line> {
  for (const [at, text] of texts.entries()) yield { number: at + 1, bytes: Buffer.from(text) };
}

it('counts which route takes each sample, and lists what several or none take', async () => {
  const all = [
    route('a', kind('x'), { samples: [sample({ type: 'x' }), { name: 'odd', ...sample({ type: 'z' }) }] }),
    route('b', kind('y'), { samples: [sample({ type: 'y' })] }),
    route('c', [{ field: '/type', oneOf: ['x', 'w'] }]),
  ];
  expect(await checkRoutes(all, undefined)).toEqual([
    {
      mistakes: [],
      lines: [
        'routes  stream shop: 3 messages: a 1, b 1, c 1; 1 by more than one; 1 by none',
        '  more than one takes sample 1 of a.json (a, c)',
        '  none takes sample odd of a.json',
      ],
    },
  ]);
});

it('counts the records of a file in place of the samples, as the stream is read', async () => {
  const format = { source: { format: 'json-lines' } };
  const all = [route('a', kind('x'), format), route('b', undefined, format)];
  const records = () => lines('{"type":"x"}\n{"type":"y"}\nnone', '{"type":"x"}');
  const [found] = await checkRoutes(all, records);
  expect(found?.lines).toEqual([
    'routes  stream shop: 3 messages: a 2, b 3; 2 by more than one; 1 rejected',
    '  more than one takes line 1 (a, b)',
    '  more than one takes line 2 (a, b)',
  ]);
});

it.each([
  ['compression', { compression: 'gzip' }, '"none" and "gzip"'],
  ['format', { format: 'json-lines' }, '"json" and {"kind":"json-lines"}'],
])('says which manifests of a stream differ in source.%s', async (name, source, values) => {
  const [found] = await checkRoutes([route('a', kind('x')), route('b', kind('y'), { source })], undefined);
  expect(found?.mistakes).toEqual([
    `a.json and b.json name one stream, and must have the same source.${name}: ${values}`,
  ]);
});

it('has nothing to say of streams with one pipeline', async () => {
  const other = route('b', undefined, { source: { stream: 'other' } });
  expect(await checkRoutes([route('a', undefined), other], undefined)).toEqual([]);
});

it('counts a file of records for a stream with one pipeline as well', async () => {
  const records = () => lines('{"type":"x"}', '{"type":"y"}', 'none');
  expect(await checkRoutes([route('a', kind('x'))], records)).toEqual([
    {
      mistakes: [],
      lines: ['routes  stream shop: 2 messages: a 1; 1 by none; 1 rejected', '  none takes line 2'],
    },
  ]);
});

it.each([
  ['no line at all', []],
  ['lines that are no records', ['none', '[1', '\u0000']],
])('fails where a file of records has %s', async (_, texts) => {
  const [found] = await checkRoutes([route('a', kind('x'))], () => lines(...texts));
  expect(found?.mistakes).toEqual([
    'no line is a record of the stream shop: the records must be of its format, one a line',
  ]);
});

it('does not fail where every record is for another', async () => {
  const [found] = await checkRoutes([route('a', kind('x'))], () => lines('{"type":"y"}'));
  expect(found?.mistakes).toEqual([]);
});
