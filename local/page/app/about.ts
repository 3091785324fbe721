// What this page shows: what runs on this machine, or a deployed stage. Asked once, and again until there is an answer.
import { useEffect, useState } from 'preact/hooks';
import type { About } from '../told-stage.ts';
import type { Connection } from './follow.ts';
import { tokenHeader } from './token.ts';

/** Before it is asked again, in ms. */
const PAUSE_MS = 1_000;

/** @returns how the asking goes while there is no answer */
export function useAbout(): About | Connection {
  const [answer, setAnswer] = useState<About | Connection>('connecting');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const found = await asked();
      setAnswer(found);
      if (found === 'lost') timer = setTimeout(() => void look(), PAUSE_MS);
    };
    void look();
    return () => clearTimeout(timer);
  }, []);
  return answer;
}

async function asked(): Promise<About | 'lost' | 'denied'> {
  const answer = await fetch('/api/about', { headers: tokenHeader() }).catch(() => undefined);
  if (answer?.status === 401) return 'denied';
  return answer?.ok ? ((await answer.json()) as About) : 'lost';
}
