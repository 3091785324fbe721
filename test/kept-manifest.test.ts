// What is read of a manifest that the ledger keeps, held against the manifest's own schema.
import { describe, expect, it } from 'vitest';
import { inletStreamIn, isPulledIn, mappingRowsIn, sandboxIn, streamIn } from '../lib/kept-manifest.ts';
import { parseManifest } from '../lib/manifest.ts';

const SOURCES = {
  inlet: { kind: 'inlet', stream: 'orders', data: 'raw' },
  kinesis: { kind: 'kinesis', stream: 'orders', region: 'eu-west-1', data: 'raw', credentials: 'key' },
  'event-hubs': {
    kind: 'event-hubs',
    namespace: 'company',
    eventHub: 'orders',
    data: 'raw',
    credentials: 'key',
  },
  pubsub: {
    kind: 'pubsub',
    project: 'company-1',
    topic: 'orders',
    subscription: 'penstock',
    data: 'raw',
    credentials: 'key',
  },
} as const;

/** As the ledger keeps it. */
const keptOf = (source: object) =>
  parseManifest({
    version: 1,
    name: 'orders',
    sandbox: 'dev',
    source,
    schema: { class: 'profile' },
    mapping: [
      { source: 'mail', destination: 'personalEmail.address' },
      { expression: '"work"', destination: 'personalEmail.label' },
    ],
  });

describe('13 B 4: one reader of a kept manifest', () => {
  it.each(Object.values(SOURCES))('finds in what the schema gives of $kind the same', (source) => {
    const kept = keptOf(source);
    const stream = 'stream' in kept.source ? kept.source.stream : undefined;
    expect(streamIn(kept)).toBe(stream);
    expect(inletStreamIn(kept)).toBe(kept.source.kind === 'inlet' ? stream : undefined);
    expect(isPulledIn(kept)).toBe(kept.source.kind !== 'inlet');
    expect(sandboxIn(kept)).toBe(kept.sandbox);
    expect(mappingRowsIn(kept)).toEqual([
      { source: 'mail', destination: 'personalEmail.address' },
      { destination: 'personalEmail.label' },
    ]);
  });

  it('finds it whatever else another release has written there, and by whichever rules', () => {
    const theirs = {
      version: 9,
      sandbox: 'Dev Box',
      source: { kind: 'inlet', stream: 'orders of today', urgent: true },
      mapping: [{ source: 'mail', destination: 'a', note: 'b' }],
      more: {},
    };
    expect(() => parseManifest(theirs)).toThrow();
    expect(inletStreamIn(theirs)).toBe('orders of today');
    expect(streamIn(theirs)).toBe('orders of today');
    expect(sandboxIn(theirs)).toBe('Dev Box');
    expect(mappingRowsIn(theirs)).toEqual([{ source: 'mail', destination: 'a' }]);
    expect(isPulledIn({ source: { kind: 'of-tomorrow' } })).toBe(true);
  });

  it.each([[undefined], [null], ['orders'], [{}], [{ source: null, mapping: 'damaged' }]])(
    'finds nothing in %j',
    (none) => {
      const found = [inletStreamIn, streamIn, sandboxIn].map((read) => read(none));
      expect(found).toEqual([undefined, undefined, undefined]);
      expect(isPulledIn(none)).toBe(false);
      expect(mappingRowsIn(none)).toEqual([]);
    },
  );
});
