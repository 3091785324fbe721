// An inlet of moods, for properties that hold blocks against single messages.
import type { FetchInit } from '../../lib/aep/transport.ts';
import { MAX_REQUEST_BYTES } from '../../lib/forward/frame/body.ts';
import { type Answer, json, multi } from './inlet.ts';

/** What the inlet says of a message depends on the message, and on how often this inlet was asked. */
export function moody(): Answer {
  const asked = new Map<string, number>();
  return ({ url, text, messages }) => {
    const times = (asked.get(url + text) ?? 0) + 1;
    asked.set(url + text, times);
    if (text.includes('"down"') && times < 3) return json(503, { message: 'later' });
    if (text.includes('"failing"') && messages.length > 1) return json(500, { message: 'processing' });
    if (text.includes('"unclear"') && times < 2) return json(207, { responses: [] });
    return multi(
      messages.map((message, index) => {
        if (message.includes('"refused"')) return { status: 400, message: 'no such field' };
        if (message.includes('"never"')) return { status: 503, message: 'later' };
        return { xactionId: `1771000200000:3120:78:${index}` };
      }),
    );
  };
}

/** Whether a body is a block: these are in memory that requests use again. */
export function isBlockBody(body: FetchInit['body']): body is Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array && body.buffer.byteLength === MAX_REQUEST_BYTES;
}
