// How the records of a stream are prepared for its routes.
import type { PublishedRoute, PublishedStream } from '../published.ts';
import type { Framed } from './frame/framed.ts';
import type { StreamStages } from './frame/prepare.ts';
import { createDecoding, isPlain } from './read/decoding.ts';
import type { RouteTurn } from './turn.ts';

export function streamStages(
  { routes, settings }: PublishedStream,
  turns: readonly RouteTurn[],
): StreamStages {
  const decoding = createDecoding(routes[0] as PublishedRoute);
  const unrouted = {
    kind: settings.unrouted,
    redacts: routes.some(({ records }) => records?.redact !== undefined),
  };
  const [only] = turns;
  if (turns.length === 1 && only !== undefined) {
    const direct = only.way.transform === undefined && isPlain(decoding) ? only.framer.direct : undefined;
    const way = direct === undefined ? only.way : { ...only.way, short: (ordinary: Framed) => ordinary };
    return { decoding, direct, ways: [way], unrouted };
  }
  return { decoding, ways: turns.map(({ way }) => way), unrouted };
}
