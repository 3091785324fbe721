// What an execution that finds nothing to do need not ask again, and when it asks all the same.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../local/aep/json.ts';
import { patchSchema } from '../import/hands.ts';
import { world } from '../support/provisioning.ts';
import {
  inletManifest,
  PUBLISHED,
  planned,
  position,
  reportOf,
  sandboxOf,
  sent,
  type World,
} from './cases.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const samples = [
  { record: { id: '1', first: 'Ana' }, xdm: { _id: '1', person: { name: { firstName: 'Ana' } } } },
];

/** What the states after the plan ask of AEP. */
function asked(own: World, from: number): string[] {
  const looks = sent(own, from).map(
    ({ method, path }) => `${method} ${path.replace(/^.*\/flowservice\//, '')}`,
  );
  return looks.flatMap((look) => {
    if (/^GET (flows|connections)\/.+$/.test(look)) return [look.split('/')[0] ?? ''];
    return look.endsWith('/mappingSets/preview') ? ['preview'] : [];
  });
}

async function again(
  own: World,
  request: object = {},
  later: { readonly at?: string; readonly ms?: number } = {},
) {
  const from = position(own);
  const onEnter = ({ state }: { readonly state: string }) => {
    if (state === later.at) own.time.now += later.ms ?? 0;
  };
  const done = await own.run({ manifest: inletManifest(), samples, ...request }, { onEnter });
  return { ...done, asked: asked(own, from) };
}

async function applied(): Promise<World> {
  const own = world();
  expect((await own.run({ manifest: inletManifest(), samples })).status).toBe('SUCCEEDED');
  return own;
}

describe('an unchanged pipeline', () => {
  it('asks for no flow, no inlet and no preview again', async () => {
    const own = await applied();
    const { status, document, asked } = await again(own);
    expect([status, asked]).toEqual(['SUCCEEDED', []]);
    expect(document.verified).toEqual([
      'flow is enabled',
      'flow is warm',
      '1 sample became what they must at 2026-01-01T00:00:00.000Z',
      'inlet is there and allowed',
    ]);
    expect(document.published).toBe('kept');
  });

  it.each(['verify', 'publish'])('asks for what is a minute old in %s', async (at) => {
    const own = await applied();
    const wanted = { verify: ['GET flows', 'GET connections'], publish: ['GET connections'] }[at];
    expect((await again(own, {}, { at, ms: MINUTE })).asked).toEqual(wanted);
  });

  it('asks for the flow if anything changes', async () => {
    const own = await applied();
    const mapping = [{ source: 'first', destination: '_id' }];
    const { asked } = await again(own, { manifest: inletManifest({ mapping }), samples: undefined });
    expect(asked).toContain('GET flows');
  });
});

describe('the samples of an unchanged pipeline', () => {
  it.each([
    ['within a day', DAY - MINUTE, []],
    ['a day later', DAY, ['preview']],
  ])('%s', async (_, ms, wanted) => {
    const own = await applied();
    own.time.now = Date.parse('2026-01-01T00:00:00Z') + ms;
    expect((await again(own)).asked).toEqual(wanted);
    // The next one counts from there.
    expect((await again(own)).asked).toEqual([]);
  });

  it('are tried if they are others, and refused if they are wrong', async () => {
    const own = await applied();
    const others = [...samples, { record: { id: '2' }, xdm: { _id: '2' } }];
    expect((await again(own, { samples: others })).asked).toEqual(['preview']);
    const wrong = [{ record: { id: '2' }, xdm: { _id: '3' } }];
    const { status } = await again(own, { samples: wrong });
    expect([status, (await reportOf(own)).failure?.code]).toEqual(['FAILED', 'MAPPING_INVALID']);
    // A refusal is not remembered as a success.
    expect((await again(own, { samples: wrong })).status).toBe('FAILED');
  });
});

describe('the samples of a pipeline whose schema somebody has changed', () => {
  const GROUP = 'https://ns.adobe.com/xdm/context/profile-work-details';

  it.each([
    ['that it has made', 'people', undefined],
    ['that its manifest names', 'others', 'people'],
  ])('%s, are tried again, and then not again', async (_, name, maker) => {
    const own = await applied();
    const schema = (await reportOf(own)).resources.find(({ resource }) => resource === 'schema')?.id ?? '';
    const manifest = inletManifest({ name, ...(maker !== undefined && { schema: { id: schema } }) });
    expect((await again(own, { manifest })).status).toBe('SUCCEEDED');
    expect((await again(own, { manifest })).asked).toEqual([]);
    own.time.now += MINUTE;
    await patchSchema(own, schema, [{ op: 'add', path: '/allOf/-', value: { $ref: GROUP } }]);
    expect((await again(own, { manifest })).asked).toContain('preview');
    expect((await again(own, { manifest })).asked).toEqual([]);
  });
});

describe('the inlet of an unchanged pipeline', () => {
  const MOVED = `http://127.0.0.1:4010/collection/${'ab'.repeat(32)}`;

  const connectionIn = async (own: World) =>
    (await reportOf(own)).resources.find(({ resource }) => resource === 'base-connection')?.id;

  /** As AEP tells the parameters of the connection from now on. */
  function tell(own: World, id: string | undefined, told: object): void {
    const one = sandboxOf(own).connections.get(id ?? '');
    if (one === undefined) throw new Error('no connection');
    const { specName, params } = one.body.auth as { readonly specName: string; readonly params: object };
    const auth = JSON.parse(JSON.stringify({ specName, params: { ...params, ...told } })) as JsonObject;
    sandboxOf(own).connections.put(one.id, { ...one, body: { ...one.body, auth } });
  }

  it('that has moved is a change of the plan, and is published', async () => {
    const own = await applied();
    tell(own, await connectionIn(own), { inletUrl: MOVED });
    const plan = await own.run({ manifest: inletManifest(), samples, mode: 'plan' });
    expect(planned(plan.document, 'publish')?.action).toBe('update');
    const { document, cause } = await again(own);
    expect([cause, document?.published]).toEqual([undefined, 'written']);
    expect(await own.runtime.secrets.get(PUBLISHED)).toContain(MOVED);
    expect(JSON.stringify(document)).not.toContain(MOVED);
  });

  it('whose origin is not allowed any more is refused', async () => {
    const own = await applied();
    (own.runtime.settings.inletOrigins as string[]).splice(0, 1, 'https://dcs.adobedc.net');
    const { status } = await again(own);
    expect([status, (await reportOf(own)).failure?.code]).toEqual(['FAILED', 'INLET_NOT_ALLOWED']);
  });

  it('that no list tells in full is asked for', async () => {
    const own = await applied();
    tell(own, await connectionIn(own), { authenticationRequired: undefined });
    const plan = await own.run({ manifest: inletManifest(), samples, mode: 'plan' });
    expect(planned(plan.document, 'publish')?.action).toBe('keep');
    expect((await again(own)).asked).toEqual(['GET connections']);
  });
});
