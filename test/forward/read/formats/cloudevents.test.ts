// CloudEvents in structured mode, in the form of the specification's JSON format, written anew.
import { describe, expect, it } from 'vitest';
import { throughPreset } from '../../../support/presets.ts';
import { kept, transforming } from '../../../support/transforming.ts';

const event = (members: string, id = 'A234-1234-1234') =>
  `{"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","id":"${id}","time":"2026-04-05T17:31:00Z",${members}}`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const added = (body: string, id = 'A234-1234-1234') =>
  body.replace('{', `{"_id":"${id}","timestamp":"2026-04-05T17:31:00.000Z",`);

const through = throughPreset({ format: 'cloudevents' });

describe('14 B: cloudevents', () => {
  it('sends the data with the id and the time of the event', () => {
    expect(through(event('"datacontenttype":"application/json","data":{"appinfoA":"abc","n":1.50}'))).toEqual(
      [added('{"appinfoA":"abc","n":1.50}')],
    );
  });

  it('opens data in base64 that is a JSON object, with its digits', () => {
    expect(through(event(`"data_base64":"${base64('{"n":9007199254740993}')}"`))).toEqual([
      added('{"n":9007199254740993}'),
    ]);
    expect(through(event(`"data_\\u0062ase64":"${base64('{"n":1}')}"`))).toEqual(['nothing-selected']);
  });

  it('takes a batch apart, with a place for each, so that a bad one harms no other', () => {
    const batch = `[${event('"data":{"n":1}', 'a')},${event('"data":"text"', 'b')},7,${event(`"data_base64":"${base64('{"n":2}')}"`, 'c')}]`;
    expect(through(batch)).toEqual([
      added('{"n":1}', 'a'),
      'not-an-object',
      'nothing-selected',
      added('{"n":2}', 'c'),
    ]);
    const places = transforming({ select: '/data' }, { format: { kind: 'cloudevents' } })(batch);
    expect(places.map(({ framed, entry }) => (framed?.message ?? entry)?.subSequenceNumber)).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it.each([
    ['no base64', event('"data_base64":"!"')],
    ['no JSON in it', event(`"data_base64":"${base64('PNG')}"`)],
    ['no object in it', event(`"data_base64":"${base64('[1]')}"`)],
    ['nothing in it', event('"data_base64":""')],
    ['no text', event('"data_base64":7')],
    ['no data', event('"subject":"data_base64"')],
  ])('rejects an event whose data cannot be sent, alone: %s', (_, record) => {
    expect(through(`[${record},${event('"data":{}')}]`)).toEqual([
      'nothing-selected',
      added('{}').replace(',}', '}'),
    ]);
  });

  it.each([
    ['', 'empty'],
    ['[', 'not-json'],
    ['[] []', 'not-json'],
    ['{"data_base64":', 'not-json'],
  ])('rejects %j as a whole: %s', (record, reason) => {
    expect(through(record)).toEqual([reason]);
  });

  it('keeps nothing in the dead-letter store that redaction hides in the data, though it came as base64', () => {
    const records = { redact: [{ field: '/data/email', action: 'mask' }], select: '/other' };
    const read = transforming(records, { format: { kind: 'cloudevents' } });
    const [outcome] = read(event(`"data_base64" : "${base64('{"email":"a@example.com"}')}" `));
    expect(outcome?.verdict).toBe('nothing-selected');
    const stored = JSON.parse(kept(outcome?.entry)) as object;
    expect(stored).toMatchObject({ id: 'A234-1234-1234', data: { email: '***' } });
    expect(stored).not.toHaveProperty('data_base64');
  });

  it('has no messages in an empty batch', () => {
    expect(through('[]')).toEqual([]);
  });
});
