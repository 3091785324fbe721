import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createAep } from '../../lib/aep/client.ts';
import { pathPart } from '../../lib/aep/request.ts';
import { Failure, isFailure } from '../../lib/failure.ts';
import { CREDENTIALS, json, type Reply, scripted } from '../support/scripted.ts';

const answer = z.object({ id: z.string() });

function client(replies: Reply[], ims?: Reply[]) {
  const world = scripted(replies, ims);
  const aep = createAep({ sandbox: 'dev1', credentials: CREDENTIALS, transport: world.transport });
  return {
    ...world,
    get: () => aep.request({ method: 'GET', path: '/data/x', answer }),
    post: () => aep.request({ method: 'POST', path: '/data/x', body: { a: 1 }, answer }),
  };
}

async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isFailure(error)) throw new Error(`expected a Failure, got ${String(error)}`);
  return error;
}

describe('request', () => {
  it('sends the headers every call needs, and never follows a redirect', async () => {
    const { get, sent } = client([json(200, { id: 'a' })]);
    expect((await get()).value).toEqual({ id: 'a' });
    expect(sent[0]?.init.redirect).toBe('manual');
    expect(sent[0]?.init.headers).toMatchObject({
      authorization: 'Bearer token-1',
      'x-api-key': 'fake-client-id',
      'x-gw-ims-org-id': CREDENTIALS.organizationId,
      'x-sandbox-name': 'dev1',
    });
  });

  it.each([
    [
      'gateway',
      403,
      { error_code: '403027', message: 'User region is missing' },
      'AEP_FORBIDDEN',
      '403027',
      undefined,
    ],
    [
      'Schema Registry',
      400,
      {
        type: 'http://ns.adobe.com/aep/errors/XDM-1521-400',
        title: 'Title not unique',
        status: 400,
        report: { registryRequestId: 'req-1', 'detailed-message': 'already exists' },
        detail: 'x',
      },
      'AEP_REFUSED',
      'XDM-1521-400',
      'req-1',
    ],
    [
      'Flow Service',
      404,
      {
        type: 'https://ns.adobe.com/aep/errors/FLOW-1439-404',
        title: 'Resource not found',
        report: { 'request-id': 'req-2', 'detailed-message': 'not found' },
        errorMessage: 'm',
      },
      'AEP_NOT_FOUND',
      'FLOW-1439-404',
      'req-2',
    ],
    [
      'bare Flow Service',
      412,
      { errorMessage: 'Supplied version=[1] does not match' },
      'AEP_CHANGED',
      undefined,
      undefined,
    ],
    [
      'state in motion',
      400,
      { type: 'https://ns.adobe.com/aep/errors/FLOW-1422-400', report: {} },
      'AEP_BUSY',
      'FLOW-1422-400',
      undefined,
    ],
    [
      'legacy problem',
      400,
      { type: '/placeholder/type/uri', status: 400, title: 'BadRequestError', detail: 'bad' },
      'AEP_REFUSED',
      undefined,
      undefined,
    ],
    [
      'inlet, status as a string',
      413,
      { type: 'https://ns.adobe.com/x', status: '413', title: 'Too large', report: { message: 'over 1 MB' } },
      'AEP_REFUSED',
      undefined,
      undefined,
    ],
    [
      'OAuth',
      403,
      { error: 'invalid_scope', error_description: 'no' },
      'AEP_FORBIDDEN',
      'invalid_scope',
      undefined,
    ],
    ['empty body', 501, undefined, 'AEP_REFUSED', undefined, undefined],
    ['no JSON', 404, '<html>nginx</html>', 'AEP_NOT_FOUND', undefined, undefined],
    ['redirect', 302, undefined, 'AEP_REDIRECTED', undefined, undefined],
  ])('understands the error body of: %s', async (_, status, body, code, serviceCode, requestId) => {
    const error = await failure(client([json(status, body)]).get());
    expect({
      code: error.code,
      status: error.status,
      serviceCode: error.serviceCode,
      requestId: error.requestId,
    }).toEqual({
      code,
      status,
      serviceCode,
      requestId,
    });
    if (requestId !== undefined) expect(error.message).toContain(requestId);
  });

  it('B 69: repeats a throttled call after the time it is told to wait', async () => {
    const { get, post, sleeps, sent } = client([
      json(429, { error_code: '429050', message: 'Too many requests' }, { 'retry-after': '3' }),
      json(200, { id: 'a' }),
      json(429, undefined),
      json(200, { id: 'b' }),
    ]);
    await get();
    expect(sleeps).toEqual([3_500]);
    await post();
    expect(sent).toHaveLength(4);
    expect(sleeps).toEqual([3_500, 500]);
  });

  it('gives up at once where the wait asked for is longer than it may be', async () => {
    const { get, sleeps } = client([json(503, undefined, { 'retry-after': '3600' })]);
    const error = await failure(get());
    expect(error.retryAfterMs).toBe(3_600_000);
    expect(sleeps).toEqual([]);
  });

  it('repeats a read that broke, but never a create that may have been applied', async () => {
    const broken = Object.assign(new TypeError('fetch failed'), {
      cause: Object.assign(new Error(), { code: 'ECONNRESET' }),
    });
    const reading = client([broken, json(500, undefined), json(200, { id: 'a' })]);
    expect((await reading.get()).value.id).toBe('a');
    expect(reading.sent).toHaveLength(3);
    for (const reply of [broken, json(500, undefined), json(201, '{"id":')]) {
      const creating = client([reply]);
      const error = await failure(creating.post());
      expect(error).toMatchObject({ inDoubt: true, retryable: true, name: 'TransientFailure' });
      expect(creating.sent).toHaveLength(1);
    }
  });

  it('renews a rejected token once, and stops where the new one is rejected too', async () => {
    const renewed = client([
      json(401, { error_code: '401013', message: 'Oauth token is not valid' }),
      json(200, { id: 'a' }),
    ]);
    await renewed.get();
    expect(renewed.sent.map(({ init }) => init.headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
    const refused = client([json(401, { error_code: '401013', message: 'no' })]);
    const error = await failure(refused.get());
    expect(error).toMatchObject({ code: 'AEP_UNAUTHORIZED', name: 'PermanentFailure' });
    expect(refused.sent).toHaveLength(2);
  });

  it('names the field of a success that is not as documented', async () => {
    const error = await failure(client([json(200, { ID: 'a' })]).get());
    expect(error.code).toBe('AEP_UNEXPECTED');
    expect(error.message).toContain('(id)');
  });

  it('keeps tokens and secrets out of messages', async () => {
    const leaky = { message: 'Bearer abc.def.ghi was eyJhbGciOi.eyJzdWIi.c2ln with p8e-fake-secret' };
    const error = await failure(client([json(400, leaky)]).get());
    expect(error.message).not.toMatch(/abc\.def|eyJ|p8e-/);
  });

  it('reads no more of a stranger than it must', async () => {
    const endless = () => new Response('x'.repeat(9 * 1024 * 1024), { status: 400 });
    const error = await failure(client([endless]).get());
    expect(error.message.length).toBeLessThan(600);
  });
});

describe('pathPart', () => {
  it('keeps an id inside its part of the path', () => {
    expect(pathPart('https://ns.adobe.com/acmelab/schemas/71c0')).toBe(
      'https%3A%2F%2Fns.adobe.com%2Facmelab%2Fschemas%2F71c0',
    );
    for (const id of ['', '.', '..']) expect(() => pathPart(id)).toThrow(Failure);
  });
});
