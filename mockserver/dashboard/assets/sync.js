import { announce } from './dom.js';
import { Refresher } from './refresher.js';
import { follow } from './stream.js';

const mostNodes = 5000; // the page holds no more; a filter finds the others
const statuses = ['total', 'registering', 'online', 'draining', 'offline', 'failed'];
const glance = 5000; // ms between two looks at the mock when nothing happens

/** Keeps the store in step with the mock: by its journal, and by looking again at what that says has changed. */
export class Sync {
  #api;
  #store;
  #last = 0; // the newest entry that the page knows
  #stream;

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
    const now = await this.#api.get('');
    if (before?.started_at_ms !== now.started_at_ms || now.journal.last < this.#last) await this.#beginAnew();
    this.#takeOverview(now);
    this.refresh();
    return this.#last;
  }

  /** Reads what the journal still has of the time before the page was there. */
  async #beginAnew() {
    const page = await this.#api.get('/journal', { limit: 1000, detail: 'brief' });
    this.#store.beats.clear();
    this.#store.nodes.clear();
    for (const entry of page.entries) this.#store.beats.add(entry);
    this.#last = page.last;
    this.#store.missed = 0;
    this.#store.touch('nodes', 'beats', 'journal');
  }

  #apply(entries) {
    const { nodes, beats, timeout } = this.#store;
    const topics = new Set(['journal']);
    for (const entry of entries) {
      this.#last = Math.max(this.#last, entry.sequence);
      const known = nodes.get(entry.node_id);
      if (entry.kind === 'exchange') {
        beats.add(entry);
        topics.add('beats');
        if (entry.operation === 'heartbeatNode' && entry.answer?.status < 300 && known) {
          known.node.last_heartbeat_ms = entry.at_ms;
          known.expires_at_ms = entry.at_ms + timeout;
        }
        this.nodes.ask();
        if (entry.fault) this.faults.ask();
        if (entry.departures?.length) this.drift.ask();
      }
      if (entry.kind === 'change') {
        this.#applyChange(entry, known);
        this.nodes.ask();
        this.overview.ask();
      }
      if (entry.kind === 'control') this.refresh();
    }
    if (topics.has('beats')) this.overview.ask(); // pools may have come or gone
    this.#store.touch('nodes', ...topics);
  }

  #applyChange({ node_id: id, change }, known) {
    announce(change.to ? `${id} is ${change.to}` : `${id} has left`);
    if (!known) return;
    if (change.to) known.node.status = change.to;
    if (change.to === 'Offline' || !change.to) known.expires_at_ms = null;
    known.history = [...known.history, change].slice(-16);
  }

  #miss(count) {
    this.#store.missed += count;
    this.refresh();
    this.#store.touch('journal');
  }

  #setLink(state) {
    if (this.#store.link === state) return;
    this.#store.link = state;
    announce(state === 'live' ? 'Connected to the mock' : 'The mock cannot be reached');
    this.#store.touch('link');
  }

  async #loadOverview() {
    const seen = this.#last;
    const overview = await this.#api.get('').catch((error) => {
      if (!error.status) this.#setLink('down'); // no answer at all
      throw error;
    });
    this.#takeOverview(overview);
    // The stream goes on by numbers that another mock, or one that was reset, has not reached.
    const restarted = overview.journal.last < seen;
    if (restarted || this.#store.link === 'down') this.#stream.restart();
  }

  #takeOverview(overview) {
    const before = this.#store.overview;
    this.#store.overview = overview;
    this.#store.clock.set(overview.clock);
    if (before?.drift !== overview.drift) this.drift.ask();
    if (statuses.some((status) => before?.nodes[status] !== overview.nodes[status])) this.nodes.ask();
    this.#store.touch('overview');
  }

  async #loadNodes() {
    const { query } = this.#store;
    const found = await this.#find(query).catch((error) => {
      if (error.status !== 400) throw error;
      return { refusal: error.message };
    });
    if (query !== this.#store.query) return; // it has changed, and been asked for anew
    Object.assign(this.#store, { refusal: '', ...found });
    this.#store.touch('nodes');
  }

  async #find(query) {
    const nodes = new Map();
    let after;
    do {
      const page = await this.#api.get('/nodes', { ...query, after, limit: 1000 });
      for (const each of page.nodes) nodes.set(each.node.node_id, each);
      after = page.next;
    } while (after && nodes.size < mostNodes);
    return { nodes, partial: Boolean(after) };
  }

  async #loadFaults() {
    this.#store.faults = (await this.#api.get('/faults')).faults;
    this.#store.touch('faults', 'nodes');
  }

  async #loadDrift() {
    this.#store.drift = await this.#api.get('/drift');
    this.#store.touch('drift');
  }
}
