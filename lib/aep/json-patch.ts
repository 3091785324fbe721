// The operations of a JSON Patch (RFC 6902) that Adobe's services take. Contract §2.5, §3.3, §4.2.

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  /** A JSON Pointer: `/` within a name is written `~1`, `~` is written `~0`. */
  readonly path: string;
  readonly value?: unknown;
}
