// What one route does with each message of its stream, up to a framed one.
import type { Decoded } from '../read/decode.ts';
import type { Message } from '../read/message.ts';
import type { Transform } from '../transform/transform.ts';
import type { Settled } from '../verdict.ts';
import type { Framed } from './framed.ts';
import type { LEFT_OUT } from './outcome.ts';

export interface Way {
  /**
   * What the route makes of an ordinary record; `undefined` if the record has to go the long way. Absent: all records
   * go the long way.
   */
  readonly short?: ((ordinary: Framed) => Framed | typeof LEFT_OUT | undefined) | undefined;
  /** `undefined` where the pipeline does not transform its records. */
  readonly transform: Transform | undefined;
  readonly frame: (decoded: Decoded) => Framed | Settled;
  /** Whether the message arrived when the route took messages already. Absent: it takes all. */
  readonly isFor?: ((message: Message) => boolean) | undefined;
  /** Whether the route takes only some messages, by their fields. */
  readonly chooses?: boolean;
  /** Whether AEP acknowledged it in an earlier invocation. */
  readonly isKnown: (message: Message) => boolean;
  /** Whether it is the message that may be sent once more. */
  readonly isWitness?: (message: Message) => boolean;
}
