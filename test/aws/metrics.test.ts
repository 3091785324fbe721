import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMetrics } from '../../lib/aws/metrics.ts';
import { world } from '../support/forwarding.ts';
import { acknowledgeBut, fakeInlet } from '../support/inlet.ts';

// What CloudWatch reads: one JSON object a line, in embedded metric format.

interface Line {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

let written = '';

beforeEach(() => {
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

const lines = (): Line[] =>
  written
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
const values = (name: string) => lines().flatMap((line) => (name in line ? [line[name]].flat() : []));

describe('metrics', () => {
  it('are one line an invocation, with the dimensions that are paid for and no other', () => {
    const metrics = createMetrics('dev');
    metrics.count('RecordsReceived', 2);
    metrics.count('RecordsReceived', 3);
    metrics.measure('RequestMs', 20, 'Milliseconds');
    metrics.measure('RequestMs', 30, 'Milliseconds');
    metrics.flush({ pipeline: 'customers' });
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatchObject({
      service: 'penstock',
      stage: 'dev',
      pipeline: 'customers',
      RecordsReceived: 5,
      RequestMs: [20, 30],
    });
    const [described] = lines()[0]?._aws.CloudWatchMetrics ?? [];
    expect(described).toMatchObject({
      Namespace: 'Penstock',
      Dimensions: [
        ['service', 'stage', 'pipeline'],
        ['service', 'stage'],
      ],
    });
    expect(described?.Metrics).toEqual([
      { Name: 'RecordsReceived', Unit: 'Count' },
      { Name: 'RequestMs', Unit: 'Milliseconds' },
    ]);
  });

  it('say of what is counted by reason how many in all, and by each reason', () => {
    const metrics = createMetrics('dev');
    for (const reason of ['not-json', 'refused', 'not-json']) metrics.count('RecordsRejected', 1, reason);
    metrics.flush({ pipeline: 'customers' });
    const of = (reason: string | undefined) => lines().filter((line) => line.reason === reason);
    expect(of('not-json')).toMatchObject([
      { RecordsRejected: 2, pipeline: 'customers', stage: 'dev' },
      { RecordsRejected: 2, stage: 'dev' },
    ]);
    expect(of('refused')).toMatchObject([{ RecordsRejected: 1 }, { RecordsRejected: 1 }]);
    expect(of(undefined)).toMatchObject([{ RecordsRejected: 3 }]);
    expect(of('refused').map((line) => line._aws.CloudWatchMetrics[0]?.Dimensions)).toEqual([
      [['service', 'stage', 'pipeline', 'reason']],
      [['service', 'stage', 'reason']],
    ]);
  });

  it('of more requests than a line takes keep every value and its dimensions', () => {
    const metrics = createMetrics('dev');
    metrics.count('Requests', 1_234);
    for (let n = 0; n < 1_234; n++) {
      metrics.measure('RequestMs', n, 'Milliseconds');
      metrics.measure('RequestBytes', n, 'Bytes');
    }
    metrics.flush({ pipeline: 'customers' });
    expect(values('RequestMs')).toEqual(Array.from({ length: 1_234 }, (_, n) => n));
    expect(values('RequestBytes')).toHaveLength(1_234);
    expect(values('Requests')).toEqual([1_234]);
    for (const line of lines()) {
      expect(line.pipeline).toBe('customers');
      expect(line._aws.CloudWatchMetrics[0]?.Dimensions).toContainEqual(['service', 'stage']);
      expect([line.RequestMs].flat().length).toBeLessThanOrEqual(100);
    }
  });

  it('of one invocation are not those of the next', () => {
    const metrics = createMetrics('dev');
    metrics.count('RecordsReceived', 1);
    metrics.count('RecordsRejected', 1, 'refused');
    metrics.flush({ pipeline: 'one' });
    written = '';
    metrics.count('RecordsReceived', 2);
    metrics.flush({ pipeline: 'two' });
    expect(lines()).toMatchObject([{ RecordsReceived: 2, pipeline: 'two' }]);
    expect(written).not.toContain('RecordsRejected');
    expect(written).not.toContain('one');
  });
});

describe('an invocation', () => {
  it('counts what came and what became of it, by class, and how long and large its requests were', async () => {
    const inlet = fakeInlet(
      acknowledgeBut((text) => (text.includes('"n":3') ? { status: 400, message: 'no' } : undefined)),
    );
    const metrics = createMetrics('dev');
    const w = world({ inlet, metrics, published: { authenticationRequired: true } });
    await w.run(['{"n":1}', '{"n":2}', '{"n":3}', 'not JSON', '{}']);
    const whole = lines().find((line) => line.reason === undefined);
    expect(whole).toMatchObject({
      RecordsReceived: 5,
      RecordsAcknowledged: 3,
      RecordsAcknowledgedBefore: 0,
      RecordsFiltered: 0,
      RecordsRejected: 2,
      RecordsReturned: 0,
      Requests: 1,
      Retries: 0,
      TokensIssued: 1,
      ConservationDifference: 0,
      RequestMessages: expect.anything(),
      RequestBytes: expect.anything(),
      RequestMs: expect.anything(),
      ArrivalToAcceptedMs: expect.anything(),
    });
    expect(
      lines().filter(({ reason, pipeline }) => reason !== undefined && pipeline !== undefined),
    ).toMatchObject([
      { reason: expect.stringMatching(/refused|not-json/), RecordsRejected: 1 },
      { reason: expect.stringMatching(/refused|not-json/), RecordsRejected: 1 },
    ]);
  });
});
