// What the areas of a deployed stage have alike: an answer that is followed, its age, and what AWS does not do.
import { useEffect, useState } from 'preact/hooks';
import type { Obstacle } from '../told.ts';
import type { Answered } from '../told-stage.ts';
import { type Connection, useFollow } from './follow.ts';
import { Sign } from './parts.tsx';

/** The last answer, which stays while AWS refuses the next ones. */
export interface Stood<T> {
  readonly found?: T;
  readonly obstacle?: Obstacle;
  /** Of the last try, in ms since the epoch. */
  readonly at: number;
}

/** @returns `undefined` before an answer has come */
export function useStood<T>(
  what: string,
  onConnection: (connection: Connection) => void,
): Stood<T> | undefined {
  const [stood, setStood] = useState<Stood<T> | undefined>();
  const connection = useFollow<Answered<T>>(what, {
    path: () => `/api/follow/${what}`,
    onNews: (news) =>
      setStood((before) => ({ ...(before?.found !== undefined && { found: before.found }), ...news })),
  });
  useEffect(() => onConnection(connection), [connection, onConnection]);
  return stood;
}

interface TroubleProps {
  readonly obstacle: Obstacle;
  /** Of a run, the state in which it began. */
  readonly state?: string;
}

export function Trouble({ obstacle: { code, what, next }, state = '' }: TroubleProps) {
  return (
    <div class="trouble" role="alert">
      <Sign health="bad" />
      <p>
        <strong>
          {state !== '' && `At ${state}: `}
          <bdi>{code}</bdi>
        </strong>{' '}
        <bdi>{what}</bdi> {next !== undefined && <span class="next">Next: {next}</span>}
      </p>
    </div>
  );
}

/** When the stage was asked, and what it did not do. */
export function Age({ stood }: { readonly stood: Stood<unknown> | undefined }) {
  if (stood === undefined) return null;
  return (
    <>
      {stood.obstacle !== undefined && <Trouble obstacle={stood.obstacle} />}
      <p class="amount">Asked at {momentOf(stood.at)}</p>
    </>
  );
}

/** `2026-11-29 10:43:21`, in the time of this machine. */
export function momentOf(at: number): string {
  return new Date(at).toLocaleString('sv-SE');
}

/** `5 min 12 s`. */
export function lasted(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(ms < 1_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const parts = [hours > 0 && `${hours} h`, minutes > 0 && `${minutes} min`, `${seconds % 60} s`];
  return parts.filter(Boolean).join(' ');
}
