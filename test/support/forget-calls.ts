// Before the tests: what functions asked AWS for in an earlier run, with other code, says nothing about this one.
import { rm } from 'node:fs/promises';
import { PENSTOCK_CALLS } from '../../vitest.config.ts';

export default async function forgetCalls(): Promise<void> {
  await rm(PENSTOCK_CALLS, { recursive: true, force: true });
}
