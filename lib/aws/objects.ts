// Where the undelivered store keeps its objects: a bucket or a folder, with the conditional writes that both can do.

/** All methods throw what the client or the file system throws. */
export interface Objects {
  /** In the order of the keys' bytes, from behind `after` on; as many as there are at once. */
  list(
    prefix: string,
    after: string,
  ): Promise<{ objects: readonly { key: string; bytes: number }[]; more: boolean }>;
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
