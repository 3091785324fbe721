import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { digestOf, isSigned } from '../../lib/hook/signature.ts';

const KEYS = [Buffer.from('fake-key-1'), Buffer.from('fake-key-2')];
const sign = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();

it('knows a signature by any of the keys, among any others', () => {
  for (const key of KEYS) {
    const good = sign(key, 'id.time.body');
    expect(isSigned(['id.time.', Buffer.from('body')], KEYS, [Buffer.alloc(32), good])).toBe(true);
    expect(isSigned(['id.time.', Buffer.from('other')], KEYS, [good])).toBe(false);
  }
  expect(isSigned(['a'], [], [sign(KEYS[0] as Buffer, 'a')])).toBe(false);
});

it('passes over what has another length, a part of the right one too, and still knows the right one', () => {
  const good = sign(KEYS[0] as Buffer, 'a');
  expect(
    isSigned(['a'], KEYS, [good.subarray(0, 31), Buffer.concat([good, Buffer.alloc(1)]), Buffer.alloc(0)]),
  ).toBe(false);
  expect(isSigned(['a'], KEYS, [good.subarray(0, 31), good])).toBe(true);
});

it('digests as SHA-256 in hex', () => {
  expect(digestOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
