// What a format has to do: take the messages out of the unpacked bytes of one record, within bounds.
import { type Filtered, type Rejected, rejected } from '../../verdict.ts';

/**
 * A message that was taken out of a record: its JSON, which is the producer's own bytes where it is a slice of them.
 * With a verdict: what cannot be taken out, or is passed over. A reject's bytes must be a record of this format by
 * themselves: a redrive takes them for one.
 */
export type Piece = Buffer | { readonly bytes: Buffer; readonly verdict: Rejected | Filtered };

/** What the messages of one record may be at most, all together. */
export interface PieceBounds {
  readonly messages: number;
  readonly bytes: number;
}

/** Takes the messages out of the unpacked bytes of one record. */
export interface Expander {
  /** Whether a record may begin with any bytes, those of packed data included. */
  readonly isBinary?: boolean;
  /** Fetches what `expand` needs for these bytes, such as a schema; `undefined` if nothing is to be waited for. */
  ready?(bytes: Buffer): Promise<void> | undefined;
  /**
   * The messages in their order. A reject stands for the whole record: it cannot be read, or it breaks a bound.
   * Never throws for anything in a record.
   */
  expand(bytes: Buffer, bounds: PieceBounds): readonly Piece[] | Rejected;
}

/** Gives each message to `add`. Returns a reject where the record as a whole cannot be read. */
export type PieceReader = (bytes: Buffer, add: (piece: Piece) => void) => Rejected | undefined;

class BoundBroken extends Error {
  readonly verdict: Rejected;

  constructor(verdict: Rejected) {
    super(verdict.text);
    this.verdict = verdict;
  }
}

/** An expander that keeps the bounds: `add` ends the reading of a record that breaks one. */
export function expanderOf(read: PieceReader): Expander {
  return {
    expand(bytes, bounds) {
      const pieces: Piece[] = [];
      let size = 0;
      try {
        const verdict = read(bytes, (piece) => {
          size += (Buffer.isBuffer(piece) ? piece : piece.bytes).length;
          if (pieces.length === bounds.messages) throw new BoundBroken(tooMany(bounds));
          if (size > bounds.bytes) throw new BoundBroken(tooManyBytes(bounds));
          pieces.push(piece);
        });
        return verdict ?? pieces;
      } catch (error) {
        if (error instanceof BoundBroken) return error.verdict;
        throw error;
      }
    },
  };
}

function tooMany({ messages }: PieceBounds): Rejected {
  return rejected('too-many-messages', `it holds more than ${messages} messages`);
}

function tooManyBytes({ bytes }: PieceBounds): Rejected {
  return rejected('aggregate-too-large', `its messages have more than ${bytes} bytes together`);
}
