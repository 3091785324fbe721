import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { github } from '../../lib/hook/senders/github.ts';
import { standardWebhooks } from '../../lib/hook/senders/standard-webhooks.ts';
import {
  bodyOf,
  fromGithub,
  GITHUB_KEY,
  githubSignature,
  hookWorld,
  NOW,
  PREVIOUS_GITHUB_KEY,
  PREVIOUS_STANDARD_KEY,
  request,
  STANDARD_KEY,
  standard,
  standardHeaders,
} from '../support/hooks.ts';

// Whose delivery is let in. Everybody else gets one and the same answer, and nothing is started.

const BODY = '{"pipeline": "clicks"}';
const signed = { 'x-hub-signature-256': githubSignature(BODY) };

async function refused(event: unknown, status = 401) {
  const own = hookWorld();
  const answer = await own.send(event);
  expect(answer.statusCode).toBe(status);
  if (status === 401) expect(answer.body).toBe('{"error":"unauthorized"}');
  expect(own.executions.list()).toEqual([]);
  expect(own.logged.join()).not.toContain('clicks');
  return answer;
}

describe('a delivery that is let in', () => {
  it.each([
    ['GitHub, by its key', fromGithub(BODY)],
    ['GitHub, by the key before it', fromGithub(BODY, { key: PREVIOUS_GITHUB_KEY })],
    ['Standard Webhooks, by its key', standard(BODY)],
    ['Standard Webhooks, by the key before it', standard(BODY, { key: PREVIOUS_STANDARD_KEY })],
    ['one with its body in base64', request(Buffer.from(BODY), signed)],
    [
      'one with names of headers in capitals',
      request(BODY, { 'X-Hub-Signature-256': githubSignature(BODY) }),
    ],
    ['299 s old', standard(BODY, { at: NOW / 1_000 - 299 })],
    ['300 s old', standard(BODY, { at: NOW / 1_000 - 300 })],
    ['300 s ahead', standard(BODY, { at: NOW / 1_000 + 300 })],
    ['with a charset', request(BODY, { ...signed, 'content-type': 'Application/JSON; charset=utf-8' })],
  ])('%s', async (_, event) => {
    const own = hookWorld();
    expect(await own.send(event)).toMatchObject({ statusCode: 202 });
    expect(own.executions.list()).toHaveLength(1);
  });

  it('is signed over its bytes, whatever they are', async () => {
    const text = '{"pipeline": "clicks", "id": "\\u00e9"}';
    const own = hookWorld();
    expect(await own.send(fromGithub(text))).toMatchObject({ statusCode: 400 });
    const bytes = Buffer.from('{"pipeline":"clicks" }\u2003'.replace('\u2003', '\n'));
    const headers = { 'x-hub-signature-256': githubSignature(bytes) };
    expect(await own.send(request(bytes, headers))).toMatchObject({ statusCode: 202 });
  });

  it('may be signed with several keys, the right one among them', async () => {
    const right = standardHeaders(BODY);
    const wrong = `v1,${Buffer.alloc(32, 1).toString('base64')}`;
    for (const signature of [
      `${wrong} ${right['webhook-signature']}`,
      `v1a,${Buffer.alloc(64).toString('base64')} ${right['webhook-signature']} ${wrong}`,
    ]) {
      const own = hookWorld();
      const event = request(BODY, { ...right, 'webhook-signature': signature });
      expect(await own.send(event)).toMatchObject({ statusCode: 202 });
    }
  });

  it('has a key of any letters', async () => {
    const key = 'fäke-kéy-🔑-0123456789';
    const own = hookWorld({ secret: { github: { key } } });
    expect(await own.send(fromGithub(BODY, { key }))).toMatchObject({ statusCode: 202 });
  });
});

describe('B 46: no signature, or none that is one', () => {
  it.each([
    ['none', {}],
    ['an empty one', { 'x-hub-signature-256': '' }],
    ['without its scheme', { 'x-hub-signature-256': githubSignature(BODY).slice(7) }],
    ['of another scheme', { 'x-hub-signature-256': githubSignature(BODY).replace('sha256', 'sha1') }],
    ['the old header of GitHub', { 'x-hub-signature': githubSignature(BODY) }],
    ['two of them, joined', { 'x-hub-signature-256': `${githubSignature(BODY)}, ${githubSignature(BODY)}` }],
    ['two of them, in two cases', { ...signed, 'X-HUB-SIGNATURE-256': githubSignature(BODY) }],
    ['of another key', { 'x-hub-signature-256': githubSignature(BODY, 'fake-other-key-0123456789') }],
    ['of another body', { 'x-hub-signature-256': githubSignature(`${BODY} `) }],
    ['with a blank around', { 'x-hub-signature-256': ` ${githubSignature(BODY)}` }],
    ['with a line break behind', { 'x-hub-signature-256': `${githubSignature(BODY)}\n` }],
    ['of two senders', { ...signed, ...standardHeaders(BODY) }],
    ['of no sender that is known', { 'x-signature': githubSignature(BODY) }],
  ])('B 46: %s', async (_, headers) => {
    await refused(request(BODY, headers));
  });

  it('B 46: one by the empty key, where a sender has none', async () => {
    const own = hookWorld({ secret: { standardWebhooks: { key: STANDARD_KEY } } });
    expect(await own.send(request(BODY, { 'x-hub-signature-256': githubSignature(BODY, '') }))).toMatchObject(
      {
        statusCode: 401,
      },
    );
    expect(own.logged.join()).toContain('"why":"no key"');
  });

  it('B 46: no body at all', async () => {
    await refused(
      request(undefined, { 'x-hub-signature-256': githubSignature('', 'fake-other-key-0123456789') }),
    );
    await refused({ requestContext: { http: { method: 'POST' } } }, 415);
  });
});

describe('B 47: a signature that is no hex', () => {
  const hex = githubSignature(BODY).slice(7);
  it.each([
    ['in capitals', hex.toUpperCase()],
    ['of odd length', hex.slice(0, -1)],
    ['shorter by a byte', hex.slice(0, -2)],
    ['longer by a byte', `${hex}00`],
    ['of 1 MB', 'a'.repeat(1_000_000)],
    ['with a letter too many', `g${hex.slice(1)}`],
    ['of wide digits', hex.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))],
  ])('B 47: %s', async (_, signature) => {
    await refused(request(BODY, { 'x-hub-signature-256': `sha256=${signature}` }));
  });

  it.each([
    ['no base64', 'v1,***'],
    ['base64 for the web', `v1,${Buffer.alloc(32, 255).toString('base64url')}`],
    ['without a version', standardHeaders(BODY)['webhook-signature'].slice(3)],
    ['of another version', standardHeaders(BODY)['webhook-signature'].replace('v1', 'v2')],
    ['of 1 MB', `v1,${'A'.repeat(1_000_000)}`],
    [
      'two headers, joined',
      `${standardHeaders(BODY)['webhook-signature']},${standardHeaders(BODY)['webhook-signature']}`,
    ],
    [
      'the right one behind a hundred others',
      `${'v1,x '.repeat(100)}${standardHeaders(BODY)['webhook-signature']}`,
    ],
  ])('B 47: Standard Webhooks, %s', async (_, signature) => {
    await refused(request(BODY, { ...standardHeaders(BODY), 'webhook-signature': signature }));
  });
});

describe('B 48: the bytes that were signed, and no others', () => {
  it.each([
    ['written anew', JSON.stringify(JSON.parse(BODY))],
    ['with a byte order mark', `\uFEFF${BODY}`],
    ['with a line break', `${BODY}\n`],
  ])('B 48: %s', async (_, body) => {
    await refused(request(body, signed));
    await refused(request(body, standardHeaders(BODY)));
  });
});

describe('B 49: base64 where there is none', () => {
  it('B 49: said to be base64, and plain', async () => {
    await refused(request(BODY, signed, { isBase64Encoded: true }));
  });

  it('B 49: said to be plain, and base64', async () => {
    await refused(request(Buffer.from(BODY), signed, { isBase64Encoded: false }));
  });
});

describe('B 50: the time of Standard Webhooks', () => {
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['no number', 'NaN'],
    ['infinite', 'Infinity'],
    ['negative', `-${NOW / 1_000}`],
    ['in hex', `0x${(NOW / 1_000).toString(16)}`],
    ['with an exponent', '1.7956e9'],
    ['with a fraction', `${NOW / 1_000}.0`],
    ['with a blank', ` ${NOW / 1_000}`],
    ['in milliseconds', String(NOW)],
    ['a date', new Date(NOW).toISOString()],
    ['301 s old', String(NOW / 1_000 - 301)],
    ['301 s ahead', String(NOW / 1_000 + 301)],
    ['twice', `${NOW / 1_000},${NOW / 1_000}`],
  ])('B 50: %s', async (_, at) => {
    const { 'webhook-timestamp': __, ...rest } = standardHeaders(BODY, { at: at as unknown as number });
    await refused(request(BODY, { ...rest, ...(at !== undefined && { 'webhook-timestamp': at }) }));
  });

  it('B 50: another time than the one that was signed', async () => {
    await refused(request(BODY, { ...standardHeaders(BODY), 'webhook-timestamp': String(NOW / 1_000 - 1) }));
  });
});

describe('B 51: the id of Standard Webhooks', () => {
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['with dots', 'msg.1'],
    ['of 10 KB', 'x'.repeat(10_000)],
    ['with a blank', 'msg 1'],
    ['with letters beyond ASCII', 'msg_é'],
    ['with a control character', 'msg\u0000'],
  ])('B 51: %s', async (_, id) => {
    const { 'webhook-id': __, ...rest } = standardHeaders(BODY, { id: id ?? '' });
    await refused(request(BODY, { ...rest, ...(id !== undefined && { 'webhook-id': id }) }));
  });

  it('B 51: another id than the one that was signed', async () => {
    await refused(request(BODY, { ...standardHeaders(BODY), 'webhook-id': 'msg_2' }));
  });
});

describe('B 52: what is no delivery', () => {
  it.each(['GET', 'PUT', 'OPTIONS', 'HEAD', 'DELETE', 'PATCH', 'post'])('B 52: %s', async (method) => {
    const answer = await refused(request(BODY, signed, { method }), 405);
    expect(answer.headers.allow).toBe('POST');
  });

  it.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/jsonp',
    '',
    'multipart/form-data',
  ])('B 52: of type %j', async (type) => {
    await refused(request(BODY, { ...signed, 'content-type': type }), 415);
  });
});

describe('B 53: a body that is too large, or not a request', () => {
  const padded = (bytes: number) => `{"pipeline": "clicks"${' '.repeat(bytes - 22)}}`;

  it('B 53: 64 KB are taken, one byte more is not, whatever they are written in', async () => {
    expect(await hookWorld().send(fromGithub(padded(65_536)))).toMatchObject({ statusCode: 202 });
    await refused(fromGithub(padded(65_537)), 413);
    const most = Buffer.from(padded(65_536));
    const more = Buffer.from(padded(65_537));
    const headers = (body: Buffer) => ({ 'x-hub-signature-256': githubSignature(body) });
    expect(await hookWorld().send(request(most, headers(most)))).toMatchObject({ statusCode: 202 });
    await refused(request(more, headers(more)), 413);
    // Fewer characters than bytes.
    await refused(fromGithub(JSON.stringify({ pipeline: 'é'.repeat(40_000) })), 413);
    await refused(request('x'.repeat(6_000_000), signed), 413);
  });

  it.each([
    '',
    'clicks',
    '{"pipeline"',
    '[]',
    'null',
    '7',
    '"clicks"',
    '{}',
    '{"__proto__": {"pipeline": "clicks"}}',
    '{"pipeline": "clicks", "__proto__": {}}',
    '{"pipeline": "clicks", "constructor": 1}',
    '{"pipeline": "clicks", "more": 1}',
    '{"pipeline": ["clicks"]}',
    '{"pipeline": "clicks", "manifest": {}}',
    '{"pipeline": "clicks", "samples": []}',
    '{"pipeline": "clicks", "mode": "retire"}',
    '{"pipeline": "clicks", "deleteData": true}',
    '{"pipeline": "clicks", "id": ""}',
    '{"pipeline": "nobody"}',
    '{"pipeline": "toString"}',
    `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    `{"manifest": ${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
  ])('B 53: %.60s', async (body) => {
    for (const event of [fromGithub(body), standard(body)]) {
      const own = hookWorld();
      const answer = await own.send(event);
      expect(answer.statusCode).toBe(400);
      expect(own.executions.list()).toEqual([]);
      expect(Object.keys(bodyOf(answer))).toEqual(['error', 'next']);
    }
  });

  it('B 53: not in UTF-8', async () => {
    const body = Buffer.concat([
      Buffer.from('{"pipeline": "clicks", "id": "'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    await refused(request(body, { 'x-hub-signature-256': githubSignature(body) }), 400);
  });
});

describe('any body, by any key', () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
  const senders = [
    {
      sender: github,
      headers: (mac: Buffer) => ({ 'x-hub-signature-256': `sha256=${mac.toString('hex')}` }),
    },
    {
      sender: standardWebhooks,
      headers: (mac: Buffer) => ({
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(NOW / 1_000),
        'webhook-signature': `v1,${mac.toString('base64')}`,
      }),
    },
  ] as const;

  it.each(senders)(
    '$sender.name: is taken as it was signed, and not with one bit of it another',
    ({ sender, headers }) => {
      const prefix = sender === github ? '' : `msg_1.${NOW / 1_000}.`;
      fc.assert(
        fc.property(bytes(0, 300), bytes(16, 64), fc.nat(), fc.nat(255), (body, key, at, bits) => {
          const mac = createHmac('sha256', key).update(prefix).update(body).digest();
          const verified = (content: Uint8Array, signature: Buffer, by: Uint8Array) =>
            'id' in sender.verify(headers(signature), Buffer.from(content), [Buffer.from(by)], NOW);
          expect(verified(body, mac, key)).toBe(true);
          const flipped = <T extends Uint8Array>(from: T): T => {
            const other = from.slice() as T;
            const index = at % Math.max(1, other.length);
            other[index] = (other[index] ?? 0) ^ (bits || 1);
            return other;
          };
          expect(verified(body, Buffer.from(flipped(mac)), key)).toBe(false);
          expect(verified(body, mac, flipped(key))).toBe(false);
          if (body.length > 0) expect(verified(flipped(body), mac, key)).toBe(false);
          expect(verified([...body, 0] as unknown as Uint8Array, mac, key)).toBe(false);
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe('nothing of a delivery is logged', () => {
  const canary = 'canary-4711';
  it.each([
    ['taken', fromGithub({ pipeline: 'clicks', id: canary })],
    [
      'refused for its key',
      fromGithub({ pipeline: 'clicks', id: canary }, { key: 'fake-other-key-0123456789' }),
    ],
    ['not a request', fromGithub({ pipeline: canary, [canary]: canary })],
    ['not JSON', fromGithub(canary)],
    ['with a manifest full of mistakes', fromGithub({ manifest: { name: canary, [canary]: canary } })],
    ['an event of GitHub’s', fromGithub({ sender: { login: canary }, action: canary })],
    ['too large', fromGithub(canary.repeat(10_000))],
  ])('%s', async (_, event) => {
    const own = hookWorld({ environment: { PENSTOCK_HOOK_MANIFESTS: 'yes' } });
    await own.send(event);
    expect(own.logged).toHaveLength(1);
    for (const secret of [canary, 'sha256=', GITHUB_KEY]) expect(own.logged.join()).not.toContain(secret);
  });
});
