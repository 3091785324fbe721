// Manifests and moments at the edge of what is allowed: each of them once ended in something that was not meant.
import { describe, expect, it } from 'vitest';
import type { FetchAnswer } from '../../lib/aep/transport.ts';
import { world } from '../support/provisioning.ts';
import {
  actions,
  changes,
  EVENT_HUBS,
  groupManifest,
  holdings,
  inletManifest,
  KINESIS,
  keep,
  ONE_OF_EACH,
  PUB_SUB,
  planned,
  position,
  pulledManifest,
  SECRETS,
  sandboxOf,
} from './cases.ts';

describe('a mapping set', () => {
  it("is not taken for this pipeline's because of what another one calls its own", async () => {
    const own = world();
    const victim = inletManifest();
    await own.run({ manifest: victim });
    keep(own, SECRETS.kinesis);
    const names = { mapping: `x [penstock ${victim.name} y` };
    const evil = pulledManifest(KINESIS, { name: 'evil', names });
    const result = await own.run({ manifest: evil });
    expect(result.cause ?? result.status).toBe('SUCCEEDED');
    const from = position(own);
    expect((await own.run({ manifest: victim })).status).toBe('SUCCEEDED');
    expect(changes(own, from)).toEqual([]);
    expect(sandboxOf(own).mappingSets.values()).toHaveLength(2);
  });
});

describe('an own field', () => {
  it.each([
    [
      'an object',
      { type: 'object' },
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } } },
    ],
    [
      'an array of objects',
      { type: 'array', items: { type: 'object' } },
      { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
    ],
  ])('that is %s without fields can be given some', async (_, before, after) => {
    const own = world();
    await own.run({ manifest: groupManifest({ x: before }) });
    const { status, cause, document } = await own.run({ manifest: groupManifest({ x: after }) });
    expect(cause ?? status).toBe('SUCCEEDED');
    expect(actions(document)).toMatchObject({ 'field-group:loyalty': 'update' });
    const from = position(own);
    await own.run({ manifest: groupManifest({ x: after }) });
    expect(changes(own, from)).toEqual([]);
  });
});

describe('identities', () => {
  const email = { path: 'personalEmail.address', namespace: 'Email', primary: true };
  const phone = { path: 'mobilePhone.number', namespace: 'Phone' };
  const contact = (identities: object[]) =>
    inletManifest({
      schema: {
        class: 'profile',
        fieldGroups: ['profile-person-details', 'profile-personal-details'],
        identities,
      },
    });

  it.each([1, 0])(
    'that the manifest does not name any more go with the schema: %i left in it',
    async (left) => {
      const own = world();
      await own.run({ manifest: contact([email, phone]) });
      const manifest = contact([email, phone].slice(0, left));
      expect((await own.run({ manifest })).status).toBe('SUCCEEDED');
      const { cause, status } = await own.run({ manifest, mode: 'retire', deleteData: true });
      expect(cause ?? status).toBe('SUCCEEDED');
      expect(holdings(own)).toEqual({});
    },
  );
});

describe('a stream', () => {
  it('of the same name in another account is another stream', async () => {
    const own = world();
    await own.run({ manifest: inletManifest() });
    const stream = 'arn:aws:kinesis:eu-west-1:999999999999:stream/customers';
    own.runtime.streams.arn = async () => stream;
    const manifest = inletManifest({ source: { kind: 'inlet', stream, data: 'raw' } });
    const from = position(own);
    const { document } = await own.run({ manifest, mode: 'plan' });
    expect((await own.run({ manifest })).error).toBe('Penstock.Conflict');
    expect(planned(document, 'publish')).toMatchObject({
      action: 'conflict',
      reason: expect.stringContaining('another stream of that name'),
    });
    expect(changes(own, from)).toEqual([]);
    expect(holdings(own)).toEqual(ONE_OF_EACH);
  });
});

describe('what AEP lets one flow read alone', () => {
  it.each([
    [
      'a subscription',
      SECRETS.pubsub,
      PUB_SUB,
      { ...PUB_SUB, auth: 'subscription' },
      { ...PUB_SUB, subscription: 'another' },
    ],
    [
      'a consumer group',
      SECRETS['event-hubs'],
      EVENT_HUBS,
      { ...EVENT_HUBS, auth: 'event-hub' },
      { ...EVENT_HUBS, consumerGroup: 'another' },
    ],
  ])('%s is not given to a second pipeline', async (_, secret, source, same, another) => {
    const own = world();
    keep(own, secret);
    expect((await own.run({ manifest: pulledManifest(source) })).status).toBe('SUCCEEDED');
    const from = position(own);
    const second = pulledManifest(same, { name: 'second' });
    const { document } = await own.run({ manifest: second, mode: 'plan' });
    expect(planned(document, 'publish')).toMatchObject({
      action: 'conflict',
      reason: expect.stringContaining('can have only one reader, and the pipeline people reads it'),
    });
    expect((await own.run({ manifest: second })).error).toBe('Penstock.Conflict');
    expect(changes(own, from)).toEqual([]);
    const apart = await own.run({ manifest: pulledManifest(another, { name: 'second' }) });
    expect(apart.cause ?? apart.status).toBe('SUCCEEDED');
    expect((await own.run({ manifest: pulledManifest(source), mode: 'retire' })).status).toBe('SUCCEEDED');
    expect((await own.run({ manifest: pulledManifest(source, { name: 'third' }) })).status).toBe('SUCCEEDED');
  });
});

describe('an account of which AEP tells nothing', () => {
  it.each([
    ['region', SECRETS.kinesis, KINESIS, { region: 'us-east-1' }],
    ['namespace', SECRETS['event-hubs'], EVENT_HUBS, { namespace: 'others' }],
    ['project', SECRETS.pubsub, PUB_SUB, { project: 'other-project' }],
  ])('is another one with another %s', async (_, secret, source, change) => {
    const own = world();
    keep(own, secret);
    const { fetch } = own.runtime;
    Object.assign(own.runtime, {
      fetch: async (...asked: Parameters<typeof fetch>) => withoutAuth(await fetch(...asked)),
    });
    await own.run({ manifest: pulledManifest(source) });
    const before = position(own);
    expect((await own.run({ manifest: pulledManifest(source) })).status).toBe('SUCCEEDED');
    expect(changes(own, before)).toEqual([]);
    const { document } = await own.run({ manifest: pulledManifest({ ...source, ...change }), mode: 'plan' });
    expect(planned(document, 'base-connection')).toMatchObject({ action: 'replace' });
  });
});

/** The answer, without what the service knows of how connections are let in. */
async function withoutAuth(answer: FetchAnswer): Promise<FetchAnswer> {
  const response = answer as Response;
  const body = JSON.parse((await response.clone().text()) || '{}') as { items?: { auth?: unknown }[] };
  if (!Array.isArray(body.items)) return answer;
  const items = body.items.map(({ auth, ...item }) => item);
  return new Response(JSON.stringify({ ...body, items }), response);
}

describe('a request that says it holds the lease', () => {
  it.each([[{ leased: true }], [{ leased: true, manifest: {} }]])(
    'ends as any wrong one: %j',
    async (input) => {
      const own = world();
      const { status, error, cause } = await own.run(input);
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'PermanentFailure' });
      expect(cause).toContain('EVENT_INVALID');
      expect(holdings(own)).toEqual({});
    },
  );
});
