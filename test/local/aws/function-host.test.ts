// Functions run as on Lambda: own process and environment, one event at a time, limits, and errors in Lambda's shapes.
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createFunctionHost } from '../../../local/aws/function-host.ts';
import { eventually } from '../../support/eventually.ts';
import type { Order } from './fixtures/function.ts';

/** In seconds: a limit that nothing here comes near. */
const FAR = 3_600;
const module = new URL('./fixtures/function.ts', import.meta.url);
const lines: string[] = [];
const host = createFunctionHost({
  functions: {
    one: { module, env: { COLOUR: 'green' }, memoryMB: 256, timeoutSeconds: FAR },
    usual: { module },
    brief: { module, timeoutSeconds: 0.3 },
    single: { module, concurrency: 1, timeoutSeconds: FAR },
    other: { module: fileURLToPath(module), handler: 'other', timeoutSeconds: FAR },
    silent: { module, handler: 'silent', timeoutSeconds: FAR },
    unnamed: { module, handler: 'nowhere' },
    broken: { module: new URL('./fixtures/broken.ts', import.meta.url) },
    missing: { module: new URL('./fixtures/absent.ts', import.meta.url) },
  },
  env: { COLOUR: 'red', SHARED: 'yes' },
  onLog: (name, line) => lines.push(`${name}: ${line}`),
});
afterAll(() => host.close());

const invoke = (name: string, order: Order = {}, options = {}) => host.invoke(name, order, options);

async function answer(name: string, order: Order = {}): Promise<Record<string, unknown>> {
  const result = await invoke(name, order, { timeoutSeconds: FAR });
  if ('error' in result) throw new Error(`${result.error.errorType}: ${result.error.errorMessage}`);
  return result.ok as Record<string, unknown>;
}

describe('a function that is made ready', () => {
  const own = createFunctionHost({
    functions: { ready: { module, timeoutSeconds: FAR }, broken: { module: 'absent.ts' } },
  });
  afterAll(() => own.close());

  it('has one process, which the next invocation gets', async () => {
    own.prepare('ready');
    own.prepare('ready');
    const { ok } = (await own.invoke('ready', {})) as { readonly ok: { readonly invocations: number } };
    expect(ok.invocations).toBe(1);
    expect(await own.kill('ready')).toBe(1);
  });

  it('says at its invocation that it cannot be loaded; one that is not there is left', async () => {
    own.prepare('nowhere');
    own.prepare('broken');
    expect(await own.invoke('broken', {})).toMatchObject({
      kind: 'handled',
      error: { errorType: 'Runtime.ImportModuleError' },
    });
  });
});

describe('an invocation', () => {
  it('keeps module state in the process, which the next invocation shares', async () => {
    const first = await answer('one');
    const second = await answer('one');
    expect(second).toMatchObject({ pid: first.pid, invocations: Number(first.invocations) + 1 });
    expect(second.pid).not.toBe(process.pid);
  });

  it('takes event and result through JSON', async () => {
    const result = await answer('one');
    expect(result).not.toHaveProperty('gone');
    expect(result.when).toBe('1970-01-01T00:00:00.000Z');
    expect(await host.invoke('other', { at: new Date(0), gone: undefined })).toEqual({
      ok: { other: { at: '1970-01-01T00:00:00.000Z' } },
    });
    expect(await host.invoke('silent', {})).toEqual({ ok: null });
  });

  it('has a Lambda context and nothing of the environment of its host', async () => {
    process.env.OF_THE_HOST = 'secret';
    const { context, env } = await answer('one');
    expect(context).toMatchObject({
      functionName: 'one',
      functionVersion: '$LATEST',
      memoryLimitInMB: '256',
      invokedFunctionArn: host.arn('one'),
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(env).toMatchObject({ COLOUR: 'green', SHARED: 'yes', AWS_REGION: 'eu-west-1' });
    expect(env).not.toHaveProperty('OF_THE_HOST');
  });

  it('has the timeout of its function, by default three seconds', async () => {
    const { remaining } = await answer('one');
    expect(Number(remaining)).toBeGreaterThan(3_000);
    expect(Number(remaining)).toBeLessThanOrEqual(FAR * 1_000);
    // It may have been killed by then where nothing has its turn for so long: nobody counts on an answer.
    const result = await invoke('usual');
    if ('ok' in result) expect((result.ok as { remaining: number }).remaining).toBeLessThanOrEqual(3_000);
    else expect(result.error.errorMessage).toBe('Task timed out after 3.00 seconds');
  });

  it('runs beside others, each in its own process, up to the concurrency', async () => {
    const [a, b] = await Promise.all([answer('one'), answer('one')]);
    expect(a?.pid).not.toBe(b?.pid);
    const results = await Promise.all([invoke('single'), invoke('single')]);
    expect(results[1]).toMatchObject({ kind: 'throttled', error: { errorType: 'TooManyRequestsException' } });
    expect(results[0]).toHaveProperty('ok');
  });

  it('passes on its log lines, from stdout and stderr', async () => {
    await answer('one', { log: 'all is well' });
    await eventually(() => lines).toEqual(
      expect.arrayContaining(['one: all is well', 'one: error: all is well']),
    );
  });

  it('carries an event of 6 MB and refuses a larger one', async () => {
    const event = 'x'.repeat(6 * 1024 * 1024 - 2);
    expect(await host.invoke('other', event)).toMatchObject({ kind: 'handled' }); // its answer adds the envelope
    expect(await host.invoke('silent', event)).toEqual({ ok: null });
    expect(await host.invoke('silent', `${event}x`)).toMatchObject({
      kind: 'rejected',
      error: { errorType: 'RequestTooLargeException' },
    });
  });
});

describe('a failing invocation', () => {
  it('reports what was thrown', async () => {
    expect(await invoke('one', { throw: 'error' })).toMatchObject({
      kind: 'handled',
      error: {
        errorType: 'OrderError',
        errorMessage: 'as ordered',
        trace: expect.arrayContaining(['OrderError: as ordered']),
      },
    });
    expect(await invoke('one', { throw: 'text' })).toEqual({
      kind: 'handled',
      error: { errorType: 'string', errorMessage: 'as ordered', trace: [] },
    });
  });

  it.each<Order>([{ hang: true }, { spin: true }])('is killed at its timeout: %o', async (order) => {
    const { pid } = await answer('brief');
    expect(await invoke('brief', order)).toEqual({
      kind: 'timeout',
      error: { errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 0.30 seconds', trace: [] },
    });
    const next = await answer('brief');
    expect(next).toMatchObject({ invocations: 1 });
    expect(next.pid).not.toBe(pid);
    await eventually(() => isAlive(Number(pid))).toBe(false);
  });

  it('reports that its process was killed, and the next invocation has a new one', async () => {
    const { pid } = await answer('single');
    const inFlight = invoke('single', { hang: true });
    expect(await host.kill('single')).toBe(1);
    expect(await inFlight).toMatchObject({
      kind: 'exit',
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('SIGKILL') },
    });
    expect(await host.kill('single')).toBe(0);
    const next = await answer('single');
    expect(next).toMatchObject({ invocations: 1 });
    expect(next.pid).not.toBe(pid);
  });

  it('reports how its process ended where the event can no longer be written', async () => {
    const { pid } = await answer('single');
    process.kill(Number(pid), 'SIGKILL');
    // Dead, and nobody in this process has had a turn to hear of it.
    while (!execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z'));
    expect(await invoke('single')).toMatchObject({
      kind: 'exit',
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('SIGKILL') },
    });
  });

  it('is waited for by `ended`, and later invocations are not', async () => {
    await host.ended('single');
    await host.ended('nobody');
    let over = false;
    const inFlight = invoke('one', { hang: true });
    const ended = host.ended('one').then(() => {
      over = true;
    });
    const later = invoke('other', { hang: true });
    await answer('one');
    expect(over).toBe(false);
    await host.kill('one');
    await ended;
    expect(await inFlight).toMatchObject({ kind: 'exit' });
    expect(await later).toMatchObject({ ok: { other: { hang: true } } });
  });

  it("has the caller's timeout where one is given", async () => {
    expect(await invoke('one', { hang: true }, { timeoutSeconds: 0.2 })).toMatchObject({
      kind: 'timeout',
      error: { errorMessage: 'Task timed out after 0.20 seconds' },
    });
  });

  it('tells an exit from an uncaught error', async () => {
    expect(await invoke('one', { exit: 7 })).toMatchObject({
      kind: 'exit',
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 7') },
    });
    expect(await invoke('one', { reject: true })).toMatchObject({
      error: { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'unheard' },
    });
    expect(await invoke('one', { crash: true })).toMatchObject({
      error: { errorType: 'OrderError', errorMessage: 'out of the blue' },
    });
    expect(await answer('one')).toMatchObject({ invocations: 1 });
  });

  it('refuses a result above 6 MB', async () => {
    expect(await invoke('one', { resultBytes: 6 * 1024 * 1024 })).toMatchObject({
      error: { errorType: 'Function.ResponseSizeTooLarge' },
    });
  });

  it.each([
    ['broken', 'TypeError'],
    ['missing', 'Runtime.ImportModuleError'],
    ['unnamed', 'Runtime.HandlerNotFound'],
    ['nobody', 'ResourceNotFoundException'],
  ])('%s: %s', async (name, errorType) => {
    expect(await invoke(name)).toMatchObject({ error: { errorType } });
    expect(await invoke(name)).toMatchObject({ error: { errorType } });
  });
});

it('measures the memory of the processes, not of their host', async () => {
  const ofTheHost = Buffer.alloc(300e6, 1);
  const own = createFunctionHost({ functions: { single: { module, timeoutSeconds: FAR } } });
  await own.invoke('single', {});
  expect(own.memory('single')).toBeLessThan(ofTheHost.length);
  await own.close();

  await answer('single');
  const idle = host.memory('single');
  expect(idle).toBeGreaterThan(20e6);
  await answer('single', { allocateMB: 100 });
  expect(host.memory('single') - idle).toBeGreaterThan(90e6);
  expect(host.memory('nobody')).toBe(0);
});

it('ends its processes when it is closed, and when its own process is killed', async () => {
  const own = createFunctionHost({ functions: { one: { module, timeoutSeconds: FAR } } });
  const result = await own.invoke('one', {});
  const pid = Number(('ok' in result && (result.ok as { pid: number }).pid) || 0);
  expect(isAlive(pid)).toBe(true);
  await own.close();
  expect(isAlive(pid)).toBe(false);
  expect(await own.invoke('one', {})).toMatchObject({ kind: 'throttled' });

  const script = `
    import { createFunctionHost } from ${JSON.stringify(new URL('../../../local/aws/function-host.ts', import.meta.url))};
    const functions = { one: { module: ${JSON.stringify(module)}, timeoutSeconds: ${FAR} } };
    const host = createFunctionHost({ functions, onLog: () => console.log(pid) });
    const { pid } = (await host.invoke('one', {})).ok;
    await host.invoke('one', { log: 'under way', hang: true });`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // It says so for each line of its function, and the function writes two.
  const child = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (data) => resolve(Number.parseInt(data, 10))),
  );
  const wasAlive = isAlive(child);
  parent.kill('SIGKILL');
  expect(wasAlive).toBe(true);
  // An orphan that has ended still counts as a process until init collects it.
  await eventually(() => isAlive(child)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
