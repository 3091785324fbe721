// Where the dead-letter store keeps its objects: a bucket or a folder, with the conditional writes that both can do.
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import { Failure } from '../failure.ts';

/** All methods throw what the client or the file system throws. */
export interface Objects {
  /** In the order of the keys' bytes, from behind `after` on; as many as there are at once. */
  list(
    prefix: string,
    after: string,
  ): Promise<{ objects: readonly { key: string; bytes: number }[]; more: boolean }>;
  /** As a whole. @throws Failure `TOO_LARGE` for more than is held in memory */
  read(key: string): Promise<{ text: string; version: string } | undefined>;
  /** Writes durably, whatever is there. */
  write(key: string, text: string): Promise<void>;
  /** Writes where nothing is; `false` where something is. */
  create(key: string, text: string): Promise<boolean>;
  /** Writes where this version is; `false` where it is not. */
  replace(key: string, version: string, text: string): Promise<boolean>;
  /** Removes this version; `false` where another one is there. What is not there counts as removed. */
  remove(key: string, version: string): Promise<boolean>;
}

export function tooLarge(key: string, bytes: number | undefined): Failure {
  return new Failure(
    'TOO_LARGE',
    `the object ${key} has ${bytes} bytes; at most ${MAX_OBJECT_BYTES} are read`,
    {
      next: 'Look at it by hand: Penstock writes none that is so large.',
    },
  );
}
