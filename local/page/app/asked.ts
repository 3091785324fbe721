// Something that is asked of the server for the thing that is chosen, and again when that has changed.
import { useEffect, useState } from 'preact/hooks';
import { ask } from './follow.ts';

/** @param version another one asks again, and leaves what is shown until the answer is there */
export function useAsked<T>(path: string, version: unknown = 0): T | 'gone' | undefined {
  const [answer, setAnswer] = useState<{ readonly path: string; readonly found: T | 'gone' } | undefined>();
  useEffect(() => {
    const end = new AbortController();
    void ask<T>(path, end.signal).then((found) => {
      if (!end.signal.aborted) setAnswer({ path, found: found ?? 'gone' });
    });
    return () => end.abort();
  }, [path, version]);
  return answer?.path === path ? answer.found : undefined;
}
