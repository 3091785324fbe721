import { describe, expect, it } from 'vitest';
import { createClaims } from '../../lib/aws/claims.ts';
import type { Objects } from '../../lib/aws/objects.ts';

const NOW = 1_000_000;
const keyOf = (key: string, number: number) => `claims/${key}.${number}`;

function claims(given: Readonly<Record<string, string>> = {}, taken = false) {
  const all = new Map(Object.entries(given));
  const objects: Pick<Objects, 'create' | 'read' | 'remove'> = {
    create: async (key, text) => !all.has(key) && !taken && !!all.set(key, text),
    read: async (key) => {
      const text = all.get(key);
      return text === undefined ? undefined : { text, version: text };
    },
    remove: async (key, version) => all.get(key) === version && all.delete(key),
  };
  return { all, ...createClaims(objects as Objects, keyOf) };
}
const held = (owner: string, until: unknown) => JSON.stringify({ owner, until });
const mine = { owner: 'me', until: NOW + 60_000 };

describe('a claim', () => {
  it('is not taken while another one holds', async () => {
    const { all, claim } = claims({ 'claims/a.0': held('other', NOW + 1) });
    expect(await claim('a', mine, NOW)).toBe(false);
    expect([...all.keys()]).toEqual(['claims/a.0']);
  });

  it('that was given back between the two looks is not taken: who had it may have done all there was to do', async () => {
    const { claim } = claims({}, true);
    expect(await claim('a', mine, NOW)).toBe(false);
  });

  it.each([
    ['has run out', held('other', NOW)],
    ['has no end', held('other', undefined)],
    ['has an end that is no number', held('other', String(NOW + 60_000))],
    ['cannot be read', 'not JSON'],
    ['is null', 'null'],
  ])('that %s stays, and the next number is taken', async (_, text) => {
    const { all, claim } = claims({ 'claims/a.0': text });
    expect(await claim('a', mine, NOW)).toBe(true);
    expect(Object.fromEntries(all)).toEqual({ 'claims/a.0': text, 'claims/a.1': JSON.stringify(mine) });
  });

  it.each(['not JSON', 'null', held('other', NOW - 1)])(
    'is given back past what is not its own: %s',
    async (text) => {
      const { all, release } = claims({ 'claims/a.0': text, 'claims/a.1': JSON.stringify(mine) });
      await release('a', 'me', NOW);
      expect([...all.keys()]).toEqual(['claims/a.0']);
    },
  );

  it('that has run out is not given back: the next number counts on it', async () => {
    const { all, release } = claims({ 'claims/a.0': held('me', NOW - 1) });
    await release('a', 'me', NOW);
    await release('b', 'me', NOW);
    expect([...all.keys()]).toEqual(['claims/a.0']);
  });
});
