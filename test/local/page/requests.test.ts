import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../local/aep/journal.ts';
import { curlOf, requestDetail, requestsFeed } from '../../../local/page/areas/requests.ts';
import { ORIGIN, toldStack } from '../../support/watched.ts';

const ENTRY: Entry = {
  number: 1,
  at: 0,
  method: 'POST',
  path: '/data/foundation/catalog/dataSets',
  query: { limit: '1', name: "it's $(id) `x`" },
  headers: {
    host: 'x',
    'content-length': '9',
    authorization: '***',
    'x-sandbox-name': "dev'1",
    'content-type': 'application/json',
  },
  body: { name: 'O\'Neil; $(touch /tmp/no)\n"two"' },
  status: 201,
  replyHeaders: {},
  reply: null,
  durationMs: 1,
  faults: [],
};

/** What a shell hands to curl. */
function wordsOf(command: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${command}`;
  const out = execFileSync('sh', ['-c', script], { env: { TOKEN: 'mine' }, encoding: 'utf8' });
  return out.split('\0').slice(0, -1);
}

describe('a request as curl', () => {
  it('reaches a shell word for word, whatever is in it', () => {
    expect(wordsOf(curlOf(ENTRY, ORIGIN))).toEqual([
      `${ORIGIN}/data/foundation/catalog/dataSets?limit=1&name=it%27s+%24%28id%29+%60x%60`,
      '--request',
      'POST',
      '--header',
      'authorization: Bearer mine',
      '--header',
      "x-sandbox-name: dev'1",
      '--header',
      'content-type: application/json',
      '--data-raw',
      JSON.stringify(ENTRY.body),
    ]);
  });

  it('has no body where the journal kept its size alone', () => {
    expect(curlOf({ ...ENTRY, body: { messages: 3, bytes: 900 } }, ORIGIN)).not.toContain('--data');
    expect(curlOf({ ...ENTRY, method: 'GET', body: null }, ORIGIN)).not.toContain('--request');
  });
});

describe('the requests that the page follows', () => {
  const asked = async (stack: ReturnType<typeof toldStack>, path: string) =>
    stack.platform.platform.fetch(new Request(`${ORIGIN}${path}`));

  it('are told once each, from where the page has got to', async () => {
    const stack = toldStack();
    const feed = requestsFeed(stack, 0);
    expect(feed()).toEqual({ added: [], forgotten: 0 });
    expect(feed()).toBeUndefined();
    await asked(stack, '/one');
    await asked(stack, '/two');
    expect(feed()).toMatchObject({ added: [{ path: '/one' }, { path: '/two' }] });
    expect(feed()).toBeUndefined();
    expect(requestsFeed(stack, 1)()).toMatchObject({ added: [{ number: 2, path: '/two' }] });
  });

  it('begin anew where the journal was emptied, or another platform has begun', async () => {
    const stack = toldStack();
    await asked(stack, '/one');
    const feed = requestsFeed(stack, 0);
    expect(feed()).toBeDefined();
    stack.platform.platform.journal.clear();
    expect(feed()).toEqual({ added: [], forgotten: 1, again: true });
    expect(feed()).toBeUndefined();
    expect(requestsFeed(toldStack(), 900)()).toMatchObject({ added: [], again: true });
  });

  it('are shown whole as long as they are kept', async () => {
    const stack = toldStack();
    await asked(stack, '/one?a=1');
    expect(requestDetail(stack, 1)).toMatchObject({ path: '/one', curl: `curl '${ORIGIN}/one?a=1'` });
    expect(requestDetail(stack, 2)).toBeUndefined();
    expect(requestDetail(stack, Number.NaN)).toBeUndefined();
  });
});
