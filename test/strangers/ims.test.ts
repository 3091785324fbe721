// Adobe's IMS libraries for Node against the simulated IMS: every step of their tables comes out as written.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leadTo } from './hosts.ts';
import { libraries } from './ims-steps.ts';
import { type Simulator, startSimulator } from './simulator.ts';

let simulator: Simulator;
let restore: () => void;
beforeAll(async () => {
  simulator = await startSimulator();
  restore = leadTo(simulator.origin);
});
afterAll(async () => {
  restore();
  await simulator.close();
});

test.each(libraries().map((step, index) => [`${index + 1} ${step.group}: ${step.call}`, step] as const))(
  '12 B 6: %s',
  async (_name, step) => {
    const outcome = await step.run();
    expect(outcome).toSatisfy((given: unknown) => step.fits(given), step.expected);
  },
);

test('12 B 6: no host but the simulated IMS is asked', async () => {
  await expect(async () => fetch('https://example.com/')).rejects.toThrow(
    'example.com is not asked from here',
  );
});
