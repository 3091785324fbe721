import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFetch } from '../lib/aws/http.ts';
import { type CleanupRuntime, createCleanup, type MadeAtRunTime } from '../lib/cleanup.ts';
import { Failure } from '../lib/failure.ts';
import { createLog } from '../lib/log.ts';

// When the stack goes, what was made at run time goes first; and CloudFormation is answered whatever happens.

let server: Server;
let answers: { readonly body: Record<string, string>; readonly headers: IncomingMessage['headers'] }[];
/** What the endpoint says to each PUT, one after the other; 200 from then on. */
let statuses: number[];

beforeEach(async () => {
  answers = [];
  statuses = [];
  server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as Record<string, string>;
    answers.push({ body, headers: request.headers });
    response.writeHead(statuses.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const request = (RequestType: string) => ({
  RequestType,
  ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?Signature=fake`,
  StackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/penstock-dev/fake',
  RequestId: 'request-1',
  LogicalResourceId: 'MadeAtRunTime',
  ResourceType: 'AWS::CloudFormation::CustomResource',
  ResourceProperties: {},
});

/** Triggers that are gone so many looks after they were removed, and secrets. */
function made(triggers: string[], published: string[], looks = 1) {
  const left = new Map(triggers.map((id) => [id, Number.POSITIVE_INFINITY]));
  const removed: string[] = [];
  const ports: MadeAtRunTime = {
    async triggers() {
      for (const [id, more] of left) if (more <= 0) left.delete(id);
      for (const [id, more] of left) left.set(id, more - 1);
      return [...left.keys()];
    },
    async removeTrigger(id) {
      left.set(id, Math.min(left.get(id) ?? 0, looks - 1));
      removed.push(id);
    },
    published: async () => published,
    removePublished: async (name) => {
      removed.push(name);
    },
  };
  return { ports, removed };
}

/** Time passes where it is waited for. */
function clock() {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
}

function run(ports: MadeAtRunTime | (() => CleanupRuntime), event: unknown, remainingMs = 300_000) {
  const runtime =
    typeof ports === 'function' ? ports : () => ({ log: createLog('ERROR'), madeAtRunTime: ports });
  const cleanup = createCleanup({ clock: clock(), fetch: createFetch() }, runtime);
  return cleanup(event, { remainingMs: () => remainingMs });
}

describe('when the stack is removed', () => {
  it('the triggers go, then what was published, and CloudFormation hears of it', async () => {
    const { ports, removed } = made(['one', 'two'], ['penstock/dev/streams/clicks']);
    await run(ports, request('Delete'));
    expect(removed).toEqual(['one', 'two', 'penstock/dev/streams/clicks']);
    expect(answers.map(({ body }) => body)).toEqual([
      {
        Status: 'SUCCESS',
        Reason: 'Removed: triggers 2, published pipelines 1. The dead-letter store stays, with its key.',
        PhysicalResourceId: 'MadeAtRunTime',
        StackId: request('').StackId,
        RequestId: 'request-1',
        LogicalResourceId: 'MadeAtRunTime',
      },
    ]);
    // The URL is signed without one.
    expect(answers[0]?.headers['content-type']).toBe('');
  });

  it('it waits until the triggers are gone', async () => {
    const { ports } = made(['slow'], ['penstock/dev/streams/clicks'], 40);
    expect(await run(ports, request('Delete'))).toMatchObject({ Status: 'SUCCESS' });
  });

  it('with nothing made there is nothing to remove', async () => {
    const { ports, removed } = made([], []);
    expect(await run(ports, request('Delete'))).toMatchObject({ Status: 'SUCCESS' });
    expect(removed).toEqual([]);
  });

  it('what does not go in time is named, and nothing that the forwarder needs is taken from it', async () => {
    const { ports, removed } = made(['stuck'], ['penstock/dev/streams/clicks'], Number.POSITIVE_INFINITY);
    await run(ports, request('Delete'));
    expect(answers[0]?.body.Status).toBe('FAILED');
    expect(answers[0]?.body.Reason).toMatch(/triggers stuck \| Next: .*--retain-resources MadeAtRunTime/);
    expect(removed).not.toContain('penstock/dev/streams/clicks');
  });

  it.each([
    [
      'settings',
      () => () => {
        throw new Failure('SETTINGS_INVALID', 'PENSTOCK_STAGE: expected a stage');
      },
      /PENSTOCK_STAGE/,
    ],
    [
      'a defect',
      () => () => {
        throw new TypeError('x is not a function');
      },
      /x is not a function/,
    ],
    [
      'a permission',
      () => ({
        ...made([], ['a']).ports,
        removePublished: () => Promise.reject(new Failure('AWS_REFUSED', 'deleting the secret a: denied')),
      }),
      /deleting the secret a: denied/,
    ],
    [
      'an endless message',
      () => ({ ...made([], []).ports, triggers: () => Promise.reject(new Error('x'.repeat(9_000))) }),
      /^x{1000} \| Next/,
    ],
  ])('it is answered as well where it fails: %s', async (_, ports, reason) => {
    await run(ports(), request('Delete'));
    expect(answers).toHaveLength(1);
    expect(answers[0]?.body).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(reason) });
    expect(JSON.stringify(answers[0]?.body).length).toBeLessThan(4_096);
  });
});

describe('the answer', () => {
  it.each(['Create', 'Update'])('to %s is given at once, and nothing is touched', async (type) => {
    const never = (): CleanupRuntime => {
      throw new Error('not to be asked for');
    };
    await run(never, { ...request(type), PhysicalResourceId: 'as-it-was' });
    expect(answers[0]?.body).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'as-it-was' });
  });

  it('is given again where it was not taken', async () => {
    statuses = [503, 500];
    await run(made([], []).ports, request('Delete'));
    expect(answers).toHaveLength(3);
  });

  it('that nobody takes fails the call, so that Lambda repeats it; its secret URL is not said', async () => {
    statuses = [403, 403, 403];
    const failed = run(made([], []).ports, request('Delete'));
    await expect(failed).rejects.toThrow(/AWS_UNAVAILABLE: .*status 403/);
    await expect(failed).rejects.not.toThrow(/Signature/);
  });

  it.each([
    {},
    null,
    [],
    { RequestType: 'Delete' },
    { RequestType: 'Delete', ResponseURL: 'http://example.com/' },
    { RequestType: 'Delete', ResponseURL: 'http://localhost.example.com/' },
  ])('goes nowhere for what is no request: %j', async (event) => {
    await expect(run(made(['one'], []).ports, event)).rejects.toThrow(/EVENT_INVALID.*custom resource/s);
    expect(answers).toEqual([]);
  });
});
