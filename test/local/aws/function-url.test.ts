import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { InvocationResult } from '../../../local/aws/function-errors.ts';
import { type FunctionUrl, startFunctionUrl } from '../../../local/aws/function-url.ts';

// A function's URL, as https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html describes it.

interface UrlEvent {
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: { readonly http: { readonly method: string; readonly path: string } };
  readonly rawQueryString: string;
}

let open: FunctionUrl | undefined;
afterEach(() => open?.close());

async function serving(
  result: InvocationResult = { ok: { statusCode: 202, headers: { a: 'b' }, body: '{}' } },
) {
  const events: UrlEvent[] = [];
  open = await startFunctionUrl(async (event) => {
    events.push(event as UrlEvent);
    return result;
  });
  return { url: open.url, events };
}

describe("a function's URL", () => {
  it('makes an event of a request, and an answer of the result', async () => {
    const { url, events } = await serving();
    const headers = { 'Content-Type': 'application/json', 'X-Test': 'é' };
    const answer = await fetch(`${url}hook?x=1`, { method: 'POST', headers, body: '{"é":1}' });
    expect([answer.status, answer.headers.get('a'), await answer.text()]).toEqual([202, 'b', '{}']);
    expect(events[0]).toMatchObject({
      body: '{"é":1}',
      isBase64Encoded: false,
      rawQueryString: 'x=1',
      requestContext: { http: { method: 'POST', path: '/hook' } },
      headers: { 'content-type': 'application/json' },
    });
  });

  it('passes a binary body as base64', async () => {
    const { url, events } = await serving();
    const body = Buffer.from([0xff, 0x00, 0x7b]);
    await fetch(url, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body });
    await fetch(url, { method: 'POST', body });
    for (const event of events)
      expect([event.isBase64Encoded, event.body]).toEqual([true, body.toString('base64')]);
    expect(events).toHaveLength(2);
  });

  it('joins a header that comes twice, and puts the parts of a body together', async () => {
    const { url, events } = await serving();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Hub-Signature-256: a\r\nx-hub-signature-256: b\r\n' +
        'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n1\r\n \r\n0\r\n\r\n',
    );
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect(events[0]?.headers['x-hub-signature-256']).toBe('a,b');
    expect(events[0]?.body).toBe('{} ');
  });

  it('answers a failed function with no details, and refuses more bytes than Lambda takes', async () => {
    const { url, events } = await serving({
      kind: 'handled',
      error: { errorType: 'Error', errorMessage: 'canary', trace: [] },
    });
    const answer = await fetch(url, { method: 'POST', body: '' });
    expect([answer.status, await answer.text()]).toEqual([502, '{"Message":"Internal Server Error"}']);
    const large = await fetch(url, { method: 'POST', body: Buffer.alloc(6 * 1024 * 1024 + 1) });
    expect(large.status).toBe(413);
    expect(events).toHaveLength(1);
  });
});
