// The news of what a page looks at: when the next look follows.
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { follow } from '../../../local/page/events.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** What a page would get. */
function response() {
  const written: string[] = [];
  const fake = Object.assign(new EventEmitter(), {
    writableLength: 0,
    destroyed: false,
    writeHead: () => fake,
    write: (text: string) => written.push(text),
  });
  return { fake: fake as unknown as ServerResponse, written };
}

describe('what a page follows', () => {
  it('is looked at again at once while there is more, and then twice a second', async () => {
    const news = [{ n: 1, isMore: true }, { n: 2, isMore: true }, { n: 3 }, { n: 4 }];
    const { fake, written } = response();
    follow(fake, async () => news.shift());
    await vi.advanceTimersByTimeAsync(490);
    expect(written.map((text) => /"n":(\d)/.exec(text)?.[1])).toEqual(['1', '2', '3']);
    await vi.advanceTimersByTimeAsync(20);
    expect(written.at(-1)).toBe('data: {"n":4}\n\n');
    fake.emit('close');
  });
});
