import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../lib/failure.ts';
import { bundle } from '../../lib/hook/bundle.ts';
import { executionName } from '../../lib/hook/start.ts';
import { bodyOf, busEvent, EXAMPLES, fromGithub, hookWorld, NOW, standard } from '../support/hooks.ts';

// What a delivery starts, and that it starts it once however often it comes.

const BODY = { pipeline: 'clicks' };
const PUSH = {
  ref: 'refs/heads/main',
  repository: { default_branch: 'main' },
  pusher: { name: 'somebody' },
  sender: { login: 'somebody' },
};
const names = (own: ReturnType<typeof hookWorld>) => own.executions.list().map(({ name }) => name);

describe('a delivery', () => {
  it('is answered with the execution’s name and how to ask for its status', async () => {
    const own = hookWorld();
    const answer = await own.send(fromGithub(BODY));
    const [name = ''] = names(own);
    const executionArn = own.executions.arn(name);
    expect(answer).toMatchObject({
      statusCode: 202,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    });
    expect(bodyOf(answer)).toEqual({
      executions: [
        {
          pipeline: 'clicks',
          name,
          executionArn,
          status: `aws stepfunctions describe-execution --execution-arn ${executionArn}`,
        },
      ],
    });
  });

  it('starts the manifest of the bundle, and says in the input who asked', async () => {
    const own = hookWorld();
    await own.send(standard({ pipeline: 'customer-profiles', mode: 'plan' }, { id: 'msg_7' }));
    expect(JSON.parse(own.executions.list()[0]?.input ?? '')).toEqual({
      manifest: { version: 1, name: 'customer-profiles' },
      samples: [{ record: {} }],
      mode: 'plan',
      requestedBy: {
        sender: 'standard-webhooks',
        id: 'msg_7',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  it('by hand is a plain request: once for an invocation, which Lambda may try again', async () => {
    const own = hookWorld();
    const first = await own.hook({ pipeline: 'clicks', mode: 'plan' }, { awsRequestId: 'r-1' });
    expect(first).toMatchObject({ executions: [{ pipeline: 'clicks' }] });
    expect(await own.hook({ pipeline: 'clicks', mode: 'plan' }, { awsRequestId: 'r-1' })).toEqual(first);
    expect(own.executions.list()).toHaveLength(1);
    await own.hook({ pipeline: 'clicks', mode: 'plan' }, { awsRequestId: 'r-2' });
    expect(own.executions.list()).toHaveLength(2);
    for (const wrong of [
      {},
      { pipelines: 'all' },
      { pipeline: 'none' },
      { manifest: {} },
      [],
      null,
      'clicks',
    ])
      await expect(own.hook(wrong, { awsRequestId: 'r-3' })).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    expect(own.executions.list()).toHaveLength(2);
  });

  it('says how long a flow is waited for, where it says so', async () => {
    const own = hookWorld();
    await own.send(fromGithub({ pipeline: 'clicks', warmUpSeconds: 600, drainSeconds: 900 }));
    expect(JSON.parse(own.executions.list()[0]?.input ?? '')).toMatchObject({
      warmUpSeconds: 600,
      drainSeconds: 900,
    });
    for (const wrong of [-1, 0.5, 1_501, '1', null])
      expect((await own.send(fromGithub({ pipeline: 'clicks', warmUpSeconds: wrong }))).statusCode).toBe(400);
    expect(own.executions.list()).toHaveLength(1);
  });

  it.each([
    [{ warmUpSeconds: 299 }, '"warmUpSeconds": 299 is less than 300: AEP takes the first records'],
    [{ drainSeconds: 899 }, '"drainSeconds": 899 is less than 900: what is still on its way'],
  ])('B 4: that would wait for too short is refused, with what would be lost: %j', async (waits, said) => {
    const own = hookWorld();
    const answer = await own.send(fromGithub({ pipeline: 'clicks', ...waits }));
    expect(answer.statusCode).toBe(400);
    expect(bodyOf(answer).error).toContain(said);
    expect(bodyOf(answer).next).toContain('shortWaits=yes');
    const event = busEvent('deploy.example', 'penstock', { pipeline: 'clicks', ...waits });
    await expect(own.hook(event)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    expect(names(own)).toEqual([]);
    const allowed = hookWorld({ environment: { PENSTOCK_SHORT_WAITS: 'yes' } });
    expect(await allowed.send(fromGithub({ pipeline: 'clicks', ...waits }))).toMatchObject({
      statusCode: 202,
    });
  });

  it('starts all pipelines where it says so', async () => {
    const own = hookWorld();
    const answer = await own.send(fromGithub({ pipeline: 'all' }));
    const started = bodyOf(answer).executions as { pipeline: string; name: string }[];
    expect(started.map(({ pipeline }) => pipeline)).toEqual(['clicks', 'customer-profiles']);
    expect(started.map(({ name }) => name)).toEqual(names(own));
  });

  // It is the deployment's mistake and not the sender's: 409, where it was 400 before.
  it.each([
    ['all', { pipeline: 'all' }],
    ['one by name', BODY],
    ['a push, which says only that something was deployed', PUSH],
  ])(
    'B 3: to a deployment without pipelines starts nothing, and answer and log say so: %s',
    async (_, body) => {
      const own = hookWorld({ bundle: {} });
      const answer = await own.send(fromGithub(body));
      expect(answer.statusCode).toBe(409);
      expect(bodyOf(answer)).toEqual({
        error: 'nothing was started: this deployment has no pipelines',
        next: expect.stringContaining('Put a manifest into pipelines/'),
      });
      expect(own.logged.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({
          why: 'NO_PIPELINES',
          what: 'nothing was started: this deployment has no pipelines',
          next: expect.stringContaining('pipelines/'),
        }),
      ]);
      expect(names(own)).toEqual([]);
    },
  );

  it('B 3: of the bus, to a deployment without pipelines, fails, so that it is kept and alarms', async () => {
    const own = hookWorld({ bundle: {} });
    const event = busEvent('aws.codepipeline', 'CodePipeline Pipeline Execution State Change', {
      state: 'SUCCEEDED',
    });
    await expect(own.hook(event)).rejects.toMatchObject({ code: 'NO_PIPELINES' });
    expect(own.logged.join()).toContain('this deployment has no pipelines');
  });

  it('B 3: that brings a manifest needs no pipelines of the bundle', async () => {
    const own = hookWorld({ bundle: {}, environment: { PENSTOCK_HOOK_MANIFESTS: 'yes' } });
    const { manifest } = bundle(EXAMPLES)['customer-profiles'] ?? {};
    expect(await own.send(fromGithub({ manifest }))).toMatchObject({ statusCode: 202 });
  });
});

describe('the name of an execution', () => {
  it.each([
    'a',
    'a.b',
    'x'.repeat(64),
    '..',
    'a/b',
    'with blanks',
    '🙂',
    'x'.repeat(81),
    'con\u0000trol',
    'naïve',
  ])('B 54: of %j is one that Step Functions takes and logs', (pipeline) => {
    const delivery = { sender: 'standard-webhooks', id: '🙂'.repeat(200), digest: '' };
    for (const attempt of [1, 2, 10])
      expect(executionName(pipeline, delivery, attempt)).toMatch(/^[0-9A-Za-z_-]{1,80}$/);
  });

  it('is one’s own: of the pipeline, the sender, what it signed, and the attempt', () => {
    const one = { sender: 's', id: 'i', digest: '' };
    const all = [
      executionName('a', one),
      executionName('a', one, 2),
      executionName('b', one),
      executionName('a', { ...one, sender: 't' }),
      executionName('a', { ...one, id: 'j' }),
      // What is written one after the other could be cut elsewhere.
      executionName('a', { sender: 'si', id: '', digest: '' }),
      executionName('a.b', one),
      executionName('a-b', one),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(executionName('a', { ...one, digest: 'x' })).toBe(all[0]);
  });

  it.each(['a/b', '..', 'a b', '🙂', 'x'.repeat(81), 'a\u0000b', ''])(
    'B 54: a hook that names the pipeline %j is refused',
    async (pipeline) => {
      const own = hookWorld();
      expect(await own.send(fromGithub({ pipeline }))).toMatchObject({ statusCode: 400 });
      expect(names(own)).toEqual([]);
    },
  );
});

describe('a delivery that comes again', () => {
  it.each(['RUNNING', 'SUCCEEDED', 'PENDING_REDRIVE'])(
    'B 55: while its execution is %s starts nothing new, and gets the same answer',
    async (status) => {
      for (const event of [fromGithub(BODY), standard(BODY)]) {
        const own = hookWorld();
        const first = await own.send(event);
        for (const execution of own.executions.list()) execution.status = status;
        expect(await own.send(event)).toEqual(first);
        expect(names(own)).toHaveLength(1);
      }
    },
  );

  it('B 51, 55: under another delivery id of GitHub’s, which nobody has signed, it is the same', async () => {
    const own = hookWorld();
    const first = await own.send(fromGithub(BODY, { delivery: 'd-1' }));
    expect(await own.send(fromGithub(BODY, { delivery: 'd-2' }))).toEqual(first);
    expect(names(own)).toHaveLength(1);
  });

  it('B 51: under its id, at another time, it is the same; under another id it is another one', async () => {
    const own = hookWorld();
    const first = await own.send(standard(BODY, { id: 'msg_1' }));
    own.state.now = NOW + 200_000;
    expect(await own.send(standard(BODY, { id: 'msg_1', at: NOW / 1_000 + 200 }))).toEqual(first);
    expect(await own.send(standard(BODY, { id: 'msg_2' }))).not.toEqual(first);
    expect(names(own)).toHaveLength(2);
  });

  it('of another sender is another one', async () => {
    const own = hookWorld();
    await own.send(fromGithub(BODY));
    await own.send(standard(BODY));
    expect(names(own)).toHaveLength(2);
  });

  it('after a new deployment with another manifest starts nothing new', async () => {
    const own = hookWorld();
    const first = await own.send(fromGithub(BODY));
    const next = hookWorld({
      bundle: { clicks: { manifest: { version: 1, name: 'clicks', description: 'new' } } },
    });
    for (const [name, execution] of own.executions.all) next.executions.all.set(name, execution);
    expect(await next.send(fromGithub(BODY))).toEqual(first);
    expect(names(next)).toHaveLength(1);
  });

  it('B 56: with another content under the same id is a conflict', async () => {
    for (const status of ['RUNNING', 'SUCCEEDED', 'FAILED']) {
      const own = hookWorld();
      await own.send(standard(BODY));
      for (const execution of own.executions.list()) execution.status = status;
      const answer = await own.send(standard({ ...BODY, mode: 'plan' }));
      expect(answer.statusCode).toBe(409);
      expect(names(own)).toHaveLength(1);
    }
  });

  it.each(['FAILED', 'TIMED_OUT', 'ABORTED'])(
    'B 57: after a run that is %s another one begins, by the next number',
    async (status) => {
      const own = hookWorld();
      await own.send(fromGithub(BODY));
      const [first = ''] = names(own);
      for (const execution of own.executions.list()) execution.status = status;
      const second = await own.send(fromGithub(BODY));
      expect(second.statusCode).toBe(202);
      expect(names(own)).toEqual([first, `${first}-2`]);
      // That one runs now, and is the answer from here on.
      expect(await own.send(fromGithub(BODY))).toEqual(second);
      expect(names(own)).toHaveLength(2);
    },
  );

  it('B 57: after ten runs that have failed there is no other', async () => {
    const own = hookWorld();
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 202 });
      for (const execution of own.executions.list()) execution.status = 'FAILED';
    }
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 409 });
    expect(names(own)).toHaveLength(10);
  });

  const later = new Date(NOW + 1_000).toISOString();
  const newerRun = { id: 'arn:aws:states:eu-west-1:123456789012:execution:p:newer', startedAt: later };

  /** A delivery whose run has failed. */
  async function failedOnce(body: object = BODY) {
    const own = hookWorld();
    await own.send(fromGithub(body));
    for (const execution of own.executions.list()) execution.status = 'FAILED';
    return own;
  }

  it.each([
    ['as the ledger keeps it', { succeeded: newerRun }],
    [
      'though another one has failed since',
      { succeeded: newerRun, report: { outcome: 'Penstock.RolledBack', execution: newerRun } },
    ],
    [
      'as its report says, which an older version left',
      { report: { outcome: 'succeeded', execution: newerRun } },
    ],
    ['which has retired the pipeline', { report: { outcome: 'retired', execution: newerRun } }],
  ])('B 4: does not start again once a newer run has succeeded: %s', async (_, record) => {
    const own = await failedOnce();
    own.kept.set('clicks', record);
    const [first = ''] = names(own);
    for (let again = 0; again < 2; again++) {
      const answer = await own.send(fromGithub(BODY));
      expect(answer.statusCode).toBe(200);
      expect(bodyOf(answer)).toMatchObject({
        executions: [{ pipeline: 'clicks', name: first, supersededBy: newerRun.id }],
        nothing: expect.stringContaining('a newer one has succeeded since'),
      });
    }
    expect(names(own)).toEqual([first]);
    expect(own.logged.at(-1)).toContain(`"superseded":"${first}"`);
  });

  it.each([
    ['nothing is known', undefined],
    [
      'what succeeded began before it',
      { succeeded: { ...newerRun, startedAt: new Date(NOW - 1).toISOString() } },
    ],
    ['what succeeded is itself', { succeeded: { ...newerRun, startedAt: new Date(NOW).toISOString() } }],
    ['a newer one has failed as well', { report: { outcome: 'Penstock.Resumable', execution: newerRun } }],
    ['what is kept cannot be read', { succeeded: { id: 7, startedAt: 'x' }, report: 7 }],
  ])('B 4: starts again after a failed run where %s', async (_, record) => {
    const own = await failedOnce();
    if (record !== undefined) own.kept.set('clicks', record);
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 202 });
    expect(names(own)).toHaveLength(2);
  });

  it('B 4: is judged by its first run: one that began while a newer one was on its way does not make it newer', async () => {
    const own = await failedOnce();
    own.state.now = NOW + 5_000;
    await own.send(fromGithub(BODY));
    for (const execution of own.executions.list()) execution.status = 'FAILED';
    own.kept.set('clicks', { succeeded: newerRun });
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 200 });
    expect(names(own)).toHaveLength(2);
  });

  it('B 4: whose own second run has succeeded gets that as its answer', async () => {
    const own = await failedOnce();
    own.state.now = NOW + 1_000;
    const second = await own.send(fromGithub(BODY));
    own.kept.set('clicks', { succeeded: newerRun });
    for (const one of own.executions.list().slice(1)) one.status = 'SUCCEEDED';
    expect(await own.send(fromGithub(BODY))).toEqual(second);
    expect(names(own)).toHaveLength(2);
  });

  it('B 4: of several pipelines starts those again that nobody has changed since', async () => {
    const own = await failedOnce({ pipeline: 'all' });
    own.kept.set('clicks', { succeeded: newerRun });
    const answer = await own.send(fromGithub({ pipeline: 'all' }));
    expect(answer.statusCode).toBe(202);
    expect(bodyOf(answer)).not.toHaveProperty('nothing');
    expect(names(own).slice(2)).toEqual([expect.stringMatching(/^customer-profiles-.*-2$/)]);
  });

  it('B 4: of a plan starts again, which changes nothing', async () => {
    const own = await failedOnce({ ...BODY, mode: 'plan' });
    own.kept.set('clicks', { succeeded: newerRun });
    expect(await own.send(fromGithub({ ...BODY, mode: 'plan' }))).toMatchObject({ statusCode: 202 });
  });

  it('B 4: is to come again where the ledger cannot be read', async () => {
    const own = await failedOnce();
    own.ledger.read = async () => {
      throw new Failure('AWS_UNAVAILABLE', 'reading the ledger');
    };
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 503 });
    expect(names(own)).toHaveLength(1);
  });

  it('B 55: twice at the same time, it starts one', async () => {
    const own = hookWorld();
    const [one, two] = await Promise.all([own.send(fromGithub(BODY)), own.send(fromGithub(BODY))]);
    expect(one).toEqual(two);
    expect(names(own)).toHaveLength(1);
  });

  it('by its name alone would be somebody else’s: an execution of that name that no hook has started', async () => {
    const own = hookWorld();
    await own.send(fromGithub(BODY));
    const [name = ''] = names(own);
    for (const input of ['{}', 'no JSON', '{"requestedBy": 7}']) {
      own.executions.all.set(name, { name, input, status: 'SUCCEEDED', startedAt: NOW });
      expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 409 });
    }
  });
});

describe('B 58: more than an execution takes', () => {
  it('B 58: is refused before anything is started', async () => {
    const large = { manifest: { name: 'large', filling: 'x'.repeat(262_144) } };
    const own = hookWorld({ bundle: { clicks: { manifest: {} }, large } });
    for (const pipeline of ['all', 'large']) {
      const answer = await own.send(fromGithub({ pipeline }));
      expect(answer.statusCode).toBe(400);
      expect(answer.body).toContain('an execution takes 262144');
    }
    expect(names(own)).toEqual([]);
  });
});

describe('B 59: Step Functions that cannot', () => {
  it('B 59: is waited for by the sender, and what it has signed is not used up', async () => {
    const own = hookWorld();
    own.executions.failures.push(new Failure('AWS_UNAVAILABLE', 'starting: ThrottlingException'));
    const answer = await own.send(fromGithub(BODY));
    expect(answer).toMatchObject({ statusCode: 503, body: '{"error":"try again"}' });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(names(own)).toEqual([]);
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 202 });
  });

  it('B 59: in the middle of several, the delivery that comes again starts the others alone', async () => {
    const own = hookWorld();
    own.executions.failures.push(undefined as never, new Failure('AWS_UNAVAILABLE', 'x'));
    expect(await own.send(fromGithub({ pipeline: 'all' }))).toMatchObject({ statusCode: 503 });
    const [first] = names(own);
    expect(await own.send(fromGithub({ pipeline: 'all' }))).toMatchObject({ statusCode: 202 });
    expect(names(own)).toEqual([first, expect.stringMatching(/^customer-profiles-/)]);
  });

  it('B 59: or may not, is told to the log and not to the sender', async () => {
    const own = hookWorld();
    own.executions.failures.push(new Failure('AWS_REFUSED', 'starting: AccessDeniedException'));
    const answer = await own.send(fromGithub(BODY));
    expect(answer).toMatchObject({ statusCode: 500, body: '{"error":"not set up"}' });
    expect(own.logged.join()).toContain('AccessDeniedException');
  });

  it('B 59: an execution that exists and does not show yet is waited for', async () => {
    const own = hookWorld();
    await own.send(fromGithub(BODY));
    for (const execution of own.executions.list()) execution.status = 'SUCCEEDED';
    own.executions.describe = async () => undefined;
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 503 });
  });
});

describe('B 60: a hook that dies between start and answer', () => {
  it('B 60: starts nothing new when the delivery comes again', async () => {
    const own = hookWorld();
    const { start } = own.executions;
    own.executions.start = async (name, input) => {
      await start(name, input);
      throw new Error('the process is gone');
    };
    await expect(own.send(fromGithub(BODY))).rejects.toThrow('the process is gone');
    own.executions.start = start;
    expect(await own.send(fromGithub(BODY))).toMatchObject({ statusCode: 202 });
    expect(names(own)).toHaveLength(1);
  });
});

describe('a manifest that is brought along', () => {
  const real = bundle(EXAMPLES);
  const { manifest, samples } = real['customer-profiles'] ?? {};
  const allowed = { environment: { PENSTOCK_HOOK_MANIFESTS: 'yes' } };

  it('starts where that was allowed, and nowhere else', async () => {
    const own = hookWorld(allowed);
    expect(await own.send(fromGithub({ manifest, samples }))).toMatchObject({ statusCode: 202 });
    expect(JSON.parse(own.executions.list()[0]?.input ?? '')).toMatchObject({ manifest, samples });
    const strict = hookWorld();
    const answer = await strict.send(fromGithub({ manifest }));
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain('hookManifests=yes');
    expect(names(strict)).toEqual([]);
  });

  it('has its mistakes told to who sent it', async () => {
    const own = hookWorld(allowed);
    const answer = await own.send(fromGithub({ manifest: { ...(manifest as object), sandbox: 'A B' } }));
    expect(answer.statusCode).toBe(400);
    expect(bodyOf(answer).error).toContain('sandbox: expected the name of a sandbox');
    expect(names(own)).toEqual([]);
  });

  it('C 4: is refused where it says something twice, with the path and the line', async () => {
    const own = hookWorld(allowed);
    const text = JSON.stringify({ manifest }).replace('"sandbox":', '\n"sandbox":"prod",\n"sandbox":');
    const answer = await own.send(fromGithub(text));
    expect(answer.statusCode).toBe(400);
    expect(bodyOf(answer).error).toContain('a member twice: manifest.sandbox, in line 2 and in line 3');
    expect(names(own)).toEqual([]);
  });
});

describe('the bundle', () => {
  it('has the pipelines of a folder by name, with their samples, and none where there is no folder', () => {
    expect(Object.keys(bundle(EXAMPLES))).toContain('customer-profiles');
    expect(bundle(EXAMPLES)['customer-profiles']?.samples).toHaveLength(2);
    expect(bundle('/nowhere')).toEqual({});
  });

  it('is refused where a file of it is wrong, with the name of the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
    const right = bundle(EXAMPLES)['customer-profiles']?.manifest as object;
    const write = (name: string, content: unknown) => writeFile(join(folder, name), JSON.stringify(content));
    try {
      await write('a.json', right);
      expect(Object.keys(bundle(folder))).toEqual(['customer-profiles']);
      await write('b.json', right);
      expect(() => bundle(folder)).toThrow(/pipelines\/b\.json: the name customer-profiles is taken/);
      await write('b.json', { ...right, name: 'all' });
      expect(() => bundle(folder)).toThrow(/pipelines\/b\.json has a mistake:\n {2}name: .*not "all"/);
      await write('b.json', { ...right, name: 'b', sandbox: 'A B' });
      expect(() => bundle(folder)).toThrow(/pipelines\/b\.json has a mistake:\n {2}sandbox: /);
      await write('b.json', { ...right, name: 'b' });
      await write('b.samples.json', {});
      expect(() => bundle(folder)).toThrow(/pipelines\/b\.samples\.json is not a list of samples/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
