// The soak's witness: what was written, what was sent, what AEP holds and what the store holds, held against each other by
// bytes. It imports nothing of the forwarder and nothing of the simulated platform, on purpose.
import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What has to come of a record: it lands in the dataset; it is sent, and then kept in the dead-letter store, because AEP refuses
 * it; or it is kept there without being sent, because it is nothing that could be. What is for other routes only is in
 * neither.
 */
export type Fate = 'lands' | 'refused' | 'unfit' | 'elsewhere';

export interface Findings {
  readonly written: number;
  readonly landed: number;
  readonly kept: number;
  /** Neither in the dataset nor in the dead-letter store. */
  readonly lost: number;
  /** In a request, in the dataset or in the store, and written by nobody. */
  readonly phantoms: number;
  /** Sent or stored with other bytes than were written. */
  readonly altered: number;
  /** Sent although they are unfit or for other routes, or in the dataset although they were refused. */
  readonly misplaced: number;
  /** Sound ones that are in the store and nowhere else: the inlet had refused them. */
  readonly refusedThoughSound: number;
  /** Rows beyond the first of each record. */
  readonly duplicates: number;
  /** The most rows that one record has. */
  readonly mostCopies: number;
  /** Rows that came of requests whose answer did not say so: lost, late, cut, or not to be understood. */
  readonly unacknowledged: number;
  /** In the store more than once: an invocation that is repeated stores its rejects again. */
  readonly storedAgain: number;
  /** Entries of the store by their reason. */
  readonly reasons: ReadonlyMap<string, number>;
  /** A few of everything that is wrong, in words without content. */
  readonly examples: readonly string[];
}

const DIGEST_BYTES = 32;
const MOST_EXAMPLES = 20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The text that names a record; `markIn` finds it wherever it stands. */
export function markOf(index: number): string {
  return `soak-${String(index).padStart(8, '0')}`;
}

function markIn(bytes: Buffer): number | undefined {
  const at = bytes.indexOf('soak-');
  const digits = at === -1 ? '' : bytes.toString('latin1', at + 5, at + 13);
  return /^\d{8}$/.test(digits) ? Number(digits) : undefined;
}

export class Oracle {
  readonly #size: number;
  /** SHA-256 of what has to arrive at the inlet, one after the other. */
  readonly #sent: Buffer;
  /** SHA-256 of what was written, which is what the store has to hold, should it come to that. */
  readonly #kept: Buffer;
  /** By the hash of what the store has to hold, for those that bear no mark that can be read. */
  readonly #unmarked = new Map<string, number>();
  readonly #fates: Uint8Array;
  readonly #rows: Uint16Array;
  readonly #acknowledged: Uint16Array;
  readonly #stored: Uint16Array;
  readonly #reasons = new Map<string, number>();
  readonly #examples: string[] = [];
  #phantoms = 0;
  #altered = 0;
  #misplaced = 0;

  constructor(size: number) {
    this.#size = size;
    this.#sent = Buffer.alloc(size * DIGEST_BYTES);
    this.#kept = Buffer.alloc(size * DIGEST_BYTES);
    this.#fates = new Uint8Array(size);
    this.#rows = new Uint16Array(size);
    this.#acknowledged = new Uint16Array(size);
    this.#stored = new Uint16Array(size);
  }

  /**
   * Notes a record at the moment of its writing.
   * @param bytes as they are written
   * @param json the object in them, byte for byte as it has to arrive at the inlet, if it may
   */
  write(index: number, fate: Fate, bytes: Buffer, json: Buffer = bytes): void {
    this.#fates[index] = FATES[fate];
    this.#sent.set(digestOf(json), index * DIGEST_BYTES);
    const digest = digestOf(bytes);
    this.#kept.set(digest, index * DIGEST_BYTES);
    if (markIn(bytes) === undefined) this.#unmarked.set(digest.toString('hex'), index);
  }

  /** Looks at a request as it came over the wire. @returns the records in it, in order; -1 for what nobody wrote */
  request(body: Buffer): number[] {
    const messages = messagesIn(body);
    if (messages === undefined) {
      this.#wrong('phantoms', 'a request is not {"messages":[…]}');
      return [];
    }
    return messages.map((message) => this.#message(message));
  }

  #message(message: Buffer): number {
    const json = entityIn(message);
    const index = markIn(json);
    if (index === undefined || index >= this.#size || this.#fates[index] === FATES.none) {
      this.#wrong('phantoms', `a message of ${json.length} bytes was sent that nobody wrote`);
      return -1;
    }
    if (this.#fates[index] === FATES.unfit || this.#fates[index] === FATES.elsewhere)
      this.#wrong('misplaced', `record ${index} was sent`);
    else if (!isAt(this.#sent, index, digestOf(json))) this.#wrong('altered', `record ${index} was sent`);
    return index;
  }

  /**
   * Notes which of a request's records an answer acknowledges plainly: by position, one entry for each.
   * @returns those records
   */
  answer(records: readonly number[], responses: unknown): number[] {
    if (!Array.isArray(responses) || responses.length !== records.length) return [];
    const told = records.filter((index, position) => index >= 0 && isAcknowledgement(responses[position]));
    for (const index of told) this.#acknowledged[index] = (this.#acknowledged[index] ?? 0) + 1;
    return told;
  }

  /** Looks at rows of the dataset by their `_id`. */
  rows(rows: readonly { readonly _id?: unknown }[]): void {
    for (const { _id } of rows) {
      const index = typeof _id === 'string' ? markIn(Buffer.from(_id)) : undefined;
      if (index === undefined || index >= this.#size || this.#fates[index] === FATES.none)
        this.#wrong('phantoms', 'a row landed that nobody wrote');
      else if (this.#fates[index] !== FATES.lands) this.#wrong('misplaced', `record ${index} landed`);
      else this.#rows[index] = (this.#rows[index] ?? 0) + 1;
    }
  }

  /** Reads the whole dead-letter store back. */
  async store(folder: string): Promise<void> {
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      // Renamed when it is whole: what a kill left half written is not in the store.
      if (!file.isFile() || file.name.endsWith('.tmp')) continue;
      const document: unknown = JSON.parse(await readFile(join(file.parentPath, file.name), 'utf8'));
      const { entries } = document as { entries?: readonly { reason: string; data: string }[] };
      if (entries === undefined)
        this.#wrong('phantoms', `the store has a document of another kind: ${file.name}`);
      for (const entry of entries ?? []) this.#entry(entry);
    }
  }

  /** @returns the record that the store has in these bytes; `undefined` where no such one was written */
  recordIn(bytes: Buffer): number | undefined {
    return markIn(bytes) ?? this.#unmarked.get(digestOf(bytes).toString('hex'));
  }

  #entry({ reason, data }: { readonly reason: string; readonly data: string }): void {
    const bytes = Buffer.from(data, 'base64');
    const digest = digestOf(bytes);
    const index = this.recordIn(bytes);
    if (index === undefined || index >= this.#size || this.#fates[index] === FATES.none) {
      this.#wrong('phantoms', `the store has ${bytes.length} bytes that nobody wrote (${reason})`);
      return;
    }
    if (this.#fates[index] === FATES.elsewhere) this.#wrong('misplaced', `record ${index} was stored`);
    if (!isAt(this.#kept, index, digest)) this.#wrong('altered', `record ${index} was stored`);
    this.#stored[index] = (this.#stored[index] ?? 0) + 1;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  /** What it comes to. Call it when all is over, and `store` has been read. */
  findings(): Findings {
    const sums = { written: 0, landed: 0, kept: 0, lost: 0, refusedThoughSound: 0 };
    const copies = { duplicates: 0, mostCopies: 0, unacknowledged: 0, storedAgain: 0 };
    for (let index = 0; index < this.#size; index++) {
      if (this.#fates[index] === FATES.none || this.#fates[index] === FATES.elsewhere) continue;
      sums.written++;
      const [rows, stored] = [this.#rows[index] ?? 0, this.#stored[index] ?? 0];
      if (rows > 0) sums.landed++;
      if (stored > 0) sums.kept++;
      if (rows === 0 && stored === 0) {
        sums.lost++;
        this.#example(`record ${index} is nowhere`);
      }
      if (this.#fates[index] === FATES.lands && rows === 0 && stored > 0) sums.refusedThoughSound++;
      copies.duplicates += Math.max(0, rows - 1);
      copies.mostCopies = Math.max(copies.mostCopies, rows);
      copies.unacknowledged += Math.max(0, rows - (this.#acknowledged[index] ?? 0));
      copies.storedAgain += Math.max(0, stored - 1);
    }
    return {
      ...sums,
      ...copies,
      phantoms: this.#phantoms,
      altered: this.#altered,
      misplaced: this.#misplaced,
      reasons: this.#reasons,
      examples: this.#examples,
    };
  }

  #wrong(what: 'phantoms' | 'altered' | 'misplaced', example: string): void {
    if (what === 'phantoms') this.#phantoms++;
    else if (what === 'altered') this.#altered++;
    else this.#misplaced++;
    this.#example(`${what}: ${example}`);
  }

  #example(example: string): void {
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(example);
  }
}

const FATES = { none: 0, lands: 1, refused: 2, unfit: 3, elsewhere: 4 } as const;

function digestOf(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer');
}

function isAt(digests: Buffer, index: number, digest: Buffer): boolean {
  return digests.compare(digest, 0, DIGEST_BYTES, index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES) === 0;
}

/** The contract's rule: an id, and no status by either name. */
function isAcknowledgement(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  return 'xactionId' in entry && !('status' in entry) && !('statusCode' in entry);
}

/** Pre-transformed messages are an entity in an envelope of Adobe's; what the producer wrote is the entity. */
function entityIn(message: Buffer): Buffer {
  const name = '"xdmEntity":';
  if (message.toString('latin1', 0, 22) !== '{"header":{"schemaRef"') return message;
  const at = message.indexOf(name);
  return at === -1 ? message : message.subarray(at + name.length, message.length - 2);
}

/** The items of `{"messages":[…]}` as they are written: from brace to brace, looking at nothing but strings and depth. */
export function messagesIn(body: Buffer): Buffer[] | undefined {
  const [opening, closing] = ['{"messages":[', ']}'];
  if (body.toString('latin1', 0, opening.length) !== opening) return undefined;
  if (body.toString('latin1', body.length - closing.length) !== closing) return undefined;
  const items: Buffer[] = [];
  const end = body.length - closing.length;
  let depth = 0;
  let from = opening.length;
  for (let at = from; at < end; at++) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfString(body, at);
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x2c && depth === 0) {
      items.push(body.subarray(from, at));
      from = at + 1;
    }
    if (depth < 0) return undefined;
  }
  items.push(body.subarray(from, end));
  return depth === 0 ? items : undefined;
}

/** Where the string that opens at `start` closes: at a quote with an even number of backslashes before it. */
function endOfString(body: Buffer, start: number): number {
  for (let at = body.indexOf(QUOTE, start + 1); at !== -1; at = body.indexOf(QUOTE, at + 1)) {
    let before = at - 1;
    while (body[before] === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at;
  }
  return body.length;
}
