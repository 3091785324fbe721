// The table of what is simulated is walked against the platform's routes and against Adobe's published endpoints.

import { expect, it } from 'vitest';
import { endpointsIn, factsOf } from '../../../local/aep/fidelity/fact.ts';
import { TABLE } from '../../../local/aep/fidelity/table.ts';
import { createPlatform } from '../../../local/aep/platform.ts';
import { CALLED, DOCUMENTED, endpointsOf } from '../../../local/aep/published.ts';
import { QUIRK_NAMES } from '../../../local/aep/quirks.ts';

interface Named {
  readonly method: string;
  readonly pattern: string;
}

const spelled = ({ method, pattern }: Named) => `${method} ${pattern.replace(/:[^/]+/g, ':')}`;

const rows = TABLE.flatMap(({ base, endpoints }) =>
  factsOf(endpoints).flatMap((fact) => endpointsIn(base, fact).map((endpoint) => ({ ...fact, endpoint }))),
);
const routes = createPlatform().endpoints.map(spelled);

it('12 C 1: every endpoint that is answered has a row in local/aep/fidelity/table.ts', () => {
  const listed = new Set(rows.map(({ endpoint }) => spelled(endpoint)));
  const missing = [...new Set(routes)].filter((route) => !listed.has(route));
  expect(missing.map((route) => `add a row for ${route}`)).toEqual([]);
});

it('12 C 1: every row of an endpoint is about one that is answered, and there is one row for each', () => {
  const answered = new Set(routes);
  const listed = rows.map(({ endpoint }) => spelled(endpoint));
  expect(listed.filter((each) => !answered.has(each))).toEqual([]);
  expect(listed.filter((each, index) => listed.indexOf(each) !== index)).toEqual([]);
});

it("12 C 1: a row is documented by an API description of Adobe's where that has the endpoint, and nowhere else", () => {
  const inFile = new Map<string, string>();
  for (const service of DOCUMENTED)
    for (const each of endpointsOf(service)) inFile.set(spelled(each), service.source);
  for (const { endpoint, sure, source } of rows) {
    const name = spelled(endpoint);
    const file = inFile.get(name);
    if (file) expect.soft(`${name}: ${sure}, ${source}`).toBe(`${name}: documented, ${file}`);
    else if (sure === 'documented') expect.soft(source, name).not.toMatch(/\.yaml/);
  }
});

it("12 C 1: what is observed in Adobe's Python client alone is called by it", () => {
  const called = new Set(
    CALLED.filter(({ source }) => source === 'aepp').flatMap((each) => endpointsOf(each).map(spelled)),
  );
  const claimed = rows.filter(
    ({ source, endpoint }) => source === 'aepp' && !/behaviors/.test(endpoint.pattern),
  );
  expect(claimed.length).toBeGreaterThan(3);
  expect(claimed.map(({ endpoint }) => spelled(endpoint)).filter((each) => !called.has(each))).toEqual([]);
});

it('12 C 1: no behaviour stands in the table twice, and what conflicts names two sources or more', () => {
  for (const { name, behaviours } of TABLE) {
    const facts = factsOf(behaviours);
    const said = facts.map(({ what }) => what);
    expect
      .soft(
        said.filter((each, index) => said.indexOf(each) !== index),
        name,
      )
      .toEqual([]);
    for (const { what, sure, source } of facts)
      if (sure === 'conflicting') expect.soft(source, what).toMatch(/; |, .*: |states of|: .*, /);
  }
});

it('12 C 1: every quirk is named by one row, whose sources conflict, and no row names another', () => {
  const named = TABLE.flatMap(({ endpoints, behaviours }) => factsOf(`${endpoints}\n${behaviours}`)).flatMap(
    ({ note, sure }) => [...note.matchAll(/quirk (\S+)/g)].map(([, name]) => `${name}: ${sure}`),
  );
  expect(named.sort()).toEqual(QUIRK_NAMES.map((name) => `${name}: conflicting`).sort());
});

it('12 C 1: a line without a known grade, or without a source, is refused', () => {
  expect(() => factsOf('GET /a | certain | a page')).toThrow('GET /a');
  expect(() => factsOf('GET /a | documented')).toThrow('GET /a');
});
