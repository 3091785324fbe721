// How the records of a stream are prepared for its routes: which of them go the short way.
import type { Failure } from '../failure.ts';
import type { PublishedRoute, PublishedStream } from '../published.ts';
import type { Records } from '../records.ts';
import { createBareDirect } from './frame/frame.ts';
import type { Framed } from './frame/framed.ts';

import type { StreamStages } from './frame/prepare.ts';
import { createTakers } from './frame/takers.ts';
import { LEFT_OUT, type Way } from './frame/way.ts';
import { createDecoding, isPlain } from './read/decoding.ts';
import type { Schemas } from './read/formats/by-schema.ts';
import type { RouteTurn } from './turn.ts';

/**
 * @param turns one for each route that can be read, in their order
 * @param schemas what the container knows of schemas
 * @param onUnready told why a record cannot be decoded yet
 */
export function streamStages(
  stream: PublishedStream,
  turns: readonly RouteTurn[],
  schemas: Schemas,
  onUnready: (failure: Failure) => void,
): StreamStages {
  const shared = streamDecoding(stream, schemas);
  return { ...shared, onUnready, ...(isPlain(shared.decoding) ? shortWays(turns) : longWays(turns)) };
}

/** What all routes of a stream share. Without `schemas` Glue's registry is not asked. */
export function streamDecoding(
  { routes, settings }: PublishedStream,
  schemas?: Schemas,
): Pick<StreamStages, 'decoding' | 'unrouted'> {
  return {
    decoding: createDecoding(routes[0] as PublishedRoute, schemas),
    unrouted: {
      kind: settings.unrouted,
      redacts: routes.some(({ records }) => records?.redact !== undefined),
    },
  };
}

type ShortWays = Pick<StreamStages, 'direct' | 'ways' | 'takers'>;

function longWays(turns: readonly RouteTurn[]): ShortWays {
  return { ways: turns.map(({ way }) => way) };
}

function shortWays(turns: readonly RouteTurn[]): ShortWays {
  const [first, ...others] = turns;
  if (first === undefined || (others.length === 0 && first.way.transform === undefined && !first.way.isFor))
    return { direct: first?.framer.direct, ways: turns.map(({ way }) => ({ ...way, short: itself })) };
  const takers = createTakers(turns.map(({ route }) => chosenByBytes(route)));
  // What is decoded twice costs more: it must spare a route the long way, or all of them the parsing of most records.
  const isWorthIt = turns.some(({ route }, at) => takers?.byBytes[at] && sendsWhole(route));
  if (takers === undefined || !isWorthIt) return longWays(turns);
  const isAllByBytes = turns.every(({ route }, at) => takers.byBytes[at] && sendsWhole(route));
  return {
    direct: createBareDirect(takers),
    takers: isAllByBytes ? takers : undefined,
    ways: turns.map((turn, at): Way => {
      if (takers.byBytes[at] !== true) return turn.way;
      const { way, framer, route } = turn;
      const around = sendsWhole(route) ? framer.around : undefined;
      const short = (ordinary: Framed) => {
        const isTaken = ((ordinary.takers ?? 0) & (1 << at)) !== 0 && way.isFor?.(ordinary.message) !== false;
        return isTaken ? around?.(ordinary) : LEFT_OUT;
      };
      return { ...way, short };
    }),
  };
}

/** What is passed over has to be told from what `where` leaves out: such a route looks into every record itself. */
function chosenByBytes({ records = {} }: PublishedRoute): Records['where'] {
  return records.passOver === undefined ? records.where : undefined;
}

function itself(ordinary: Framed): Framed {
  return ordinary;
}

/** Whether the pipeline does nothing with a record but choose it, and put its frame around it. */
function sendsWhole({ records = {} }: PublishedRoute): boolean {
  return Object.entries(records).every(
    ([name, value]) =>
      value === undefined || name === 'where' || (name === 'operations' && 'data' in (value as object)),
  );
}
