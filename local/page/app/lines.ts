// A list that the server tells by its changes, put together again.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Changes } from '../told.ts';
import { type Connection, useFollow } from './follow.ts';

/** @param what the name of the list at the server. @returns `undefined` before it has come */
export function useLines<T>(
  what: string,
  keyOf: (line: T) => string,
  onConnection: (connection: Connection) => void,
): readonly T[] | undefined {
  const known = useRef(new Map<string, T>());
  const [lines, setLines] = useState<readonly T[] | undefined>();
  const connection = useFollow<Changes<T>>(what, {
    path: () => `/api/follow/${what}`,
    onOpen: () => known.current.clear(),
    onNews({ set, gone }) {
      for (const line of set) known.current.set(keyOf(line), line);
      for (const key of gone) known.current.delete(key);
      setLines([...known.current.values()]);
    },
  });
  useEffect(() => onConnection(connection), [connection, onConnection]);
  return lines;
}
