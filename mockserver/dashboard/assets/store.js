import { Beats } from './beats.js';
import { Clock } from './clock.js';

/**
 * What the page knows of the mock. Views subscribe to topics, and hear of all changes
 * since the last time at once, when a frame is drawn.
 */
export class Store {
  overview = null;
  clock = new Clock();
  nodes = new Map(); // by id, in the order of the mock; those that fit the query
  partial = false; // whether more nodes fit than the page holds
  query = { node: '', status: '' };
  refusal = ''; // what the mock says is wrong with the query; the nodes are then those of the one before
  shown = []; // ids of the nodes on the page that is turned up
  faults = [];
  drift = { departures: [], dropped: 0 };
  beats = new Beats();
  missed = 0; // entries that were overwritten before the page saw them

  #views = [];
  #changed = new Set();

  /**
   * Has view called after any of the topics changed.
   * @param {string[]} topics
   * @param {() => void} view
   */
  subscribe(topics, view) {
    this.#views.push({ topics, view });
  }

  /** Says that topics have changed. @param {...string} topics */
  touch(...topics) {
    if (!this.#changed.size) requestAnimationFrame(() => this.#tell());
    for (const topic of topics) this.#changed.add(topic);
  }

  #tell() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { topics, view } of this.#views) {
      if (topics.some((topic) => changed.has(topic))) view();
    }
  }

  get timeout() {
    return this.overview?.settings.node_timeout_ms ?? 30_000;
  }

  get interval() {
    return this.overview?.settings.heartbeat_interval_ms ?? 10_000;
  }
}
