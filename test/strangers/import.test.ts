// Pipelines that Adobe's Python client has made: import makes a manifest of each, whose plan changes nothing in AEP.
import { afterAll, expect, test } from 'vitest';
import { type ImportAnswer, importing } from '../../lib/import/import.ts';
import type { Pipeline } from '../../lib/pipeline.ts';
import { plan } from '../../lib/provision/plan/plan.ts';
import { begin } from '../../lib/provision/steps/begin.ts';
import { plainStep, readingStep } from '../../lib/provision/steps/step.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { keep, SECRET_ID, SECRETS } from '../provision/cases.ts';
import { world } from '../support/provisioning.ts';
import { CREDENTIALS } from '../support/scripted.ts';
import { aeppPipelines } from './aepp.ts';
import { startSimulator } from './simulator.ts';

const simulator = await startSimulator();
afterAll(() => simulator.close());
const flows = await aeppPipelines(simulator.origin);

/** Penstock's functions, in front of the platform that aepp has worked on. */
function runtime() {
  const own = world();
  keep(own, SECRETS.kinesis);
  // The credential that `npm run simulate` prints.
  const simulated = { clientId: 'simulated-client-id', clientSecret: 'simulated-client-secret' };
  keep(own, { ...CREDENTIALS, ...simulated }, 'penstock/dev/credentials');
  const origins = {
    PENSTOCK_IMS_URL: simulator.origin,
    PENSTOCK_PLATFORM_URL: simulator.origin,
    PENSTOCK_INLET_ORIGINS: simulator.origin,
  };
  const { fetch } = globalThis;
  const send: typeof own.runtime.fetch = (url, init) => fetch(url, init as RequestInit) as never;
  const clock = { now: () => Date.now(), sleep: own.runtime.clock.sleep };
  return { ...own.runtime, clock, fetch: send, settings: settingsFrom(origins) };
}

test('15 import: aepp has made three pipelines, raw, XDM and pulled', () => {
  expect(flows).toHaveLength(3);
});

test.each(flows)('15 import: the plan of what aepp made says no change: %s', async (flow) => {
  const asked = { sandbox: 'dev1', flow, stream: 'customers', sourceCredentials: SECRET_ID };
  const { imported } = (await plainStep('import', runtime, importing)(asked)) as ImportAnswer;
  expect(imported).toMatchObject([{ flow, complete: true }]);
  // aepp describes parts and gives a schedule; a manifest says neither, and applying changes neither.
  const findings = imported.flatMap((one) => one.findings);
  expect(findings.filter(({ effect }) => effect !== 'kept')).toEqual([]);
  expect(JSON.stringify(imported)).not.toContain('CANARY');
  const begun = await plainStep('begin', runtime, begin)({ manifest: imported[0]?.manifest, mode: 'plan' });
  const planned = (await readingStep('plan', runtime, plan)(begun)) as Pipeline;
  const changes = planned.plan.filter(({ resource, action }) => {
    const isInAep = resource !== 'publish' && resource !== 'trigger';
    return isInAep && !['adopt', 'keep', 'none'].includes(action);
  });
  expect(changes).toEqual([]);
});
