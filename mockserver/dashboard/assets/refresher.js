const longestRest = 10_000; // ms

/**
 * Loads something again and again, however often it is asked to: never twice at once, and
 * never for more than a small share of the time, so that neither the mock nor the page is
 * kept busy by it.
 */
export class Refresher {
  #load;
  #rest;
  #asked = false;
  #busy = false;

  /**
   * @param {() => Promise<void>} load
   * @param {number} rest milliseconds between two loads, at least
   */
  constructor(load, rest) {
    this.#load = load;
    this.#rest = rest;
  }

  /** Has it loaded soon. */
  ask() {
    this.#asked = true;
    if (!this.#busy) this.#run();
  }

  async #run() {
    this.#busy = true;
    this.#asked = false;
    const began = performance.now();
    await this.#load().catch(() => {}); // when the mock is away, the head of the page says so
    const cost = performance.now() - began;
    setTimeout(() => {
      this.#busy = false;
      if (this.#asked) this.#run();
    }, Math.min(Math.max(this.#rest, 20 * cost), longestRest));
  }
}
