// What Experience Platform has and the simulation has not is told as such; the table of it is held against Adobe's own files.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { DOCUMENTED, endpointsOf, PUBLISHED } from '../../../local/aep/published.ts';
import { CATALOG, caller, PREP, REGISTRY } from './support.ts';

/** Adobe's published API descriptions: not part of the project. */
const DESCRIPTIONS =
  process.env.PENSTOCK_OPENAPI ?? fileURLToPath(new URL('../../../../shared/openapi', import.meta.url));

const filled = (pattern: string) => pattern.replace(/:[^/]+/g, 'x');
/** In ASCII order, as sets are compared. */
const spelled = (endpoints: readonly { method: string; pattern: string }[]) =>
  endpoints.map(({ method, pattern }) => `${method} ${pattern.replace(/:[^/]+/g, ':')}`).sort();

it('12 B 8: what Adobe has and the simulation has not is 501 and says so, in the body and in a header', async () => {
  const { call } = await caller();
  const reply = await call('GET', '/data/core/ups/access/entities?entityId=a');
  expect(reply.status).toBe(501);
  expect(reply.body).toMatchObject({ status: 501, penstock: 'not simulated' });
  expect(reply.headers.get('penstock')).toBe('not simulated');
  expect(reply.body.detail).toContain('GET /data/core/ups/access/entities');
});

it('12 B 8: a method, and a name where the simulation knows a variable, are not taken for another', async () => {
  const { call } = await caller();
  // `suggestion` is no mapping set, and POST is no slip.
  for (const [method, path] of [
    ['GET', `${PREP}/mappingSets/suggestion`],
    ['POST', `${REGISTRY}/rpc/csv2schema`],
    ['GET', '/data/sensei/engines/dockerRegistry'],
    ['POST', '/data/foundation/import/batches'],
  ] as const)
    expect.soft((await call(method, path)).body.penstock, `${method} ${path}`).toBe('not simulated');
});

it('12 B 8: a path that Adobe lacks is 404, a method that Adobe lacks is 405, and neither is marked as not simulated', async () => {
  const { call } = await caller();
  for (const [method, path, status] of [
    ['GET', '/data/foundation/nothing', 404],
    ['GET', `${CATALOG}/dataSets/x/y/z/q`, 404],
    ['GET', '/ajo/nothing', 404],
    ['PATCH', `${CATALOG}/batches`, 405],
    ['DELETE', '/data/sensei/mlInstances', 405],
  ] as const) {
    const { status: found, body, headers } = await call(method, path);
    expect
      .soft({ found, ...body }, path)
      .toMatchObject({ found: status, status, type: '/placeholder/type/uri' });
    expect.soft([body.penstock, headers.get('penstock')], path).toEqual([undefined, null]);
  }
});

it('12 B 8: the gateway asks first who is calling, and a file is no reason to refuse what is not simulated', async () => {
  const { call, bare } = await caller();
  const path = '/data/foundation/import/batches/b/datasets/d/files/f.parquet';
  expect((await bare('PUT', path, 'PAR1')).status).toBe(403);
  const reply = await call('PUT', path, 'PAR1', { 'content-type': 'application/octet-stream' });
  expect([reply.status, reply.body.penstock]).toEqual([501, 'not simulated']);
  // Where the simulation reads, the type counts as before.
  expect((await call('POST', `${PREP}/mappingSets`, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
});

it('12 B 8: what /_simulator/ lists as not simulated is what answers 501, and nothing else does', async () => {
  const { call, bare } = await caller();
  const { notSimulated } = (await bare('GET', '/_simulator/')).body;
  const told = new Set(
    Object.entries<string[]>(notSimulated).flatMap(([base, lines]) =>
      lines.map((line) => line.replace(/ \/?$| /, ` ${base}`)),
    ),
  );
  expect(told.size).toBeGreaterThan(100);
  const wrong: string[] = [];
  for (const { method, pattern } of PUBLISHED) {
    const { status } = await call(method, filled(pattern));
    if ((status === 501) !== told.delete(`${method} ${pattern}`))
      wrong.push(`${method} ${pattern}: ${status}`);
  }
  expect(wrong).toEqual([]);
  expect([...told]).toEqual([]);
});

it('12 B 8: no endpoint stands in the table twice', () => {
  const all = spelled(PUBLISHED);
  expect(all.filter((each, index) => each === all[index - 1])).toEqual([]);
});

it.runIf(existsSync(DESCRIPTIONS))('12 B 8: the table of what is documented is what Adobe publishes', () => {
  const files = readdirSync(DESCRIPTIONS).filter((name) => name.endsWith('.yaml'));
  expect(DOCUMENTED.map(({ source }) => source).sort()).toEqual(files.sort());
  for (const service of DOCUMENTED) {
    const described = parse(readFileSync(`${DESCRIPTIONS}/${service.source}`, 'utf8'));
    expect.soft(spelled(endpointsOf(service)), service.source).toEqual(spelled(operationsOf(described)));
  }
});

/** Every method of every path, below the base of its server; a container is one of the two there are. */
function operationsOf(file: ReturnType<typeof parse>): { method: string; pattern: string }[] {
  const server = file.basePath ?? file.servers[0].url.replace(/^(https?:)?\/\/[^/]+/, '');
  return Object.entries<object>(file.paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((word) => /^(get|head|post|put|patch|delete)$/.test(word))
      .flatMap((word) =>
        (path.includes('{CONTAINER_ID}') ? ['tenant', 'global'] : ['']).map((container) => ({
          method: word.toUpperCase(),
          pattern: `${server}${path}`
            .replace(/\/\//g, '/')
            .replace('{CONTAINER_ID}', container)
            .replace(/\{[^}]+\}/g, ':id')
            .replace(/\/$/, ''),
        })),
      ),
  );
}
