// Why a route has a record more than once although an answer said plainly that it has it: a container died since, it was
// parked twice, or nothing explains it. It also counts how often a record was taken while another route refused.

/** Of one route. */
export interface CopiesFound {
  /** Taken again after an answer that a container got, or may have got, before it was killed. */
  readonly afterKills: number;
  /** Taken again since it was parked in two documents: a container died after it had stored the first, unheard. */
  readonly parkedTwice: number;
  /** Taken again, and none of these explains it. */
  readonly unexplained: number;
  /** Records that were taken twice during one outage of another route, and more than twice. */
  readonly twiceInOutage: number;
  readonly moreInOutage: number;
}

export class Copies {
  /** When it was taken last: the number of kills until then, and one; 0 for never. */
  readonly #last: Uint16Array;
  readonly #outage: Uint8Array;
  readonly #timesInOutage: Uint8Array;
  /** Of what was parked: the kills until its last document was stored, and how often one more copy is due. */
  readonly #parkings = new Map<number, { epoch: number; due: number }>();
  #parkedTwice = 0;
  #afterKills = 0;
  #unexplained = 0;
  #twice = 0;
  #more = 0;

  constructor(size: number) {
    this.#last = new Uint16Array(size);
    this.#outage = new Uint8Array(size);
    this.#timesInOutage = new Uint8Array(size);
  }

  /**
   * Notes the records of a request whose answer said plainly that they were taken.
   * @param epoch when the request came in, as the number of kills begun or ended until then
   * @param outage of another route: its number from 1; 0 while there is none
   */
  taken(records: readonly number[], epoch: number, outage: number): void {
    for (const index of records) {
      const last = this.#last[index] ?? 0;
      if (last > 0 && last === epoch + 1) this.#sinceNothingDied(index);
      else if (last > 0) this.#afterKills++;
      this.#last[index] = epoch + 1;
      if (outage > 0) this.#duringOutage(index, outage);
    }
  }

  /**
   * Notes the messages of a document that was parked. Redrive sends each document, so one that is parked again after a kill
   * is sent twice.
   * @param epoch when it was stored, as the number of kills begun or ended until then
   */
  parked(records: readonly number[], epoch: number): void {
    for (const index of new Set(records)) {
      const before = this.#parkings.get(index);
      const due = (before?.due ?? 0) + (before !== undefined && before.epoch !== epoch ? 1 : 0);
      this.#parkings.set(index, { epoch, due });
    }
  }

  #sinceNothingDied(index: number): void {
    const parking = this.#parkings.get(index);
    if (parking === undefined || parking.due === 0) {
      this.#unexplained++;
      return;
    }
    parking.due--;
    this.#parkedTwice++;
  }

  #duringOutage(index: number, outage: number): void {
    const times = this.#outage[index] === outage ? (this.#timesInOutage[index] ?? 0) + 1 : 1;
    this.#outage[index] = outage;
    this.#timesInOutage[index] = times;
    if (times === 2) this.#twice++;
    if (times === 3) this.#more++;
  }

  found(): CopiesFound {
    return {
      afterKills: this.#afterKills,
      parkedTwice: this.#parkedTwice,
      unexplained: this.#unexplained,
      twiceInOutage: this.#twice,
      moreInOutage: this.#more,
    };
  }
}
