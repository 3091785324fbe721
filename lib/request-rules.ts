// What the state machine refuses of a manifest and its samples although each is right by itself: their sizes, and a start to come.
import { MAX_MANIFEST_BYTES } from './bounds.ts';
import type { Manifest } from './manifest.ts';

/** As JSON, beside the manifest. */
export const MAX_SAMPLES_BYTES = 40_000;

/** What does not fit into the state machine, one a line. */
export function sizeMistakes(manifest: Manifest, samples: unknown = []): string[] {
  return [
    ...sizeMistake('the manifest', manifest, MAX_MANIFEST_BYTES),
    ...sizeMistake('the list of samples', samples, MAX_SAMPLES_BYTES),
  ];
}

function sizeMistake(what: string, value: unknown, largest: number): string[] {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes <= largest
    ? []
    : [`${what} has ${bytes} bytes as JSON; at most ${largest} fit into the state machine`];
}

/**
 * Kinesis starts at a time that has passed.
 * @param now ms since 1970
 */
export function startToCome({ source }: Manifest, now: number): string | undefined {
  if (source.kind !== 'inlet' || !(Date.parse(source.startAt) > now)) return undefined;
  return `source.startAt: ${source.startAt} is in the future`;
}
