// What became of each request of a node, for the timeline.
/** @import { JournalEntry } from '../types' */

/** What can become of a request. */
export const outcome = { beat: 0, register: 1, deregister: 2, refused: 3, lost: 4 };

const capacity = 1 << 17; // two minutes of a thousand nodes with a beat a second
const mostNames = 1 << 15;

/** The last requests of all nodes, in a ring of fixed size. */
export class Beats {
  #at = new Float64Array(capacity);
  #what = new Uint8Array(capacity);
  #who = new Uint32Array(capacity);
  #written = 0;
  /** @type {Map<string, number>} */
  #numbers = new Map();

  /** Adds an exchange of the journal. @param {JournalEntry} entry */
  add(entry) {
    if (entry.kind !== 'exchange' || !entry.node_id) return;
    const who = this.#number(entry.node_id);
    const place = this.#written++ % capacity;
    this.#at[place] = entry.at_ms;
    this.#what[place] = outcomeOf(entry);
    this.#who[place] = who;
  }

  /** The number that a node goes by in each(); 0 for one that was never heard of. @param {string} id */
  numberOf(id) {
    return this.#numbers.get(id) ?? 0;
  }

  /**
   * Visits what happened since a time, the newest first.
   * @param {number} since milliseconds since 1970
   * @param {(at: number, what: number, who: number) => void} visit
   */
  each(since, visit) {
    const oldest = Math.max(0, this.#written - capacity);
    for (let i = this.#written - 1; i >= oldest; i--) {
      const place = i % capacity;
      if (this.#at[place] < since - 5000) return; // requests that overlap may be out of order
      if (this.#at[place] >= since) visit(this.#at[place], this.#what[place], this.#who[place]);
    }
  }

  clear() {
    this.#written = 0;
    this.#numbers.clear();
  }

  /** @param {string} id */
  #number(id) {
    let number = this.#numbers.get(id);
    if (number === undefined) {
      if (this.#numbers.size >= mostNames) this.clear();
      number = this.#numbers.size + 1;
      this.#numbers.set(id, number);
    }
    return number;
  }
}

/** @param {JournalEntry} entry */
function outcomeOf(entry) {
  const status = entry.answer?.status;
  if (!status) return outcome.lost;
  if (status >= 400) return outcome.refused;
  if (entry.operation === 'registerNode') return outcome.register;
  if (entry.operation === 'deregisterNode') return outcome.deregister;
  return outcome.beat;
}
