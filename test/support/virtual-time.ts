// Virtual time: it stands still while anybody is at work, and moves on to whoever wakes up next when everybody waits.

export interface SharedTime {
  now: number;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock as the forwarder's runtime and Lambda's polling want it. */
export class VirtualTime {
  readonly #shared: SharedTime;
  /** In the order in which they wake up. */
  readonly #sleepers: Sleeper[] = [];
  #busy = 0;
  #moving = false;

  /** @param shared may be moved by others as well, while nobody is at work */
  constructor(shared: SharedTime) {
    this.#shared = shared;
  }

  now(): number {
    return this.#shared.now;
  }

  /** Resolves after so many milliseconds, or at once when the signal is given. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const woken = () => {
        signal?.removeEventListener('abort', early);
        resolve();
      };
      const sleeper = { at: this.now() + Math.max(0, ms), wake: woken };
      const early = () => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
        woken();
      };
      signal?.addEventListener('abort', early);
      this.#sleepers.splice(this.#placeOf(sleeper.at), 0, sleeper);
      this.#moveLater();
    });
  }

  /** Somebody whose work takes no time: until it sleeps, or is done, nobody else's does either. */
  worker(): Worker {
    return new Worker(this, (by) => {
      this.#busy += by;
      this.#moveLater();
    });
  }

  /** Behind those who wake up at the same time. */
  #placeOf(at: number): number {
    let [low, high] = [0, this.#sleepers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sleepers[middle] as Sleeper).at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #moveLater(): void {
    if (this.#moving || this.#busy > 0 || this.#sleepers.length === 0) return;
    this.#moving = true;
    // Twice: what a turn of the event loop has set going comes first.
    setImmediate(() => setImmediate(() => this.#move()));
  }

  #move(): void {
    this.#moving = false;
    const [first] = this.#sleepers;
    if (first === undefined || this.#busy > 0) return;
    this.#shared.now = Math.max(this.now(), first.at);
    for (const { wake } of this.#sleepers.splice(0, this.#placeOf(this.now()))) wake();
    this.#moveLater();
  }
}

/** Is at work from `begin` to `end`, whenever none of its sleeps is under way. */
export class Worker {
  readonly #time: VirtualTime;
  readonly #onBusy: (by: 1 | -1) => void;
  #atWork = false;
  #asleep = 0;
  #busy = false;

  constructor(time: VirtualTime, onBusy: (by: 1 | -1) => void) {
    this.#time = time;
    this.#onBusy = onBusy;
  }

  begin(): void {
    this.#atWork = true;
    this.#note();
  }

  end(): void {
    this.#atWork = false;
    this.#note();
  }

  async sleep(ms: number): Promise<void> {
    this.#asleep++;
    this.#note();
    await this.#time.sleep(ms);
    this.#asleep--;
    this.#note();
  }

  #note(): void {
    const busy = this.#atWork && this.#asleep === 0;
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.#onBusy(busy ? 1 : -1);
  }
}
