// What a JSON Patch is made of: RFC 6902, as far as Adobe's services take it. Contract §2.5, §3.3, §4.2.

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  /** A JSON Pointer: `/` within a name is written `~1`, `~` is written `~0`. */
  readonly path: string;
  readonly value?: unknown;
}
