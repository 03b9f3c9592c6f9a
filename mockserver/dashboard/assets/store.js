import { Beats } from './beats.js';
import { Clock } from './clock.js';
/** @import { DriftReport, FaultState, MockNode, NodeStatus, Overview } from '../types' */

/** @typedef {'overview'|'nodes'|'query'|'faults'|'drift'|'beats'|'journal'|'link'} Topic */

/** @type {DriftReport} */
const noDrift = { departures: [], dropped: 0, refused_in_service: { departures: [], dropped: 0 } };

/**
 * What the page knows of the mock. Views subscribe to topics, and hear of all changes
 * since the last time at once, when a frame is drawn.
 */
export class Store {
  /** @type {Overview | null} */
  overview = null;
  clock = new Clock();
  /** @type {'live' | 'down' | 'connecting'} */
  link = 'connecting';
  /** @type {Map<string, MockNode>} by id, in the order of the mock; those that fit the query */
  nodes = new Map();
  partial = false; // whether more nodes fit than the page holds
  /** @type {{node: string, status: NodeStatus | ''}} */
  query = { node: '', status: '' };
  refusal = ''; // what the mock says is wrong with the query; the nodes are then those of the one before
  /** @type {string[]} ids of the nodes on the page that is turned up */
  shown = [];
  /** @type {FaultState[]} */
  faults = [];
  drift = noDrift;
  beats = new Beats();
  dense = false; // whether nodes are shown in one line each
  missed = 0; // entries that were overwritten before the page saw them

  /** @type {{topics: Topic[], view: () => void}[]} */
  #views = [];
  /** @type {Set<Topic>} */
  #changed = new Set();

  /**
   * Has view called after any of the topics changed.
   * @param {Topic[]} topics
   * @param {() => void} view
   */
  subscribe(topics, view) {
    this.#views.push({ topics, view });
  }

  /** Says that topics have changed. @param {...Topic} topics */
  touch(...topics) {
    if (!this.#changed.size) requestAnimationFrame(() => this.#notify());
    for (const topic of topics) this.#changed.add(topic);
  }

  #notify() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { topics, view } of this.#views) {
      if (topics.some((topic) => changed.has(topic))) view();
    }
  }

  /** Whether the list has those nodes alone that a filter asks for. */
  get filtered() {
    return Boolean(this.query.node || this.query.status);
  }

  /** The longest that a node which falls silent has left. In service that is noticed by the next check. */
  get timeout() {
    if (!this.overview) return 30_000;
    const { dialect, node_timeout_ms: timeout, stale_check_interval_ms: check } = this.overview.settings;
    return timeout + (dialect === 'in-service' && !this.overview.upstream ? check : 0);
  }

  get interval() {
    return this.overview?.settings.heartbeat_interval_ms ?? 10_000;
  }
}
