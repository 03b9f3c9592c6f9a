/** @import { ClockState } from '../types' */

/** The mock's clock, as far as the page knows it: it goes on between two looks at it. */
export class Clock {
  running = true;
  speed = 1;
  course = 0; // another number whenever the clock does not go on as the page thought
  #shown = Date.now();
  #seen = performance.now();

  /** @param {ClockState} state as the mock sends it */
  set(state) {
    const asThought = Math.abs(state.now_ms - this.now()) < 150 * Math.max(1, this.speed);
    if (!asThought || state.running !== this.running || state.speed !== this.speed) this.course++;
    this.#shown = state.now_ms;
    this.#seen = performance.now();
    this.running = state.running;
    this.speed = state.speed;
  }

  /** The mock's time, in milliseconds since 1970. */
  now() {
    return this.running ? this.#shown + (performance.now() - this.#seen) * this.speed : this.#shown;
  }
}
