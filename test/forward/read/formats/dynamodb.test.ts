// Kinesis Data Streams for DynamoDB: records in the form of AWS's page, written anew, and every type of attribute.
import { describe, expect, it } from 'vitest';
import { throughPreset } from '../../../support/presets.ts';
import { kept, transforming } from '../../../support/transforming.ts';

const record = (eventName: string, images: string) =>
  `{"awsRegion":"us-east-1","eventID":"d0ba1c2c-5a2c-4b9b-8a0b-3f1e9d0c7a11","eventName":"${eventName}","userIdentity":null,"recordFormat":"application/json","tableName":"Music","dynamodb":{"ApproximateCreationDateTime":1767225600123456,"Keys":{"id":{"S":"7"}},${images}"SizeBytes":119,"ApproximateCreationDateTimePrecision":"MICROSECOND"},"eventSource":"aws:dynamodb"}`;

const whole = (text: string) => transforming({}, { format: { kind: 'dynamodb' } })(text)[0];
/** What a typed attribute becomes. */
const plain = (typed: string) =>
  whole(record('INSERT', `"NewImage":{"a":${typed}},`))?.sent?.match(
    /"NewImage":\{"a":(.*)\},"SizeBytes/,
  )?.[1];

describe('14 B: dynamodb', () => {
  it('sends the new item with the operation; what is deleted is kept, or applied by what is told', () => {
    const image = '{"id":{"S":"7"},"points":{"N":"12.50"}}';
    const stream = [
      record('INSERT', `"NewImage":${image},`),
      record('MODIFY', `"NewImage":${image},"OldImage":{"id":{"S":"7"}},`),
      record('REMOVE', `"OldImage":${image},`),
      record('REMOVE', '"OldImage":null,'),
      record('OTHER', ''),
    ];
    const written = Array(2).fill('merge {"id":"7","points":12.50}');
    const through = (deletes: string) => throughPreset({ format: { kind: 'dynamodb', deletes } })(...stream);
    expect(throughPreset({ format: 'dynamodb' })(...stream)).toEqual([
      ...written,
      'deletion',
      'deletion',
      'filtered',
    ]);
    expect(through('drop')).toEqual([...written, 'filtered', 'filtered', 'filtered']);
    expect(through('apply')).toEqual([
      ...written,
      'delete {"id":"7","points":12.50}',
      // Of a stream of keys alone, or a deletion without its image, the key is what identifies.
      'delete {"id":"7"}',
      'filtered',
    ]);
  });

  it.each([
    ['{"S":"a\\u00e9\\"\\ud83d"}', '"aé\\"\\ud83d"'],
    ['{"N":"12345678901234567890123456789012345678"}', '12345678901234567890123456789012345678'],
    ['{"N":"-1.5E-127"}', '-1.5E-127'],
    ['{"N":"10.00"}', '10.00'],
    ['{"BOOL":false}', 'false'],
    ['{"NULL":true}', 'null'],
    ['{"B":"aGVsbG8="}', '"aGVsbG8="'],
    ['{"SS":["x","y"]}', '["x","y"]'],
    ['{"NS":["1","2.0"]}', '[1,2.0]'],
    ['{"BS":["aA=="]}', '["aA=="]'],
    ['{"L":[{"S":"x"},{"L":[]},{"N":"1"}]}', '["x",[],1]'],
    ['{"M":{"__proto__":{"S":"x"},"n":{"M":{}}}}', '{"__proto__":"x","n":{}}'],
  ])('makes %s plain: %s', (typed, wanted) => {
    expect(plain(typed)).toBe(wanted);
  });

  it('leaves every other byte as it is, and items that are null', () => {
    const text = record('REMOVE', ' "OldImage" : null, ');
    expect(whole(text)?.sent).toBe(text.replace('{"id":{"S":"7"}}', '{"id":"7"}'));
  });

  it.each([
    ['{"N":"1,5"}', ''],
    ['{"N":"NaN"}', ''],
    ['{"N":7}', ''],
    ['{"S":7}', ''],
    ['{"BOOL":"true"}', ''],
    ['{"S":"x","N":"1"}', ''],
    ['{}', ''],
    ['{"X":"x"}', ''],
    ['"x"', ''],
    ['{"L":{}}', ''],
    ['{"NS":["1","x"]}', '/1'],
    ['{"M":{"deep":{"L":[{"S":"y"},{"S":null}]}}}', '/deep/1'],
    ['{"M":{"a/b":{"M":{"~":{"N":"x"}}}}}', '/a~1b/~0'],
    ['{"toString":"x"}', ''],
  ])('rejects an item with %s, keeps the record whole, and names the attribute', (typed, path) => {
    const text = record('INSERT', `"NewImage":{"a":${typed}},`);
    expect(whole(text)?.verdict).toBe('not-dynamodb');
    expect(kept(whole(text)?.entry)).toBe(text);
    expect(whole(text)?.entry?.message).toBe(
      `NewImage is not in DynamoDB's typed JSON: /dynamodb/NewImage/a${path}`,
    );
  });

  it('names no attribute where the record is redacted: its names may be data too', () => {
    const redact = [{ field: '/dynamodb/NewImage/friends', action: 'drop' }];
    const text = record('INSERT', '"NewImage":{"friends":{"M":{"ana@example.com":{"N":"x"}}}},');
    const [found] = transforming({ redact }, { format: { kind: 'dynamodb' } })(text);
    expect(found?.entry).toMatchObject({
      reason: 'not-dynamodb',
      withheld: true,
      message: "NewImage is not in DynamoDB's typed JSON",
    });
  });

  it('names the beginning of a path that is too long', () => {
    const name = 'n'.repeat(300);
    const { message = '' } = whole(record('INSERT', `"NewImage":{"${name}":{}},`))?.entry ?? {};
    expect(message.endsWith(`${'n'.repeat(100)}…`)).toBe(true);
    expect(message.length).toBeLessThan(250);
  });

  it.each([
    ['', 'empty'],
    ['no', 'not-json'],
    ['[]', 'not-dynamodb'],
    ['null', 'not-dynamodb'],
    ['{"dynamodb":[]}', 'not-dynamodb'],
    ['{"dynamodb":{"NewImage":[]}}', 'not-dynamodb'],
    [`{"dynamodb":{"NewImage":{"a":${'{"M":{"a":'.repeat(300)}{"S":"x"}${'}}'.repeat(300)}}}}`, 'too-deep'],
  ])('rejects %s: %s', (text, reason) => {
    expect(whole(text)?.verdict).toBe(reason);
  });
});
