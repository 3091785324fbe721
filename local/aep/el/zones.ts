// Time zones by id, by abbreviation and by name: how far each is from UTC. What a zone does, Node's own ICU knows.

import { ExpressionError } from './tokens.ts';

/**
 * Minutes east of UTC. An abbreviation is one offset all year round: Adobe's sample of `zone_date_to_utc` takes
 * `2019-10-17T11:55:12 PST`, a day of summer time, as eight hours behind.
 */
const ABBREVIATIONS: ReadonlyMap<string, number> = new Map([
  ...(['Z', 'UTC', 'GMT', 'UT', 'WET'].map((name) => [name, 0]) as [string, number][]),
  ['HST', -600],
  ['AKST', -540],
  ['AKDT', -480],
  ['PST', -480],
  ['PDT', -420],
  ['MST', -420],
  ['MDT', -360],
  ['CST', -360],
  ['CDT', -300],
  ['EST', -300],
  ['EDT', -240],
  ['AST', -240],
  ['ADT', -180],
  ['NST', -210],
  ['NDT', -150],
  ['WEST', 60],
  ['BST', 60],
  ['CET', 60],
  ['CEST', 120],
  ['EET', 120],
  ['EEST', 180],
  ['MSK', 180],
  ['IST', 330],
  ['SGT', 480],
  ['AWST', 480],
  ['JST', 540],
  ['KST', 540],
  ['ACST', 570],
  ['ACDT', 630],
  ['AEST', 600],
  ['AEDT', 660],
  ['NZST', 720],
  ['NZDT', 780],
]);

const OFFSET = /^(?:GMT|UTC|UT)?([+-])(\d{1,2})(?::?(\d{2}))?$/;

/** Minutes east of UTC in a zone at an instant. @throws ExpressionError where there is no such zone */
export function offsetAt(zone: string, at: number): number {
  const fixed = ABBREVIATIONS.get(zone) ?? offsetIn(zone);
  if (fixed !== undefined) return fixed;
  const shown = formatter(zone, 'longOffset').format(at);
  return offsetIn(/GMT(?:[+-]\d\d:\d\d)?/.exec(shown)?.[0] ?? 'GMT') ?? 0;
}

/** `-08:00`, `GMT-8`, `+0100`: minutes east of UTC. */
function offsetIn(text: string): number | undefined {
  const found = OFFSET.exec(text);
  if (!found) return undefined;
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3] ?? 0));
}

const DAY = 86_400_000;

/**
 * Minutes east of UTC where the clock on the wall shows `wall` (as if it were UTC). As in Java: of a time that the clock shows twice
 * the first counts, and a time that it skips becomes later by the gap.
 */
export function offsetOfWall(zone: string, wall: number): number {
  const [before, after] = [offsetAt(zone, wall - DAY), offsetAt(zone, wall + DAY)];
  for (const offset of [before, after]) {
    if (offsetAt(zone, wall - offset * 60_000) === offset) return offset;
  }
  return before;
}

/** The offset a text names at a wall's time: `PST`, `America/Los_Angeles`, `Pacific Standard Time`, `GMT-08:00`. */
export function offsetNamed(text: string, wall: number): number | undefined {
  try {
    return offsetOfWall(text, wall);
  } catch {
    return longNames().get(text.toLowerCase());
  }
}

let names: Map<string, number> | undefined;

/** `pacific standard time` → -480: made when first asked for. */
function longNames(): ReadonlyMap<string, number> {
  if (names) return names;
  names = new Map();
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    for (const at of [Date.UTC(2025, 0, 1), Date.UTC(2025, 6, 1)])
      names.set(nameAt(zone, at, 'long').toLowerCase(), offsetAt(zone, at));
  }
  return names;
}

/** What people call the zone at an instant: `Pacific Standard Time`, or `PST`. */
export function nameAt(zone: string, at: number, style: 'long' | 'short'): string {
  const parts = formatter(zone, style).formatToParts(at);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string, timeZoneName: 'long' | 'short' | 'longOffset'): Intl.DateTimeFormat {
  const key = `${timeZoneName} ${timeZone}`;
  const known = formatters.get(key);
  if (known) return known;
  try {
    const made = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName });
    // Zones come from records too, so the cache is bounded.
    if (formatters.size > 2_000) formatters.clear();
    formatters.set(key, made);
    return made;
  } catch {
    throw new ExpressionError(`'${timeZone}' is not a time zone`);
  }
}
