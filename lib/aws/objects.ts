// The objects of the dead-letter store, in a bucket or a folder, with the conditional writes that both have.
import { MAX_OBJECT_BYTES } from '../bounds.ts';
import { Failure } from '../failure.ts';

/** All methods throw what the client or the file system throws. */
export interface Objects {
  /** In the order of the keys' bytes, behind `after`; a page at a time. */
  list(
    prefix: string,
    after: string,
  ): Promise<{ objects: readonly { key: string; bytes: number }[]; more: boolean }>;
  /**
   * The whole object.
   * @throws Failure `TOO_LARGE` for more than is held in memory
   */
  read(key: string): Promise<{ text: string; version: string } | undefined>;
  /** Writes durably, whether an object is there or not. */
  write(key: string, text: string): Promise<void>;
  /** Writes if no object is there; `false` if one is. */
  create(key: string, text: string): Promise<boolean>;
  /** Writes if this version is there; `false` if it is not. */
  replace(key: string, version: string, text: string): Promise<boolean>;
  /** Removes this version; `false` if another one is there. A missing object counts as removed. */
  remove(key: string, version: string): Promise<boolean>;
}

export function tooLarge(key: string, bytes: number | undefined): Failure {
  return new Failure(
    'TOO_LARGE',
    `the object ${key} has ${bytes} bytes; at most ${MAX_OBJECT_BYTES} are read`,
    {
      next: 'Look at the object by hand: Penstock never writes such a large one.',
    },
  );
}
