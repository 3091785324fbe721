// Enhanced fan-out: a trigger that reads through a consumer, which is made before it and removed after it, or is the manifest's own.
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../lib/manifest.ts';
import { STREAM_ARN, world } from '../../support/provisioning.ts';
import { actions, inletManifest, type Manifest, type World } from '../cases.ts';

const GIVEN = `${STREAM_ARN}/consumer/shop:1767225600`;

const reading = (source: object): Manifest =>
  inletManifest({ source: { kind: 'inlet', stream: 'customers', data: 'raw', ...source } });
const FAN_OUT = reading({ fanOut: true });
const BY_CONSUMER = reading({ stream: GIVEN });

const triggersOf = (own: World) =>
  [...own.triggers.all.values()].map(({ streamArn, consumerArn, state }) => ({
    streamArn,
    consumerArn,
    state,
  }));
const consumersOf = (own: World) => [...own.consumers.all.values()].map(({ arn }) => arn);

async function done(own: World, input: Record<string, unknown>) {
  const result = await own.run(input);
  expect(result.cause ?? '').toBe('');
  expect(result.status).toBe('SUCCEEDED');
  return result;
}

describe('B: enhanced fan-out', () => {
  it('"fanOut": true: the trigger’s consumer is made and removed with the trigger', async () => {
    const own = world();
    await done(own, { manifest: FAN_OUT });
    const [consumerArn] = consumersOf(own);
    expect(consumerArn).toContain(`${STREAM_ARN}/consumer/penstock-dev:`);
    expect(triggersOf(own)).toEqual([{ streamArn: STREAM_ARN, consumerArn, state: 'on' }]);
    const again = await done(own, { manifest: FAN_OUT });
    expect(actions(again.document)).toMatchObject({ trigger: 'keep', publish: 'keep' });
    await done(own, { manifest: FAN_OUT, mode: 'retire' });
    expect([triggersOf(own), consumersOf(own)]).toEqual([[], []]);
  });

  it('a consumer ARN as stream: the trigger reads through it, and it is left in place', async () => {
    const own = world();
    own.consumers.all.set('made by hand', { arn: GIVEN, looks: 1 });
    const { document } = await done(own, { manifest: BY_CONSUMER });
    expect(document.streamArn).toBe(STREAM_ARN);
    expect(triggersOf(own)).toEqual([{ streamArn: STREAM_ARN, consumerArn: GIVEN, state: 'on' }]);
    const published = JSON.parse(own.secrets.values.get('penstock/dev/streams/customers/people') ?? '{}');
    expect(published.streamArn).toBe(STREAM_ARN);
    await done(own, { manifest: BY_CONSUMER, mode: 'retire' });
    expect([triggersOf(own), consumersOf(own)]).toEqual([[], [GIVEN]]);
  });

  it.each([
    ['a consumer for a trigger that reads the stream', reading({}), FAN_OUT],
    ['the stream for a trigger that reads through a consumer', FAN_OUT, reading({})],
    ['another consumer', FAN_OUT, BY_CONSUMER],
  ])('%s is a conflict of the plan: Lambda cannot change what a trigger reads', async (_, before, after) => {
    const own = world();
    await done(own, { manifest: before });
    const was = [triggersOf(own), consumersOf(own)];
    const { status, error, cause } = await own.run({ manifest: after });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Penstock.Conflict' });
    expect(cause).toContain('Lambda cannot change what a trigger reads');
    expect([triggersOf(own), consumersOf(own)]).toEqual(was);
  });

  it('14 A 1: pipelines of one stream share the consumer: a conflict names both, and it goes with the last', async () => {
    const own = world();
    await done(own, { manifest: FAN_OUT });
    const refused = await own.run({ manifest: { ...reading({}), name: 'second' } });
    expect(refused.error).toBe('Penstock.Conflict');
    expect(refused.cause).toContain('second, people have one trigger: ');
    const second = { ...FAN_OUT, name: 'second' };
    await done(own, { manifest: second });
    const consumers = consumersOf(own);
    expect(consumers).toHaveLength(1);
    await done(own, { manifest: FAN_OUT, mode: 'retire' });
    expect(consumersOf(own)).toEqual(consumers);
    expect(triggersOf(own)).toMatchObject([{ consumerArn: consumers[0], state: 'on' }]);
    await done(own, { manifest: second, mode: 'retire' });
    expect([triggersOf(own), consumersOf(own)]).toEqual([[], []]);
  });

  it('with "fanOut", a function that dies between consumer and trigger is tried again, and registers no second one', async () => {
    const own = world();
    const calls: string[] = [];
    const { status } = await own.run(
      { manifest: FAN_OUT },
      {
        kill: 'trigger',
        intercept: (call, proceed) => {
          if (/^(consumers|triggers)\.(register|create)/.test(call.label))
            calls.push(call.label.split(' ')[0] ?? '');
          return proceed();
        },
      },
    );
    expect(status).toBe('SUCCEEDED');
    expect(calls).toEqual(['consumers.register', 'triggers.create']);
    expect(triggersOf(own)).toEqual([
      { streamArn: STREAM_ARN, consumerArn: consumersOf(own)[0], state: 'on' },
    ]);
  });

  it('what is undone leaves no consumer behind', async () => {
    const own = world();
    Object.assign(own.runtime.triggers, {
      create: () =>
        Promise.reject(Object.assign(new Error('refused for good'), { name: 'PermanentFailure' })),
    });
    const { error } = await own.run({ manifest: FAN_OUT });
    expect(error).toBe('Penstock.RolledBack');
    expect([triggersOf(own), consumersOf(own)]).toEqual([[], []]);
  });

  it('"fanOut" beside a consumer ARN is a mistake', () => {
    expect(() => parseManifest(reading({ stream: GIVEN, fanOut: true }))).toThrow(
      'source.fanOut: not allowed, because source.stream is a consumer already',
    );
  });
});
