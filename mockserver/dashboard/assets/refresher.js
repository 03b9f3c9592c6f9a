import { Refusal } from './api.js';
import { alert } from './dom.js';

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
  #refusal = '';

  /**
   * @param {() => Promise<void>} load shows a refusal itself where there is a better place than an alert
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
    await null; // what asks as one, as the entries of one message do, has one load
    this.#asked = false;
    const began = performance.now();
    this.#show(await this.#load().then(() => '', refusalOf));
    const cost = performance.now() - began;
    setTimeout(() => {
      this.#busy = false;
      if (this.#asked) this.#run();
    }, Math.min(Math.max(this.#rest, 20 * cost), longestRest));
  }

  /** Shows a refusal, but not again at each load. @param {string} refusal */
  #show(refusal) {
    if (refusal && refusal !== this.#refusal) alert(refusal);
    this.#refusal = refusal;
  }
}

/** What the mock says; when it is away and says nothing, the head of the page shows it. @param {unknown} error */
const refusalOf = (error) => (error instanceof Refusal ? error.message : '');
