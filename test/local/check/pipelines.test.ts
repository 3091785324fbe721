import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMAT_KINDS } from '../../../lib/formats.ts';
import { type Manifest, parseManifest } from '../../../lib/manifest.ts';
import { leadBackWarnings } from '../../../lib/provision/plan/lead-back.ts';
import { parseSamplesText, type Samples, samplesFileOf } from '../../../lib/samples.ts';
import { manifestInFile } from '../../../lib/schemas/files.ts';
import { checkPipeline } from '../../../local/check/pipeline-check.ts';
import { parseRecordsText, recordMistakes } from '../../../local/check/records-check.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const EXAMPLES = join(ROOT, 'examples');

const read = (file: string) => readFile(join(EXAMPLES, file), 'utf8');
const isSamples = (name: string) => /\.(samples|records)\.json$/.test(name);

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as npm runs it. */
function run(...args: string[]): Promise<Ended> {
  return runIn(ROOT, ...args);
}

function runIn(cwd: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['local/check/check-pipelines.ts', ...args],
      { cwd },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

/** What the command says about one file. */
function saidOf(stdout: string, file: string): string {
  const start = stdout.split('\n').findIndex((line) => line.endsWith(file) || line.includes(`${file}:`));
  const lines = stdout.split('\n').slice(start);
  const end = lines.findIndex((line, index) => index > 0 && !line.startsWith('  '));
  return lines.slice(0, end).join('\n');
}

describe('B 3: the sample pipelines', async () => {
  const files = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.json') && !isSamples(name));

  it.each(files)('%s does what its samples say', async (file) => {
    const manifest = manifestInFile(await read(file), join(EXAMPLES, file)).manifest;
    const samples = parseSamplesText(await read(samplesFileOf(file)), file);
    expect(await checkPipeline(manifest, samples)).toEqual({ mistakes: [], warnings: [] });
  });

  it.each(files)('C 3: %s can send again what AEP refuses later', async (file) => {
    expect(leadBackWarnings(manifestInFile(await read(file), join(EXAMPLES, file)).manifest)).toEqual([]);
  });

  it('show every kind of source, both kinds of data, and Profile', async () => {
    const manifests = await Promise.all(
      files.map(async (file) => manifestInFile(await read(file), join(EXAMPLES, file)).manifest),
    );
    const kinds = new Set(manifests.map(({ source }) => source.kind));
    expect([...kinds].sort()).toEqual(['event-hubs', 'inlet', 'kinesis', 'pubsub']);
    expect(new Set(manifests.map(({ source }) => source.data))).toEqual(new Set(['raw', 'xdm']));
    expect(manifests.map(({ dataset }) => dataset)).toContainEqual(
      expect.objectContaining({ profile: true, identity: true }),
    );
    // Adobe: data-prep/upserts lists the sources that take them, and Pub/Sub is not among them.
    const upserted = manifests.filter(({ dataset }) => dataset.upsert === true);
    expect(upserted.filter(({ source }) => source.kind === 'pubsub')).toEqual([]);
    expect(new Set(manifests.map(({ name }) => name)).size).toBe(manifests.length);
  });

  it('are not deployed: pipelines/ has none of them, and a page that says what belongs there', async () => {
    const deployed = await readdir(join(ROOT, 'pipelines'));
    expect(deployed).toContain('README.md');
    expect(deployed.filter((file) => files.includes(file))).toEqual([]);
  });

  it('check says so, one line each', async () => {
    const { code, stdout, stderr } = await run('examples');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    const ofFiles = lines.filter((line) => !line.startsWith('routes'));
    expect(ofFiles).toHaveLength(files.length);
    expect(stdout).toContain('ok      examples/orders-kinesis.json: 11 mappings, 2 samples\n');
    expect(stdout).toContain('ok      examples/customer-profiles-xdm.json: 0 mappings, 1 sample\n');
    expect(lines.at(-1)).toBe('routes  stream shop: 2 messages: shop-purchases 1, shop-signups 1');
  });
});

/** The orders, changed: as they are written, `{tenant}` and all. */
interface Orders {
  manifest: {
    schema: { fieldGroups: unknown[]; identities?: unknown[] };
    mapping: Record<string, string>[];
  } & Record<string, unknown>;
  samples: { name?: string; record: Record<string, unknown>; xdm: Record<string, unknown> }[];
}

type Change = (orders: Orders) => void;

const firstXdm = ({ samples }: Orders): Record<string, unknown> => samples[0]?.xdm ?? {};
const order = (orders: Orders) => (firstXdm(orders)['{tenant}'] as { order: Record<string, unknown> }).order;
const rule = ({ manifest }: Orders, destination: string): Record<string, string> =>
  manifest.mapping.find((one) => one.destination === destination) ?? {};

/** What is broken, and all that has to be said of it. */
const BROKEN: Record<string, [Change, ...string[]]> = {
  'missing-function': [
    (orders) => Object.assign(rule(orders, '{tenant}.order.channel'), { expression: 'lowercase(channel)' }),
    "mapping.5 ({tenant}.order.channel): unknown function 'lowercase'",
  ],
  'unclosed-expression': [
    (orders) => Object.assign(rule(orders, '{tenant}.order.channel'), { expression: 'lower(channel' }),
    'mapping.5 ({tenant}.order.channel): unexpected the end',
  ],
  'unknown-destination': [
    (orders) => Object.assign(rule(orders, '{tenant}.order.number'), { destination: '{tenant}.order.no' }),
    "the destination '{tenant}.order.no' is not in the schema",
  ],
  'wrong-expectation': [
    (orders) => Object.assign(order(orders), { itemCount: 4 }),
    'an order of a known customer: {tenant}.order.itemCount: expected 4, got 3',
  ],
  'missing-expectation': [
    (orders) => void delete order(orders).gift,
    'an order of a known customer: {tenant}.order.gift: expected nothing, got true',
  ],
  'invalid-enum': [
    (orders) => Object.assign(order(orders), { channel: 'phone' }),
    '{tenant}.order.channel: expected "phone", got "web"',
    'an order of a known customer: xdm {tenant}.order.channel: phone is not a valid enum value',
  ],
  'mapped-to-what-the-schema-refuses': [
    (orders) => {
      Object.assign(rule(orders, '{tenant}.order.total.currency'), { expression: 'lower(total.currency)' });
      Object.assign(order(orders), { total: { amount: 59.9, currency: 'eur' } });
    },
    'an order of a known customer: xdm {tenant}.order.total.currency: string [eur] does not match',
  ],
  'no-timestamp': [
    (orders) => {
      orders.manifest.mapping = orders.manifest.mapping.filter(
        ({ destination }) => destination !== 'timestamp',
      );
      for (const { xdm } of orders.samples) delete xdm.timestamp;
    },
    'an order of a known customer: xdm (all of it): required key [timestamp] not found',
    'an order of a guest in the store: xdm (all of it): required key [timestamp] not found',
  ],
  'identity-of-no-field': [
    ({ manifest }) => {
      manifest.schema.identities = [{ path: '{tenant}.order.buyer', namespace: 'Email' }];
    },
    '/{tenant}/order/buyer is not a field',
  ],
  'bad-manifest': [
    ({ manifest }) => Object.assign(manifest, { sandbox: 'Dev 1', colour: 'red' }),
    'the manifest has 2 mistakes',
    'sandbox: expected the name of a sandbox',
    'unknown "colour"',
  ],
  'name-of-all-pipelines': [
    ({ manifest }) => Object.assign(manifest, { name: 'all' }),
    'name: expected 1 to 64 of letters',
    'not "all", which stands for all pipelines',
  ],
  'samples-too-large': [
    ({ samples }) => Object.assign(samples[0]?.record ?? {}, { unread: 'x'.repeat(40_000) }),
    'the list of samples has ',
    'at most 40000 fit into the state machine',
  ],
  'bad-samples': [
    ({ samples }) => void delete (samples[1] as Partial<Orders['samples'][0]>).xdm,
    'bad-samples.samples.json is not a list of samples',
    '1.xdm: ',
  ],
};

/** Samples with numbers that JavaScript's own would change, or write otherwise; both are right. */
const LONG_NUMBERS = {
  'long-id': {
    data: 'raw',
    field: { type: 'string' },
    mapping: { mapping: [{ expression: 'concat("c-", id)', destination: '{tenant}.own' }] },
    record: '{"id": 9007199254740993}',
    xdm: '{"{tenant}": {"own": "c-9007199254740993"}}',
  },
  'as-it-is': {
    data: 'xdm',
    field: { type: 'number' },
    mapping: {},
    record: '{"{tenant}": {"own": 12.50}}',
    xdm: '{"{tenant}": {"own": 12.5}}',
  },
  'as-it-is-long': {
    data: 'xdm',
    field: { type: 'number' },
    mapping: {},
    record: '{"{tenant}": {"own": 9007199254740993}}',
    xdm: '{"{tenant}": {"own": 9007199254740993}}',
  },
  'long-number': {
    data: 'raw',
    field: { type: 'number' },
    mapping: { mapping: [{ source: 'big', destination: '{tenant}.own' }] },
    record: '{"big": 1e400}',
    xdm: '{"{tenant}": {"own": 1e400}}',
  },
  'unlike-in-the-last-digit': {
    data: 'raw',
    field: { type: 'number' },
    mapping: { mapping: [{ source: 'big', destination: '{tenant}.own' }] },
    record: '{"big": 9007199254740993}',
    xdm: '{"{tenant}": {"own": 9007199254740992}}',
    differs: '{tenant}.own: expected 9007199254740992, got 9007199254740993',
  },
};

describe('npm run check:pipelines', () => {
  let folder: string;
  let told: Ended;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-'));
    const write = (name: string, value: unknown) =>
      writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
    for (const [name, [change]] of Object.entries(BROKEN)) {
      const { manifest, samples } = await orders();
      change({ manifest, samples });
      await write(`${name}.json`, manifest);
      await write(`${name}.samples.json`, samples);
    }
    await write('no-json.json', '{');
    await write('no-samples.json', (await orders()).manifest);
    await write('stray.samples.json', (await orders()).samples);
    for (const [name, { data, field, mapping, record, xdm }] of Object.entries(LONG_NUMBERS)) {
      const source = { kind: 'inlet', stream: 'numbers', data };
      const fieldGroups = ['identitymap', { name: 'numbers', fields: { own: field } }];
      const schema = { class: 'profile', fieldGroups };
      await write(`${name}.json`, { version: 1, name, sandbox: 'dev1', source, schema, ...mapping });
      await write(`${name}.samples.json`, `[{"record": ${record}, "xdm": ${xdm}}]`);
    }
    told = await run(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(Object.entries(BROKEN))('tells what is wrong, by name and path: %s', (name, [, ...said]) => {
    const block = saidOf(told.stdout, `${name}.json`);
    expect(block).toMatch(/^not ok {2}/);
    for (const part of said) expect(block).toContain(part);
  });

  it.each(Object.entries(LONG_NUMBERS))(
    '12 B 11: a sample keeps the digits of its numbers: %s',
    (name, one) => {
      const said = saidOf(told.stdout, `${name}.json`);
      if ('differs' in one) expect(said).toContain(one.differs);
      else expect(said).toMatch(/^ok {6}.*, 1 sample$/m);
    },
  );

  it('fails, goes on to the last file, and says which samples belong to no manifest', () => {
    expect(told.code).toBe(1);
    expect(told.stderr).toBe('');
    expect(saidOf(told.stdout, 'no-json.json')).toContain('the manifest is not JSON');
    expect(told.stdout).toMatch(/not ok {2}\S*stray\.samples\.json\n {2}samples without a manifest/);
  });

  it('warns of a start that is still to come, and does not fail for it: it may pass', async () => {
    const file = join(folder, 'to-come.json');
    const manifest = JSON.parse(await read('customer-profiles.json')) as { source: object };
    const source = { ...manifest.source, startAt: '2999-01-01T00:00:00Z' };
    await writeFile(file, JSON.stringify({ ...manifest, source }));
    const { code, stdout } = await run(file);
    expect(code).toBe(0);
    expect(stdout).toContain('  warning: source.startAt: 2999-01-01T00:00:00Z is in the future');
  });

  it('warns where a mapping has no samples, and does not fail for it', async () => {
    const { code, stdout } = await run(join(folder, 'no-samples.json'));
    expect(code).toBe(0);
    expect(stdout).toContain('11 mappings, 0 samples\n  warning: there are no samples');
  });

  it.each([
    ['a file that is not there', ['nowhere.json'], 'nowhere.json cannot be read (ENOENT)'],
    ['samples in place of a manifest', ['examples/orders-kinesis.samples.json'], 'holds samples'],
    ['an unknown option', ['--fast'], '--fast'],
    ['a folder without manifests', ['scripts'], 'there is no manifest in scripts'],
  ])('refuses with exit code 2: %s', async (_, args, said) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });
});

describe('B 3: npm run check:pipelines without arguments', () => {
  let folder: string;
  const own = (name: string) => join(folder, 'pipelines', name);
  const copied = async (name: string) => writeFile(own(name), await read(name));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const part of ['lib', 'local', 'terminal', 'examples', 'pipelines', 'package.json'])
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('checks the samples where there are no pipelines yet, and says that there are none', async () => {
    const { code, stdout, stderr } = await runIn(folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('ok      examples/orders-kinesis.json: 11 mappings, 2 samples\n');
    expect(stdout).toContain('none    pipelines: there is no manifest in it\n');
  });

  it('checks both folders, and fails where one of its own is wrong', async () => {
    await copied('orders-kinesis.json');
    await copied('orders-kinesis.samples.json');
    const right = await runIn(folder);
    expect(right.code).toBe(0);
    expect(right.stdout).toContain('ok      pipelines/orders-kinesis.json: 11 mappings, 2 samples\n');
    expect(right.stdout).toContain('ok      examples/orders-kinesis.json: 11 mappings, 2 samples\n');
    expect(right.stdout).not.toContain('none');
    await writeFile(own('broken.json'), '{');
    const wrong = await runIn(folder);
    expect(wrong.code).toBe(1);
    expect(saidOf(wrong.stdout, 'pipelines/broken.json')).toContain('the manifest is not JSON');
    await rm(own('broken.json'));
  });

  it('fails where two of its own have one name, as the build does', async () => {
    await copied('orders-kinesis.json');
    await writeFile(own('second.json'), await read('orders-kinesis.json'));
    const { code, stdout } = await runIn(folder);
    expect(code).toBe(1);
    expect(saidOf(`${stdout}\n`, 'not ok  pipelines')).toContain(
      'pipelines/second.json: the name orders-kinesis is taken',
    );
    await rm(own('second.json'));
  });

  it('fails where it checked none at all', async () => {
    await rm(join(folder, 'examples'), { recursive: true });
    await mkdir(join(folder, 'examples'));
    for (const name of ['orders-kinesis.json', 'orders-kinesis.samples.json'])
      await rm(own(name), { force: true });
    const { code, stdout, stderr } = await runIn(folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('there is no manifest in pipelines or examples');
  });

  it('is what .ci/run decides by', async () => {
    const script = await readFile(join(ROOT, '.ci/run'), 'utf8');
    expect(script).toContain('set -euo pipefail');
    expect(script).toMatch(/^run 'npm run check:pipelines'$/m);
  });
});

async function orders(): Promise<Orders> {
  return {
    manifest: JSON.parse(await read('orders-kinesis.json')),
    samples: JSON.parse(await read('orders-kinesis.samples.json')),
  };
}

const BASE = {
  version: 1,
  name: 'people',
  sandbox: 'dev1',
  source: { kind: 'inlet', stream: 'people', data: 'raw' },
  schema: { class: 'profile', fieldGroups: ['profile-person-details'] },
  mapping: [{ expression: 'lower(sex)', destination: 'person.gender' }],
};
const SAMPLES: Samples = [{ record: { sex: 'Male' }, xdm: { person: { gender: 'male' } } }];

const changed = (change: Record<string, unknown>): Manifest => parseManifest({ ...BASE, ...change });

describe('what cannot be known offline', () => {
  const schema = { id: 'https://ns.adobe.com/acmelab/schemas/0123' };
  const mapping = [
    { source: 'a', destination: '{tenant}.deep.list[0].field' },
    { source: 'b', destination: '{tenant}.deep' },
  ];

  it.each([
    ['an existing schema', schema],
    ['a class of the organization', { class: 'https://ns.adobe.com/acmelab/classes/0123' }],
    [
      'a field group of the organization',
      { class: 'profile', fieldGroups: ['https://ns.adobe.com/acmelab/mixins/0123'] },
    ],
  ])('fields are taken as they come, with a warning: %s', async (_, given) => {
    const { mistakes, warnings } = await checkPipeline(changed({ schema: given, mapping }), SAMPLES);
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/0123: known in AEP only/)]);
  });

  it('12 B 9: --xdm names a checkout of Adobe’s repository, and nothing else', async () => {
    const { code, stderr } = await run('--xdm', 'examples', 'examples');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^error USAGE {2}--xdm: examples is no checkout of github\.com/),
    ]);
  });

  it('expressions are checked nevertheless', async () => {
    const bad = [{ expression: 'lowr(a)', destination: '{tenant}.x' }];
    const { mistakes } = await checkPipeline(changed({ schema, mapping: bad }), SAMPLES);
    expect(mistakes.join('\n')).toContain("mapping.0 ({tenant}.x): unknown function 'lowr'");
  });

  it("an organization's own identity namespace is taken for granted, and named", async () => {
    const identities = [{ path: 'person.taxId', namespace: 'MemberNumber' }];
    const manifest = changed({ schema: { ...BASE.schema, identities } });
    expect(await checkPipeline(manifest, SAMPLES)).toEqual({
      mistakes: [],
      warnings: [
        expect.stringMatching(
          /^schema\.identities\.0\.namespace: found "MemberNumber", which must exist in AEP; always there: .*Email/,
        ),
      ],
    });
  });
});

describe('the samples', () => {
  it('must have the primary identity, which is mandatory', async () => {
    const identities = [{ path: 'person.taxId', namespace: 'Email', primary: true }];
    const mapping = [...BASE.mapping, { source: 'tax', destination: 'person.taxId' }];
    const manifest = changed({ schema: { ...BASE.schema, identities }, mapping });
    const { mistakes } = await checkPipeline(manifest, SAMPLES);
    expect(mistakes).toEqual(['sample 1: xdm person: required key [taxId] not found']);
  });

  it('of XDM data are valid, and come out as they went in', async () => {
    const source = { ...BASE.source, data: 'xdm' };
    const { mapping: _, ...manifest } = changed({ source, mapping: undefined });
    const check = (record: Samples[0]['xdm'], xdm = record) =>
      checkPipeline(manifest, [{ name: 'one', record, xdm }]);
    expect((await check({ person: { gender: 'male' } })).mistakes).toEqual([]);
    expect((await check({ person: { gender: 'Male' } })).mistakes).toEqual([
      'one: xdm person.gender: Male is not a valid enum value',
    ]);
    expect((await check({ person: { gender: 'Male' } }, { person: { gender: 'male' } })).mistakes).toEqual([
      'one: record and xdm differ: person.gender: expected "male", got "Male"',
    ]);
  });

  it('12 B 11: keep the digits of their numbers, also on the way through a state machine', async () => {
    const manifest = changed({ mapping: [...BASE.mapping, { source: 'long', destination: '_id' }] });
    const [sample] = SAMPLES as Samples;
    const { record, xdm } = sample as Samples[0];
    const text = JSON.stringify([
      { record: { ...(record as object), long: 0 }, xdm: { ...(xdm as object), _id: '' } },
    ])
      .replace('"long":0', '"long":9007199254740993')
      .replace('"_id":""', '"_id":"9007199254740993"');
    const travelled = JSON.parse(JSON.stringify(parseSamplesText(text, 'samples'))) as Samples;
    expect((await checkPipeline(manifest, travelled)).mistakes).toEqual([]);
  });

  it('12 B 10: cannot expect a value where the expression fails', async () => {
    const expression = 'date(when, "yyyy-MM-dd HH:mm:ss")';
    const manifest = changed({ mapping: [...BASE.mapping, { expression, destination: 'person.birthDate' }] });
    const [{ record, xdm }] = SAMPLES as [Samples[0]];
    const when = { ...(record as object), when: '2024-01-01 12:00:75' };
    expect((await checkPipeline(manifest, [{ record: when, xdm }])).mistakes).toEqual([]);
    const lacking = await checkPipeline(manifest, [
      { record: when, xdm: { ...(xdm as object), _id: 'another' } },
    ]);
    expect(lacking.mistakes.join()).toContain('is not a date');
  });

  it('a switch that AEP cannot take back is named until it is allowed', async () => {
    const schema = { ...BASE.schema, fieldGroups: ['profile-person-details', 'identitymap'], profile: true };
    const asked = await checkPipeline(changed({ schema }), SAMPLES);
    expect(asked.warnings).toEqual([
      expect.stringMatching(/^allowIrreversible: found false; expected true, because of profile: /),
    ]);
    expect((await checkPipeline(changed({ schema, allowIrreversible: true }), SAMPLES)).warnings).toEqual([]);
  });
});

describe('14 B: records as they stand in the stream', () => {
  const manifest = parseManifest({
    version: 1,
    name: 'own',
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: 'own', data: 'raw', compression: 'gzip', format: 'json-lines' },
    schema: { class: 'profile', fieldGroups: ['identitymap'] },
    mapping: [{ source: 'id', destination: '_id' }],
  });
  const check = (...records: object[]) =>
    recordMistakes(manifest, parseRecordsText(JSON.stringify(records), 'own.records.json'));

  it('come to the messages that the file says, unpacked and by the format', async () => {
    const becomes = [{ sent: { id: '1' } }, { rejected: 'not-json' }];
    expect(
      await check({ record: '{"id":"1"}\n{', packed: 'gzip', becomes }, { record: '{"id":"1"}\nx', becomes }),
    ).toEqual([]);
  });

  it('are told by name and message where they do not', async () => {
    expect(
      await check(
        { name: 'one', record: '{"id":"1"}\n{"id":"2"}', becomes: [{ sent: { id: '1' } }] },
        { record: '{"id":"1"}', becomes: [{ sent: { id: '2' } }] },
        { record: '{', becomes: ['filtered'] },
      ),
    ).toEqual([
      'one: expected 1 messages, got 2',
      'record 2, message 1: sent.id: expected "2", got "1"',
      'record 3, message 1: (all of it): expected "filtered", got {"rejected":"not-json"}',
    ]);
    expect(() => parseRecordsText('[{"record":1}]', 'own.records.json')).toThrow(
      'own.records.json is not a list of records',
    );
  });

  it('are tried of every example of a format', async () => {
    const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.records.json'));
    const kinds = new Set<string | undefined>();
    for (const name of names) {
      const { source } = manifestInFile(
        await read(name.replace('.records', '')),
        join(EXAMPLES, name),
      ).manifest;
      if (source.kind === 'inlet') kinds.add(source.format?.kind);
    }
    expect([...kinds].sort()).toEqual(FORMAT_KINDS.filter((kind) => kind !== 'json').sort());
  });
});
