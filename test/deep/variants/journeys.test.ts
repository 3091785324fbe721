// Both journeys under each variant of Adobe's behaviour: a pipeline is made, changed and retired, and records are forwarded through every fault.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readOutcomes } from '../../../lib/aep/inlet-reply.ts';
import { tellStories } from '../../fuzz/forward-model.ts';
import { caller, makeInlet } from '../../local/aep/support.ts';
import { longRuns } from '../../support/depth.ts';
import { world } from '../../support/provisioning.ts';
import { quirks } from '../../support/quirks.ts';

const STORIES = longRuns(15);
const SEED = 12;

const manifest = () =>
  JSON.parse(readFileSync(new URL('../../../examples/customer-profiles.json', import.meta.url), 'utf8'));

const changes = ({ platform }: ReturnType<typeof world>) =>
  platform.journal
    .entries()
    .filter(
      ({ method, path }) =>
        method !== 'GET' && /^\/data\/.*s(\/|$|\?)/.test(path) && !/validate|preview/.test(path),
    );

describe(`12 C 1: with ${JSON.stringify(quirks)}`, () => {
  it('12 C 1: a pipeline is made, kept, changed by a swap, and retired', async () => {
    const own = world();
    expect(own.platform.settings.quirks).toMatchObject(quirks);
    const first = manifest();
    expect(await own.run({ manifest: first })).toMatchObject({ status: 'SUCCEEDED' });
    const made = changes(own).length;
    expect(made).toBeGreaterThan(5);
    expect(await own.run({ manifest: first })).toMatchObject({ status: 'SUCCEEDED' });
    expect(changes(own)).toHaveLength(made);
    const changed = manifest();
    changed.mapping[0] = { ...changed.mapping[0], source: 'other' };
    delete changed.mapping[0].expression;
    expect(await own.run({ manifest: changed })).toMatchObject({ status: 'SUCCEEDED' });
    expect(changes(own).length).toBeGreaterThan(made);
    expect(await own.run({ manifest: changed, mode: 'retire' })).toMatchObject({ status: 'SUCCEEDED' });
    expect(own.platform.state.sandboxes.get('dev1')?.flows.size).toBe(0);
  });

  it('12 C 1: records keep all promises, whatever goes wrong', async () => {
    const met = await tellStories(STORIES, SEED);
    expect(met.get('token')).toBeGreaterThan(0);
  });

  it('12 C 1: what the inlet refuses in a batch is told from what it took', async () => {
    const with_ = await caller({ quirks });
    const { inletId } = await makeInlet(with_);
    const messages = [{ n: 1 }, 'no object', { n: 3 }];
    const sandbox = { 'x-sandbox-name': 'dev1' };
    const { text } = await with_.bare('POST', `/collection/batch/${inletId}`, { messages }, sandbox);
    const { outcomes } = readOutcomes(text, messages.length);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['acknowledged', 'refused', 'acknowledged']);
  });
});
