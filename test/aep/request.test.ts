import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type AepOptions, createAep } from '../../lib/aep/client.ts';
import { pathPart } from '../../lib/aep/request.ts';
import { Failure, isFailure } from '../../lib/failure.ts';
import { CREDENTIALS, json, type Reply, scripted } from '../support/scripted.ts';

const answer = z.object({ id: z.string() });

function client(replies: Reply[], ims?: Reply[], options: Partial<AepOptions> = {}) {
  const world = scripted(replies, ims);
  const { transport } = world;
  const aep = createAep({ sandbox: 'dev1', credentials: CREDENTIALS, transport, ...options });
  return {
    ...world,
    get: () => aep.request({ method: 'GET', path: '/data/x', answer }),
    post: () => aep.request({ method: 'POST', path: '/data/x', body: { a: 1 }, answer }),
    /** A POST that changes nothing. */
    ask: () => aep.request({ method: 'POST', path: '/data/x', body: { a: 1 }, answer, reads: true }),
    remove: () => aep.request({ method: 'DELETE', path: '/data/x', answer, repeatable: true }),
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

  it('does not repeat a condition that failed: it fails again', async () => {
    const { post, sent } = client([json(412, { errorMessage: 'Supplied version=[1] does not match' })]);
    expect(await failure(post())).toMatchObject({ code: 'AEP_CHANGED', retryable: true });
    expect(sent).toHaveLength(1);
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
    // C 6: it may as well be a good token that lacks a permission.
    expect(error.next).toMatch(/Check the credential.*a permission is missing/);
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

describe('a question by POST', () => {
  it('is asked again like a GET, and never in doubt', async () => {
    const asking = client([json(500, undefined), json(200, { id: 'a' })]);
    expect((await asking.ask()).value.id).toBe('a');
    expect(asking.sent).toHaveLength(2);
    for (const reply of [json(500, undefined), json(200, '{"id":'), new TypeError('fetch failed')]) {
      expect(await failure(client([reply]).ask())).toMatchObject({ inDoubt: false, retryable: true });
    }
  });
});

describe('beforeChange', () => {
  const busy = () => new Failure('AEP_BUSY', 'somebody else is at it');

  function guarded(replies: Reply[], guard: (times: number) => void) {
    let times = 0;
    const world = client(replies, undefined, {
      beforeChange: async () => {
        await Promise.resolve();
        guard(++times);
      },
    });
    return { ...world, times: () => times };
  }

  it('is asked before each attempt at a change, and before nothing else', async () => {
    const order: string[] = [];
    const note = (what: string, reply: Response) => () => {
      order.push(what);
      return reply;
    };
    const { get, ask, post, remove, times } = guarded(
      [
        note('get', json(200, { id: 'a' })),
        note('ask', json(200, { id: 'a' })),
        note('post', json(429, undefined)),
        note('post', json(401, { error_code: '401013' })),
        note('post', json(200, { id: 'b' })),
        note('delete', json(500, undefined)),
        note('delete', json(200, { id: 'c' })),
      ],
      () => order.push('guard'),
    );
    await get();
    await ask();
    expect(times()).toBe(0);
    await post();
    await remove();
    expect(order.slice(2)).toEqual(
      ['post', 'post', 'post', 'delete', 'delete'].flatMap((call) => ['guard', call]),
    );
  });

  it('keeps a change from being sent, and passes on what it throws', async () => {
    const refusals = [
      new Error('not mine'),
      new Failure('CONFLICT', 'not mine'),
      new Failure('AEP_UNAUTHORIZED', 'not mine'),
      new Failure('AEP_UNREACHABLE', 'not mine', { inDoubt: true }),
    ];
    for (const refusal of refusals) {
      const world = guarded([json(200, { id: 'a' })], () => {
        throw refusal;
      });
      for (const change of [world.post, world.remove]) await expect(change()).rejects.toBe(refusal);
      expect(world.times()).toBe(2);
      expect(world.sent).toHaveLength(0);
      expect(world.tokens).toHaveLength(1);
      expect(world.sleeps).toEqual([]);
    }
  });

  it('is asked again where its trouble passes', async () => {
    const { post, sent, sleeps } = guarded([json(200, { id: 'a' })], (times) => {
      if (times < 3) throw busy();
    });
    expect((await post()).value.id).toBe('a');
    expect([sent.length, sleeps.length]).toEqual([1, 2]);
    const never = guarded([json(200, { id: 'a' })], () => {
      throw busy();
    });
    expect(await failure(never.post())).toMatchObject({ code: 'AEP_BUSY', inDoubt: false });
    expect([never.times(), never.sent.length]).toEqual([4, 0]);
  });

  it('stops a change between two attempts', async () => {
    const lost = new Failure('CONFLICT', 'not mine any more');
    const { remove, sent } = guarded([json(500, undefined)], (times) => {
      if (times === 2) throw lost;
    });
    await expect(remove()).rejects.toBe(lost);
    expect(sent).toHaveLength(1);
  });
});

describe('onAnswer', () => {
  it('says which answers were to changes', async () => {
    const seen: [string, boolean][] = [];
    const onAnswer = ({ label, change }: { label: string; change: boolean }) => seen.push([label, change]);
    const { get, ask, post } = client([json(200, { id: 'a' })], undefined, { onAnswer });
    await get();
    await ask();
    await post();
    expect(seen).toEqual([
      ['GET /data/x', false],
      ['POST /data/x', false],
      ['POST /data/x', true],
    ]);
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
