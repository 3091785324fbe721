// What Lambda makes of a function's answer to a Kinesis batch, shape by shape.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatchResponse } from '../../../local/aws/batch-response.ts';
import { failure } from '../../../local/aws/function-errors.ts';
import { settledBy } from '../../support/checkpoint-oracle.ts';

// 56 digits, alike in the first 50: as Numbers they are all equal.
const base = '49590338271490256608559692538361571095921575989136588';
const [s1, s2, s3, s4] = ['801', '802', '899', '900'].map((end) => base + end) as [
  string,
  string,
  string,
  string,
];
const batch = [s1, s2, s3, s4];
const read = (ok: unknown) => readBatchResponse({ ok }, batch, true);
const items = (...ids: unknown[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

describe('full success', () => {
  // Recorded against AWS by LocalStack (test_lambda_integration_kinesis.snapshot.json), except the last two, which follow from the outer key failing open.
  it.each([
    ['an empty string', ''],
    ['an empty list', []],
    ['null', null],
    ['an empty object', {}],
    ['no failures', { batchItemFailures: [] }],
    ['null failures', { batchItemFailures: null }],
    ['a misspelt outer key', { batchItemFailure: [{ itemIdentifier: s1 }] }],
    ['something else altogether', { statusCode: 500 }],
  ])('%s', (_, response) => {
    expect(read(response)).toEqual({ kind: 'delivered' });
  });
});

describe('failure of the whole batch', () => {
  it.each([
    ['an empty identifier', items('')],
    ['a null identifier', items(null)],
    ['a number', items(801)],
    ['a misnamed inner key', { batchItemFailures: [{ foo: s2 }] }],
    ['an identifier from elsewhere', items('unknown')],
    ['a bad identifier beside a good one', items(s3, 'unknown')],
    ['a null item', { batchItemFailures: [null] }],
    ['failures that are no list', { batchItemFailures: { itemIdentifier: s2 } }],
    ['text', 'OK'],
    ['a number as response', 200],
    ['a list with something in it', [s2]],
  ])('%s', (_, response) => {
    expect(read(response)).toMatchObject({ kind: 'redeliver', from: 0 });
  });

  it.each([
    failure('handled', 'TypeError', 'bad'),
    failure('timeout', 'Sandbox.Timedout', 'Task timed out after 3.00 seconds'),
    failure('exit', 'Runtime.ExitError', 'exit status 1'),
    failure('throttled', 'TooManyRequestsException', 'Rate Exceeded.'),
  ])('$error.errorType', (result) => {
    expect(readBatchResponse(result, batch, true)).toMatchObject({ kind: 'redeliver', from: 0 });
    expect(readBatchResponse(result, batch, false)).toMatchObject({ kind: 'redeliver', from: 0 });
  });
});

describe('partial success', () => {
  it.each([
    ['one identifier', [s3], 2],
    ['the last one', [s4], 3],
    ['the first one', [s1], 0],
    ['several, the lowest counts', [s4, s2, s3], 1],
    ['neighbours that only differ in the last digit', [s2, s1], 0],
    ['the same one twice', [s3, s3], 2],
  ])('%s', (_, ids, from) => {
    expect(read(items(...ids))).toMatchObject({ kind: 'redeliver', from });
  });

  it('compares by value, not by text', () => {
    const numbers = ['9', '10', '100'];
    expect(readBatchResponse({ ok: items('100', '9') }, numbers, true)).toMatchObject({ from: 0 });
    expect(readBatchResponse({ ok: items('100', '10') }, numbers, true)).toMatchObject({ from: 1 });
  });
});

it('ignores the returned value when the mapping does not ask for item failures', () => {
  for (const response of [items(s2), items('unknown'), 'OK', null]) {
    expect(readBatchResponse({ ok: response }, batch, false)).toEqual({ kind: 'delivered' });
  }
});

it('never acknowledges a record that was reported, whatever else the function returns', () => {
  fc.assert(
    fc.property(fc.subarray(batch, { minLength: 1 }), fc.array(fc.jsonValue()), (failed, noise) => {
      const list = [...failed.map((itemIdentifier) => ({ itemIdentifier })), ...noise];
      const verdict = read({ batchItemFailures: list });
      const acknowledged = verdict.kind === 'delivered' ? batch : batch.slice(0, verdict.from);
      expect(acknowledged.filter((id) => failed.includes(id))).toEqual([]);
    }),
  );
});

it('reads every answer as a second implementation does that shares no code with it', () => {
  const identifier = fc.oneof(
    fc.constantFrom<unknown>(...batch),
    fc.constantFrom<unknown>('', null, 801, 'unknown', s1.slice(1)),
  );
  const item = fc.oneof(
    { weight: 5, arbitrary: fc.record({ itemIdentifier: identifier }) },
    fc.record({ foo: identifier }),
    fc.jsonValue(),
  );
  const list = fc.oneof({ weight: 4, arbitrary: fc.array(item, { maxLength: 4 }) }, fc.jsonValue());
  const answers = fc.oneof(
    { weight: 4, arbitrary: fc.record({ batchItemFailures: list }) },
    fc.constantFrom<unknown>('', [], null, {}),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(answers, (answer) => {
      const verdict = read(answer);
      const settled = verdict.kind === 'delivered' ? batch.length : verdict.from;
      expect(settled).toBe(settledBy(batch, JSON.stringify(answer)));
    }),
    { numRuns: 2000 },
  );
});
