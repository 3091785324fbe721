// Server-sent events: what a page looks at is told again when it has changed, and nothing is done while nobody looks.
import type { ServerResponse } from 'node:http';

/** Gives what has changed since it was asked last; `undefined` for nothing. With `isMore: true` it is asked again at once. */
export type Feed = () => unknown | Promise<unknown>;

/** Between two looks, in ms. */
const LOOK_MS = 500;
/** A line at least this often shows each side that the other is there, in ms. */
const SIGN_MS = 10_000;
/** A page that takes no more than this at a time waits for its next news, in bytes. */
const MOST_WAITING = 4 * 1024 * 1024;

/** Answers with what `feed` gives, until the page goes away. */
export function follow(response: ServerResponse, feed: Feed): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let told = Date.now();
  let timer: NodeJS.Timeout | undefined;
  const write = (text: string) => {
    told = Date.now();
    response.write(text);
  };
  const look = async () => {
    let pause = LOOK_MS;
    try {
      const news = response.writableLength > MOST_WAITING ? undefined : await feed();
      if (isMore(news)) pause = 0;
      if (news !== undefined) write(`data: ${JSON.stringify(news)}\n\n`);
      else if (Date.now() - told > SIGN_MS) write(':\n\n');
    } catch (error) {
      write(`event: failed\ndata: ${JSON.stringify(String(error))}\n\n`);
    }
    if (!response.destroyed) timer = setTimeout(() => void look(), pause).unref();
  };
  response.once('close', () => clearTimeout(timer));
  void look();
}

function isMore(news: unknown): boolean {
  return (news as { readonly isMore?: unknown } | undefined)?.isMore === true;
}
