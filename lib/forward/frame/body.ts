// What a request is around its messages, and how large it may be.

/** The inlet takes 1 MB. No source says whether that is 10^6 or 2^20. Contract §6.4. */
export const MAX_REQUEST_BYTES = 990_000;

export const OPENING = Buffer.from('{"messages":[');
export const CLOSING = Buffer.from(']}');

/** Bytes of a request besides its messages. */
export const REQUEST_OVERHEAD = OPENING.length + CLOSING.length;
