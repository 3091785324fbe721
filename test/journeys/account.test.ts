// C 1 and C 2 of local runs: the account knows what the manifest asks for, and is given whatever becomes of a change.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itByTurns } from '../support/depth.ts';
import { aggregate } from '../support/kpl.ts';
import { start } from '../support/start.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock account-'));
});
afterAll(() => rm(folder, { recursive: true }));

const manifest = (source: object, more: object = {}) => ({
  version: 1,
  name: 'orders',
  sandbox: 'dev1',
  source: { kind: 'inlet', stream: 'orders', data: 'raw', ...source },
  schema: {
    class: 'profile',
    fieldGroups: [
      'profile-work-details',
      { name: 'orders', fields: { note: { type: 'string' }, amount: { type: 'number' } } },
    ],
  },
  mapping: [
    { source: '_id', destination: '_id' },
    { source: 'note', destination: '{tenant}.note' },
    { source: 'amount', destination: '{tenant}.amount' },
  ],
  ...more,
});

async function file(name: string, content: string | object): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** The closing line of a run of these records, each in base64. */
async function accountOf(name: string, source: object, records: readonly Buffer[], more?: object) {
  const lines = records.map((bytes) => `${bytes.toString('base64')}\n`).join('');
  const args = [
    '--manifest',
    await file(`${name}.json`, manifest(source, more)),
    '--records',
    await file(name, lines),
  ];
  const { code, out, err } = await start(...args, '--encoding', 'base64', '--warm-up', '1');
  return { code, said: /^.*every record is accounted for.*$/im.exec(out)?.[0] ?? err };
}

const json = (value: object) => Buffer.from(JSON.stringify(value));

/** Each has a stack of its own. */
const itInTurn = itByTurns(2);

describe('C 1: every record is accounted for', () => {
  itInTurn('where the manifest filters, redacts, selects, derives and unpacks', async () => {
    const record = (type: string, n: number) =>
      json({ type, order: { note: `n${n}`, amount: n, card: '4111' } });
    const { code, said } = await accountOf(
      'transformed',
      {
        compression: 'auto',
        records: {
          where: [{ field: '/type', equals: 'order' }],
          redact: [{ field: '/order/card', action: 'mask' }],
          select: '/order',
          derive: ['_id', 'timestamp'],
        },
      },
      [
        record('order', 1),
        record('ping', 2),
        gzipSync(record('order', 3)),
        aggregate(
          [record('order', 4), record('ping', 5), record('order', 6)].map((data) => ({ key: 'k', data })),
        ),
        json({ type: 'order' }),
        Buffer.from([0xff, 0xfe]),
        // Twice the same bytes are two records.
        record('order', 1),
      ],
    );
    expect(said).toBe(
      'Every record is accounted for: 7 produced (9 messages), 5 accepted, 2 filtered, 2 rejected; of the accepted 5 landed, 0 refused later, 0 lost.',
    );
    expect(code).toBe(0);
  });

  itInTurn('14 B: message by message, where a format takes several out of a record', async () => {
    const rows = (...lines: string[]) => Buffer.from(lines.join('\n'));
    const { code, said } = await accountOf(
      'formats',
      {
        format: { kind: 'json-sequence', items: '/rows', envelope: ['/note'] },
        records: { where: [{ field: '/amount', notEquals: 0 }] },
      },
      [
        rows('{"note":"a","rows":[{"_id":"1","amount":1},{"_id":"2","amount":0},7]}'),
        rows('{"note":"b","rows":[]}'),
        rows('{"rows":[{"_id":"3"}]}', '{"note":"c"}', '{"rows":[{"_id":"3"}]}'),
        gzipSync('{}'),
      ],
    );
    expect(said).toBe(
      'Every record is accounted for: 4 produced (7 messages), 3 accepted, 1 filtered, 3 rejected; of the accepted 3 landed, 0 refused later, 0 lost.',
    );
    expect(code).toBe(0);
  });

  itInTurn('where records are merged into Profile and deleted from it', async () => {
    const operations = { field: '/op', values: { u: { data: 'merge' }, d: { data: 'delete' } } };
    const { code, said } = await accountOf(
      'profile',
      { records: { operations } },
      ['u', 'd', 'u', 'x'].map((op, n) => json({ op, _id: String(n), email: `a${n}@example.org` })),
      {
        schema: {
          class: 'profile',
          fieldGroups: ['profile-work-details'],
          identities: [{ path: 'workEmail.address', namespace: 'Email', primary: true }],
          profile: true,
        },
        dataset: { profile: true, upsert: true },
        allowIrreversible: true,
        mapping: [
          { source: '_id', destination: '_id' },
          { source: 'email', destination: 'workEmail.address' },
        ],
      },
    );
    expect(said).toBe(
      'Every record is accounted for: 4 produced, 3 accepted, 1 rejected; of the accepted 0 landed, 3 for Profile only, 0 refused later, 0 lost.',
    );
    expect(code).toBe(0);
  });
});

describe('npm start accounts for every record', () => {
  itInTurn(
    '12 A: carries the records of a stream that AEP reads by itself, and accounts for them as for an inlet',
    async () => {
      // Its sample records are sent where nobody names others.
      const { code, out } = await start('--manifest', 'examples/orders-kinesis.json', '--warm-up', '1');
      expect(out).toMatch(/produced +10 /);
      expect(out).toMatch(/accepted +9 +read by AEP itself/);
      expect(out).toMatch(/landed +8 /);
      expect(out).toContain('line 7: dropped');
      expect(out).toMatch(/line 4: refused-later: .*fax/);
      expect(out).toContain('Every record is accounted for');
      expect(code).toBe(0);
    },
  );

  itInTurn('accounts for every record where the platform shows faults', async () => {
    const faults = [
      { kind: 'dropAfter', path: '/collection/batch/*', times: 1 },
      { kind: 'partial', path: '/collection/batch/*', after: 1, times: 1, status: 503, count: 5 },
    ];
    const { code, out } = await start(
      '--generate',
      '500',
      '--warm-up',
      '1',
      '--faults',
      await file('faults.json', JSON.stringify(faults)),
    );
    expect(out).toMatch(/of them a second time/);
    expect(out).toContain('Every record is accounted for');
    expect(code).toBe(0);
  });
});

describe('C 2', () => {
  itInTurn('a change that is refused leaves the records their account', async () => {
    const sample = new URL('../../examples/customer-profiles.json', import.meta.url);
    const plain = JSON.parse(await readFile(sample, 'utf8')) as { schema: object };
    const { $schema: _, ...other } = plain as Record<string, unknown>;
    const change = await file('other.json', {
      ...other,
      schema: { ...plain.schema, class: 'experienceevent' },
    });
    const { code, out } = await start('--generate', '200', '--warm-up', '1', '--change', change);
    expect(out).toContain('The change is refused, so the pipeline stays as it is.');
    expect(out).toMatch(/Every record is accounted for: 200 produced, 200 accepted/);
    expect(code).toBe(1);
  });

  it('an own manifest is not sent the sample customers, unless they are asked for', async () => {
    const { code, err } = await start('--manifest', await file('own.json', manifest({})));
    expect(err).toMatch(
      /--manifest \S.*own\.json needs records of its own: add --records FILE, or --generate N/,
    );
    expect(code).toBe(2);
  });

  it('14 B: what is no JSON is not sent the sample customers, not even if they are asked for', async () => {
    const payments = 'examples/payments.json';
    for (const asked of [[], ['--generate', '5']]) {
      const { code, err } = await start('--manifest', payments, ...asked);
      expect([code, err]).toEqual([2, expect.stringMatching(/of the format protobuf.*--encoding base64/)]);
    }
  });

  it('12 B 9: what the platform has with --xdm only is told before anything starts', async () => {
    const id = 'https://ns.adobe.com/xdm/context/experienceevent-advertising';
    const schema = { class: 'experienceevent', fieldGroups: [id] };
    const own = await file('advertising.json', { ...manifest({}), schema });
    const { code, err } = await start('--manifest', own, '--records', own);
    expect(err).toMatch(
      /advertising\.json:\n {2}schema\.fieldGroups\.0: \S+-advertising: is Adobe's, .*--xdm DIR/,
    );
    expect(code).toBe(2);
  });

  it.each([
    [['--encoding', 'hex', '--records', 'x'], /--encoding: expected text or base64; found "hex"/],
    [['--encoding', 'base64'], /--encoding is for the lines of a file: add --records FILE/],
  ])('%j is refused', async (args, said) => {
    const { code, err } = await start(...args);
    expect(err).toMatch(said);
    expect(code).toBe(2);
  });

  it('a line that is no base64 is named before anything is provisioned', async () => {
    const records = await file('not.b64', 'AAH/\nno base64\n');
    const { code, out, err } = await start('--records', records, '--encoding', 'base64');
    expect(err).toContain('line 2 is not base64');
    expect(out).not.toContain('Provision');
    expect(code).toBe(2);
  });
});
