import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { settingsFrom } from '../../lib/settings.ts';
import { DRAIN_SECONDS, WARM_UP_SECONDS } from '../../lib/waits.ts';
import { world } from '../support/provisioning.ts';

// B 4: how long is waited in a deployed stack, and what is said where somebody wants to wait less.

const manifest = {
  ...(JSON.parse(
    readFileSync(new URL('../../examples/customer-profiles.json', import.meta.url), 'utf8'),
  ) as object),
};

/** A world whose functions have the environment of a deployed stack. */
function deployed(environment: Record<string, string> = {}) {
  const own = world();
  Object.assign(own.runtime, { settings: { ...own.runtime.settings, ...waitsOf(environment) } });
  return own;
}

const waitsOf = (environment: Record<string, string>) => {
  const { shortWaits } = settingsFrom(environment);
  return { shortWaits };
};

describe('B 4: an execution of a deployed stack', () => {
  it.each([
    [{ warmUpSeconds: 0 }, /"warmUpSeconds": 0 is less than 300: AEP takes the first records of a new flow/],
    [{ warmUpSeconds: WARM_UP_SECONDS - 1 }, /"warmUpSeconds": 299 is less than 300/],
    [{ drainSeconds: DRAIN_SECONDS - 1 }, /"drainSeconds": 899 is less than 900: what is still on its way/],
    [{ drainSeconds: 0, mode: 'retire' }, /"drainSeconds": 0 is less than 900/],
    [{ warmUpSeconds: 1, mode: 'plan' }, /"warmUpSeconds": 1 is less than 300/],
    [{ warmUpSeconds: 1, drainSeconds: 1 }, /"warmUpSeconds": 1 .*; "drainSeconds": 1 /],
  ])('that would wait too short is refused before anything is touched: %j', async (waits, said) => {
    const own = deployed();
    const { status, cause } = await own.run({ manifest, ...waits });
    expect(status).toBe('FAILED');
    expect(cause).toMatch(said);
    expect(cause).toContain('shortWaits=yes');
    expect(own.mutations()).toEqual([]);
  });

  it.each([
    [{}, {}],
    [{ warmUpSeconds: WARM_UP_SECONDS, drainSeconds: DRAIN_SECONDS }, {}],
    [{ warmUpSeconds: 1_500 }, {}],
    [{ warmUpSeconds: 0, drainSeconds: 0 }, { PENSTOCK_SHORT_WAITS: 'yes' }],
  ])('goes on where nothing would be lost, or that is allowed: %j %j', async (waits, environment) => {
    const own = deployed(environment);
    const { status, cause } = await own.run({ manifest, mode: 'plan', ...waits });
    expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
  });
});
