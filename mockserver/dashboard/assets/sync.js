import { Refusal } from './api.js';
import { announce } from './dom.js';
import { parameters, schemas } from './limits.gen.js';
import { Refresher } from './refresher.js';
import { follow } from './stream.js';
/** @import { Api } from './api.js' */
/** @import { Store, Topic } from './store.js' */
/** @import { JournalEntry, MockNode, Overview } from '../types' */

const mostNodes = 5000; // the page holds no more; a filter finds the others
const nodesAtOnce = 1000;
const glance = 5000; // ms between two looks at the mock when nothing happens

/** Keeps the store in step with the mock: by its journal, and by looking again at what that says has changed. */
export class Sync {
  #api;
  #store;
  #last = 0; // the newest entry that the page knows
  /** @type {{restart: () => void} | undefined} */
  #stream;

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.#api = api;
    this.#store = store;
    this.overview = new Refresher(() => this.#loadOverview(), 400);
    this.nodes = new Refresher(() => this.#loadNodes(), 400);
    this.faults = new Refresher(() => this.#loadFaults(), 400);
    this.drift = new Refresher(() => this.#loadDrift(), 1000);
  }

  start() {
    this.#stream = follow(this.#api, {
      connect: () => this.#connect(),
      entries: (entries) => this.#apply(entries),
      dropped: (count) => this.#miss(count),
      state: (state) => this.#setLink(state),
    });
    setInterval(() => this.overview.ask(), glance);
  }

  /** Looks at everything again. */
  refresh() {
    for (const each of [this.overview, this.nodes, this.faults, this.drift]) each.ask();
  }

  async #connect() {
    const before = this.#store.overview;
    const now = await this.#api.call('get', '/__mock');
    if (before?.started_at_ms !== now.started_at_ms || now.journal.last < this.#last) await this.#beginAnew();
    this.#takeOverview(now);
    this.refresh();
    return this.#last;
  }

  /** Reads what the journal still has of the time before the page was there. */
  async #beginAnew() {
    const page = await this.#api.call('get', '/__mock/journal',
      { query: { limit: parameters.EntryLimit.maximum, detail: 'brief' } });
    this.#store.beats.clear();
    this.#store.nodes.clear();
    for (const entry of page.entries) this.#store.beats.add(entry);
    this.#last = page.last;
    this.#store.missed = 0;
    this.#store.touch('nodes', 'beats', 'journal');
  }

  /** @param {JournalEntry[]} entries */
  #apply(entries) {
    /** @type {Set<Topic>} */
    const topics = new Set(['journal', 'nodes']);
    for (const entry of entries) {
      this.#last = Math.max(this.#last, entry.sequence);
      const known = entry.node_id ? this.#store.nodes.get(entry.node_id) : undefined;
      if (entry.kind === 'exchange') {
        topics.add('beats');
        this.#applyExchange(entry, known);
      }
      if (entry.kind === 'change') this.#applyChange(entry, known);
      if (entry.kind === 'control') this.refresh();
    }
    if (topics.has('beats')) this.overview.ask(); // pools may have come or gone
    this.#store.touch(...topics);
  }

  /**
   * @param {JournalEntry} entry
   * @param {MockNode | undefined} known
   */
  #applyExchange(entry, known) {
    const { beats, drift, timeout } = this.#store;
    beats.add(entry);
    if (known && entry.operation === 'heartbeatNode' && (entry.answer?.status ?? 500) < 300) {
      known.node.last_heartbeat_ms = entry.at_ms;
      if (known.expires_at_ms) known.expires_at_ms = entry.at_ms + timeout; // or it may never expire
    }
    this.nodes.ask();
    if (entry.fault) this.faults.ask();
    // The journal does not say what the orchestratord in service would refuse.
    if (entry.departures?.length || drift.refused_in_service.departures.length || drift.upstream) this.drift.ask();
  }

  /**
   * @param {JournalEntry} entry
   * @param {MockNode | undefined} known
   */
  #applyChange({ node_id: id, change }, known) {
    this.nodes.ask();
    this.overview.ask();
    announce(change?.to ? `${id} is ${change.to}` : `${id} has left`);
    if (!known || !change) return;
    if (change.to) known.node.status = change.to;
    if (change.to === 'Offline' || !change.to) delete known.expires_at_ms;
    known.history = [...known.history, change].slice(-schemas.MockNode.properties.history.maxItems);
  }

  /** @param {number} count */
  #miss(count) {
    this.#store.missed += count;
    this.refresh();
    this.#store.touch('journal');
  }

  /** @param {Store['link']} state */
  #setLink(state) {
    if (this.#store.link === state) return;
    this.#store.link = state;
    announce(state === 'live' ? 'Connected to the mock' : 'The mock cannot be reached');
    this.#store.touch('link');
  }

  async #loadOverview() {
    const seen = this.#last;
    const overview = await this.#api.call('get', '/__mock').catch((error) => {
      if (!(error instanceof Refusal)) this.#setLink('down'); // no answer at all
      throw error;
    });
    this.#takeOverview(overview);
    // The stream goes on by numbers that another mock, or one that was reset, has not reached.
    const restarted = overview.journal.last < seen;
    if (restarted || this.#store.link === 'down') this.#stream?.restart();
  }

  /** @param {Overview} overview */
  #takeOverview(overview) {
    const before = this.#store.overview;
    this.#store.overview = overview;
    this.#store.clock.set(overview.clock);
    if (driftOf(before) !== driftOf(overview)) this.drift.ask();
    if (JSON.stringify(before?.nodes) !== JSON.stringify(overview.nodes)) this.nodes.ask();
    this.#store.touch('overview');
  }

  async #loadNodes() {
    const { query } = this.#store;
    const found = await this.#find(query).catch((error) => {
      if (!(error instanceof Refusal) || error.status !== 400) throw error;
      return { refusal: error.message };
    });
    if (query !== this.#store.query) return; // it has changed, and been asked for anew
    Object.assign(this.#store, { refusal: '', ...found });
    this.#store.touch('nodes');
  }

  /** @param {Store['query']} query */
  async #find({ node, status }) {
    /** @type {Map<string, MockNode>} */
    const nodes = new Map();
    /** @type {string | undefined} */
    let after;
    do {
      const query = { node, ...(status && { status }), after, limit: nodesAtOnce };
      const page = await this.#api.call('get', '/__mock/nodes', { query });
      for (const each of page.nodes) nodes.set(each.node.node_id, each);
      after = page.next;
    } while (after && nodes.size < mostNodes);
    return { nodes, partial: Boolean(after) };
  }

  async #loadFaults() {
    this.#store.faults = (await this.#api.call('get', '/__mock/faults')).faults;
    this.#store.touch('faults', 'nodes');
  }

  async #loadDrift() {
    this.#store.drift = await this.#api.call('get', '/__mock/drift');
    this.#store.touch('drift');
  }
}

/** In how many ways of each sort something drifts. @param {Overview | null} overview */
const driftOf = (overview) => [overview?.drift, overview?.refused_in_service, overview?.upstream?.drift].join();
