import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { within } from '../lib/within.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('brings what comes in time, or what it failed with, and leaves no timer that keeps the process', async () => {
  expect(await within(60_000, Promise.resolve('here'))).toBe('here');
  await expect(within(60_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(vi.getTimerCount()).toBe(0);
});

it('says that it is late, at once where there is no time', async () => {
  const never = new Promise<never>(() => undefined);
  const late = within(1_000, never);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await late).toBe('late');
  const past = within(-5, never);
  await vi.advanceTimersByTimeAsync(0);
  expect(await past).toBe('late');
});
