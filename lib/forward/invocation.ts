// What Lambda says of one invocation of the forwarder.
export interface Invocation {
  /** The time that Lambda leaves for this invocation, in ms. */
  readonly remainingMs: () => number;
  readonly invocationId: string;
}
