// How the records of a pipeline are read: what they are packed with, and the format of what is inside.
import type { PublishedFormat } from '../../formats.ts';
import type { PublishedPipeline } from '../../published.ts';
import type { Expander } from './formats/expander.ts';
import { jsonLinesExpander } from './formats/json-lines.ts';

export interface Decoding {
  readonly compression: PublishedPipeline['compression'];
  /** `undefined` where a record is one message. */
  readonly expander?: Expander | undefined;
}

/** Made once for a pipeline, because a format may keep what it has learnt. */
export function createDecoding({
  compression,
  format,
}: Pick<PublishedPipeline, 'compression' | 'format'>): Decoding {
  return format === undefined ? { compression } : { compression, expander: expanderFor(format) };
}

/** Whether a record is one message of the size that it seems to have, unless it is an aggregate. */
export function isPlain({ compression, expander }: Decoding): boolean {
  return compression === 'none' && expander === undefined;
}

function expanderFor(format: PublishedFormat): Expander {
  switch (format.kind) {
    case 'json-lines':
      return jsonLinesExpander;
  }
}
