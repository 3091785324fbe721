// Follows the server's news over one request that does not end, and begins anew when it breaks.
import { useEffect, useRef, useState } from 'preact/hooks';
import { tokenHeader } from './token.ts';

/** `denied`: the token is not that of the server any more. */
export type Connection = 'connecting' | 'live' | 'lost' | 'denied';

/** Before it is tried again, in ms. */
const PAUSE_MS = 1_000;

export interface Following<T> {
  /** Where: asked again for each connection, so that it can go on where it was. */
  readonly path: () => string;
  readonly onOpen?: () => void;
  readonly onNews: (news: T) => void;
}

/** @param key what is followed: another one ends this connection and begins another */
export function useFollow<T>(key: string, following: Following<T>): Connection {
  const [connection, setConnection] = useState<Connection>('connecting');
  const latest = useRef(following);
  latest.current = following;
  useEffect(() => {
    const end = new AbortController();
    setConnection('connecting');
    void keep(latest, end.signal, setConnection);
    return () => end.abort();
  }, [key]);
  return connection;
}

async function keep<T>(
  latest: { readonly current: Following<T> },
  signal: AbortSignal,
  tell: (connection: Connection) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const answer = await fetch(latest.current.path(), { headers: tokenHeader(), signal });
      if (answer.status === 401) return tell('denied');
      if (!answer.ok || answer.body === null) throw new Error(`${answer.status}`);
      tell('live');
      latest.current.onOpen?.();
      for await (const text of eventsOf(answer.body)) latest.current.onNews(JSON.parse(text) as T);
    } catch {
      // Whatever it was, the server is asked again.
    }
    if (signal.aborted) return;
    tell('lost');
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** The data of each event; comments, and what failed on the other side, are passed over. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('data: ')) yield part.slice('data: '.length);
  }
}

/** Asks once. @returns `undefined` where there is no answer */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T | undefined> {
  try {
    const answer = await fetch(path, { headers: tokenHeader(), ...(signal && { signal }) });
    return answer.ok ? ((await answer.json()) as T) : undefined;
  } catch {
    // It can also break off after it has begun.
    return undefined;
  }
}
