// Documents of a CloudWatch Logs subscription, in the form of AWS's page "Subscription filters with Kinesis Data Streams".
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PublishedFormat } from '../../../../lib/formats.ts';
import { kept, type Outcome, transforming } from '../../../support/transforming.ts';

const found = ({ sent, verdict }: Outcome) => sent ?? verdict;
const through = (options: Omit<PublishedFormat & { kind: 'cloudwatch-logs' }, 'kind'> = {}) =>
  transforming(undefined, { format: { kind: 'cloudwatch-logs', ...options } });

const EVENTS = [
  '{"id":"31953106606966983378809025079804211143289615424298221568","timestamp":1432826855000,"message":"START RequestId: 1"}',
  '{"id":"31953106606966983378809025079804211143289615424298221569","timestamp":1432826855001,"message":"{\\"eventVersion\\":\\"1.03\\",\\"n\\":9007199254740993}"}',
];
const AROUND =
  '"owner":"111111111111","logGroup":"CloudTrail/logs","logStream":"111111111111_CloudTrail/logs_us-east-1"';
const document = (events: readonly string[], type = 'DATA_MESSAGE') =>
  `{${AROUND},"subscriptionFilters":["Destination"],"messageType":"${type}","logEvents":[${events.join(',')}]}`;
const CONTROL = document(
  [
    '{"id":"","timestamp":1432826855000,"message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}',
  ],
  'CONTROL_MESSAGE',
);
const sentAs = (event: string) => event.replace('{', `{${AROUND},`);

describe('14 B: cloudwatch-logs', () => {
  it('makes a message of each log event, with owner, logGroup and logStream, and unpacks by itself', () => {
    const outcomes = through()(gzipSync(document(EVENTS)));
    expect(outcomes.map(found)).toEqual(EVENTS.map(sentAs));
    expect(outcomes.map(({ framed }) => framed?.message.subSequenceNumber)).toEqual([0, 1]);
    expect(through()(document(EVENTS)).map(found)).toEqual(EVENTS.map(sentAs));
  });

  it('passes over control messages, and counts them as filtered', () => {
    expect(through()(gzipSync(CONTROL)).map(found)).toEqual(['filtered']);
  });

  it('opens a message that is a JSON object where asked to, with its digits; others stay text', () => {
    const events = [
      ...EVENTS,
      ...['[1]', '7', '{broken', '{}'].map((message) => JSON.stringify({ message })),
    ];
    const outcomes = through({ message: 'json' })(gzipSync(document(events)));
    expect(outcomes.map((one) => found(one)?.replace(/^.*"message":/, ''))).toEqual([
      '"START RequestId: 1"}',
      '{"eventVersion":"1.03","n":9007199254740993}}',
      '"[1]"}',
      '"7"}',
      '"{broken"}',
      '{}}',
    ]);
  });

  it('leaves a text with half of a surrogate pair as it is: its bytes would be those of another text', () => {
    const half = '{"message":"{\\"a\\":\\"\\ud800\\"}"}';
    const outcomes = through({ message: 'json' })(gzipSync(document([half])));
    expect(outcomes.map(found)).toEqual([sentAs(half)]);
  });

  it('keeps what else an event has, as extracted and system fields are', () => {
    const event =
      '{"id":"1","timestamp":2,"message":"m","@aws.account":"111111111111","extractedFields":{"a":"b"}}';
    expect(through()(gzipSync(document([event]))).map(found)).toEqual([sentAs(event)]);
  });

  it('reads documents one after the other, as a delivery stream may join them', () => {
    const joined = [document(EVENTS.slice(0, 1)), '{"other":1}', CONTROL, document(EVENTS.slice(1))].join(
      '\n',
    );
    const outcomes = through()(gzipSync(joined));
    expect(outcomes.map(found)).toEqual([
      sentAs(EVENTS[0] as string),
      'not-cloudwatch-logs',
      'filtered',
      sentAs(EVENTS[1] as string),
    ]);
    expect(kept(outcomes[1]?.entry)).toBe('{"other":1}');
    expect(outcomes[1]?.entry).not.toHaveProperty('piece');
  });

  it.each([
    ['{"messageType":"DATA_MESSAGE"}', 'nothing-selected'],
    ['{"messageType":"OTHER","logEvents":[]}', 'not-cloudwatch-logs'],
    ['{"messageType":7}', 'not-cloudwatch-logs'],
    ['[]', 'not-cloudwatch-logs'],
    ['a log line', 'not-json'],
    ['', 'empty'],
  ])('rejects %s as a whole, with the packed bytes', (text, reason) => {
    const record = gzipSync(text);
    const outcomes = through()(record);
    expect(outcomes.map(found)).toEqual([reason]);
    expect(Buffer.from(outcomes[0]?.entry?.data ?? '', 'base64')).toEqual(record);
    expect(outcomes[0]?.entry).not.toHaveProperty('piece');
  });

  it('unpacks more than a single message may have, and holds to the bound of a record', () => {
    const filler = JSON.stringify({ message: 'x'.repeat(100_000) });
    const many = gzipSync(document(Array.from({ length: 60 }, () => filler)));
    expect(through()(many)).toHaveLength(60);
    const bomb = gzipSync(document(Array.from({ length: 700 }, () => filler)));
    expect(through()(bomb).map(found)).toEqual(['gzip-too-large']);
  });
});
