// A demonstration of faults at every call of a provisioning run: lists what does not come out as in a run without any.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Fault, Tally } from '../support/chaos.ts';
import { canonical, surplus } from '../support/graph.ts';
import { world } from '../support/provisioning.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../pipelines/customer-profiles.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const MODES = ['refused', 'lost', 'error-after', 'truncated', 'throttled', 'killed'] as const;

async function golden() {
  const own = world();
  const { calls } = await own.run({ manifest });
  const count = (kind: string) => calls.filter((call) => call.kind === kind).length;
  return { end: canonical(own), calls, aep: count('aep'), aws: count('aws') };
}

/** What is wrong after a run with this fault, and a new execution where it was stopped; nothing when all is well. */
async function tried(fault: Fault, end: unknown, tally: Tally): Promise<string | undefined> {
  const own = world();
  const first = await own.run({ manifest }, { fault });
  tally.add(first);
  if (!first.execution.struck) return 'the fault did not hit';
  let last = first;
  if (fault.after === 'abort') {
    if (first.status !== 'ABORTED') return `it was not stopped but ${first.status}`;
    last = await own.run({ manifest });
    tally.add(last);
  }
  if (last.status !== 'SUCCEEDED') return `${last.status} ${last.error}: ${unnumbered(last.cause)}`;
  const left = surplus(own);
  if (Object.keys(left).length > 0) return `surplus ${JSON.stringify(left)}`;
  if (JSON.stringify(canonical(own)) !== JSON.stringify(end)) return 'another end';
  own.mutations();
  const again = await own.run({ manifest });
  tally.add(again);
  const mutations = own.mutations();
  return again.status === 'SUCCEEDED' && mutations.length === 0
    ? undefined
    : `again: ${again.status} ${unnumbered(again.cause)}, ${unnumbered(mutations.join(', '))}`;
}

/** Without ids, so that equal mismatches are one. */
function unnumbered(text = ''): string {
  return text.replace(/[0-9a-f-]{20,}/g, '*').slice(0, 300);
}

it('every call, every mode, both ways on', { timeout: 300_000 }, async () => {
  const { end, calls, aep, aws } = await golden();
  const tally = new Tally();
  const wrong = new Map<string, string[]>();
  for (const kind of ['aep', 'aws'] as const) {
    for (let k = 1; k <= (kind === 'aep' ? aep : aws); k++) {
      const call = calls.find((one) => one.kind === kind && one.index === k);
      for (const mode of MODES) {
        for (const after of ['retry', 'abort'] as const) {
          const said = await tried({ k, mode, kind, after }, end, tally);
          if (said === undefined) continue;
          const where = `${kind} ${k} ${call?.step} ${call?.label} ${mode} ${after}`;
          wrong.set(said, [...(wrong.get(said) ?? []), where]);
        }
      }
    }
  }
  console.log(tally.lines().join('\n'));
  // The same kind of mismatch once, with the first places it was met at.
  for (const [said, places] of wrong)
    console.log(`${places.length} times: ${said}\n  ${places.slice(0, 12).join('\n  ')}`);
  console.log(`${wrong.size} kinds of mismatch`);
  expect(tally.get('fault killed')).toBe(2 * (aep + aws));
});
