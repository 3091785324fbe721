import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { manifestJsonSchema, parseManifest, parseManifestText } from '../lib/manifest.ts';

const GOOD = {
  version: 1,
  name: 'orders',
  sandbox: 'dev1',
  source: { kind: 'inlet', stream: 'orders', data: 'raw' },
  schema: { class: 'profile', fieldGroups: ['identitymap'] },
  mapping: [{ source: 'id', destination: '_id' }],
};

const { mapping: _, ...WITHOUT_MAPPING } = GOOD;
const XDM = { ...WITHOUT_MAPPING, source: { ...GOOD.source, data: 'xdm' } };

/** What is wrong, where, and what the message must say of it. */
const MISTAKES: [string, unknown, ...string[]][] = [
  ['no object', [], '(top level): expected object; found []'],
  ['nothing', null, '(top level)', 'found null'],
  ['unknown key', { ...GOOD, colour: 1 }, '(top level): unknown "colour"; allowed: $schema, version, name'],
  [
    'unknown key deeper',
    { ...GOOD, source: { ...GOOD.source, shard: 1 } },
    'source: unknown "shard"; allowed: kind, stream',
  ],
  ['version', { ...GOOD, version: 2 }, 'version: expected 1; found 2'],
  ['name', { ...GOOD, name: 'a/b' }, 'name: expected 1 to 64', 'found "a/b"'],
  ['name with path tricks', { ...GOOD, name: '..' }, 'name: expected'],
  ['sandbox', { ...GOOD, sandbox: 'Dev1' }, 'sandbox: expected', 'found "Dev1"'],
  [
    'source kind',
    { ...GOOD, source: { ...GOOD.source, kind: 'kafka' } },
    'source.kind: expected "inlet"; found "kafka"',
  ],
  [
    'stream',
    { ...GOOD, source: { ...GOOD.source, stream: 'a b' } },
    'source.stream: expected the name or the ARN',
  ],
  [
    'data',
    { ...GOOD, source: { ...GOOD.source, data: 'csv' } },
    'source.data: expected one of "raw"|"xdm"; found "csv"',
  ],
  [
    'startAt',
    { ...GOOD, source: { ...GOOD.source, startAt: 'later' } },
    'source.startAt: expected "now", "earliest" or a time',
    'found "later"',
  ],
  [
    'a time that does not exist',
    { ...GOOD, source: { ...GOOD.source, startAt: '2026-13-45T12:00:00Z' } },
    'source.startAt: expected a time that exists',
  ],
  [
    'class',
    { ...GOOD, schema: { class: 'person' } },
    'schema.class: expected "profile", "experienceevent"',
    'found "person"',
  ],
  [
    'field group',
    { ...GOOD, schema: { class: 'profile', fieldGroups: ['identitymap', 'x'] } },
    'schema.fieldGroups.1: expected',
    'identitymap',
    'found "x"',
  ],
  ['schema neither nor', { ...GOOD, schema: { title: 'x' } }, 'schema', 'class'],
  ['schema id', { ...GOOD, schema: { id: 'x' } }, 'schema.id: expected an https URI', 'found "x"'],
  ['raw without mapping', WITHOUT_MAPPING, 'mapping: required, because source.data is "raw"'],
  ['xdm with mapping', { ...GOOD, source: XDM.source }, 'mapping: not allowed, because source.data is "xdm"'],
  [
    'mapping with both',
    { ...GOOD, mapping: [{ source: 'a', expression: 'b', destination: 'c' }] },
    'mapping.0: expected {"source", "destination"}',
  ],
  ['mapping without destination', { ...GOOD, mapping: [{ source: 'a' }] }, 'mapping.0'],
  [
    'mapped twice',
    { ...GOOD, mapping: [GOOD.mapping[0], { expression: 'x', destination: '_id' }] },
    'mapping.1.destination: mapped to twice',
  ],
  [
    'too long an expression',
    { ...GOOD, mapping: [{ expression: 'x'.repeat(4_097), destination: 'a' }] },
    'mapping.0.expression',
    '4096',
  ],
  [
    'a comma in a name',
    { ...GOOD, dataset: { name: 'a,b' } },
    'dataset.name: expected a name without blanks around it and without ,',
  ],
];

describe('the manifest', () => {
  it('fills in what is not said', () => {
    expect(parseManifest(GOOD)).toMatchObject({
      source: { startAt: 'now', authenticationRequired: true, compression: 'none' },
      dataset: {},
      names: {},
    });
  });

  it.each(MISTAKES)('names path, finding and what is allowed: %s', (_, value, ...said) => {
    for (const part of said) expect(() => parseManifest(value, 'my.json')).toThrow(part);
    expect(() => parseManifest(value, 'my.json')).toThrow('my.json has');
  });

  it('tells all mistakes at once', () => {
    expect(() => parseManifest({ ...GOOD, version: 3, sandbox: 7, colour: 1 })).toThrow('3 mistakes');
  });

  it('names the place in a file that is not JSON, and passes over a byte order mark', () => {
    expect(() => parseManifestText('{\n "a" 1}', 'my.json')).toThrow(/my\.json is not JSON.*line 2/);
    expect(parseManifestText(`\uFEFF${JSON.stringify(GOOD)}`, 'my.json').name).toBe('orders');
  });

  it('has no use for keys of Object.prototype', () => {
    const text = JSON.stringify(GOOD).replace('{', '{"__proto__": {"sandbox": "prod"},');
    expect(() => parseManifestText(text, 'my.json')).toThrow();
    expect(({} as { sandbox?: string }).sandbox).toBeUndefined();
  });
});

describe('docs/manifest.schema.json', () => {
  const validate = new Ajv2020({ strict: false }).compile(manifestJsonSchema());

  it('takes what the parser takes', () => {
    for (const file of readdirSync(new URL('../pipelines', import.meta.url))) {
      const text = readFileSync(new URL(`../pipelines/${file}`, import.meta.url), 'utf8');
      expect(parseManifestText(text, file).version).toBe(1);
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(validate(GOOD)).toBe(true);
    expect(validate(XDM)).toBe(true);
  });

  it('refuses what the parser refuses, but for what JSON Schema cannot say', () => {
    const beyond = new Set([
      'a time that does not exist',
      'a day that does not exist',
      'a field group twice',
      'mapped twice',
    ]);
    for (const [what, value] of MISTAKES) {
      if (!beyond.has(what)) expect(validate(value), what).toBe(false);
    }
  });
});
