// Splits a download into lines. Only one line is in memory at a time, and only up to a given length.

export interface Line {
  /** Without its line feed; `undefined` if it is too long to be kept. */
  readonly bytes: Buffer | undefined;
  readonly length: number;
}

const LINE_FEED = 0x0a;

/** Every line, also empty ones. The text behind the last line feed is a line unless it is empty. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<Line, void, undefined> {
  let kept: Uint8Array[] = [];
  let length = 0;
  const add = (piece: Uint8Array) => {
    length += piece.length;
    if (length <= longest) kept.push(piece);
    else kept = [];
  };
  const take = (): Line => {
    const line = { bytes: length <= longest ? Buffer.concat(kept) : undefined, length };
    kept = [];
    length = 0;
    return line;
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let to = piece.indexOf(LINE_FEED); to >= 0; to = piece.indexOf(LINE_FEED, from)) {
      add(piece.subarray(from, to));
      yield take();
      from = to + 1;
    }
    add(piece.subarray(from));
  }
  if (length > 0) yield take();
}
