import { arrowKeys, byId, list, offer, text } from './dom.js';
import { count } from './format.js';
import { gettingStarted } from './gettingstarted.js';
import { asGlob } from './glob.js';
import { nodeRow } from './noderow.js';
import { statuses } from './tally.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Sync } from './sync.js' */
/** @import { MockNode } from '../types' */

const pageLength = 25;
const mostSpacious = 20; // nodes; more are shown in one line each

/**
 * The list of nodes: a page of rows, which are kept and updated rather than made anew.
 * @param {Api} api
 * @param {Store} store
 * @param {Sync} sync
 */
export function nodes(api, store, sync) {
  /** @type {Map<string, ReturnType<typeof nodeRow>>} by id, of the page that is turned up */
  const rows = new Map();
  const sort = byId('node-sort', HTMLSelectElement);
  let page = 0;

  const show = () => {
    const sorted = [...store.nodes.values()].sort(orders[sort.value]);
    const pages = Math.max(1, Math.ceil(sorted.length / pageLength));
    page = Math.min(page, pages - 1);
    store.dense = sorted.length > mostSpacious;
    byId('node-list').toggleAttribute('data-dense', store.dense);
    const turned = sorted.slice(page * pageLength, (page + 1) * pageLength);
    store.shown = turned.map(({ node }) => node.node_id);
    showRows(rows, turned, (id) => nodeRow(id, api, store, sync));
    showPager(store, sorted.length, page, pages);
    showNotice(store);
  };
  const turn = (/** @type {number} */ by) => {
    page += by;
    show();
    byId('nodes').scrollIntoView({ block: 'start' });
  };

  byId('node-prev').addEventListener('click', () => turn(-1));
  byId('node-next').addEventListener('click', () => turn(1));
  sort.addEventListener('change', show);
  filters(store, () => {
    page = 0;
    sync.nodes.ask();
  });
  arrowKeys(byId('node-list'), '.node-open');

  store.subscribe(['nodes', 'overview', 'query', 'faults'], show);
  // The words beside the bars: the bars move by themselves.
  setInterval(() => rows.forEach((row) => row.tick()), 250);
}

/**
 * Shows nodes, with the rows that there are and new ones.
 * @param {Map<string, ReturnType<typeof nodeRow>>} rows
 * @param {MockNode[]} shown
 * @param {(id: string) => ReturnType<typeof nodeRow>} create
 */
function showRows(rows, shown, create) {
  list(byId('node-list'), shown, ({ node }) => node.node_id, ({ node }) => {
    const row = create(node.node_id);
    rows.set(node.node_id, row);
    return row;
  });
  for (const id of rows.keys()) if (!shown.some(({ node }) => node.node_id === id)) rows.delete(id);
}

/** Says why the mock shows no nodes, or how to begin when there are none. @param {Store} store */
function showNotice(store) {
  byId('node-notice').hidden = !store.refusal;
  text(byId('node-notice'), store.refusal);
  gettingStarted(byId('node-empty'), store);
}

/**
 * The fields that say which nodes are looked for.
 * @param {Store} store
 * @param {() => void} changed
 */
function filters(store, changed) {
  const glob = byId('node-glob', HTMLInputElement);
  const status = byId('node-status', HTMLSelectElement);
  offer(status, statuses);
  const ask = () => {
    store.query = { node: asGlob(glob.value), status: /** @type {Store['query']['status']} */ (status.value) };
    store.touch('query');
    changed();
  };
  glob.addEventListener('input', ask);
  status.addEventListener('change', ask);
  byId('node-filters').addEventListener('submit', (event) => event.preventDefault());
  store.subscribe(['query'], () => { status.value = store.query.status; });
}

const byName = (/** @type {MockNode} */ a, /** @type {MockNode} */ b) =>
  natural.compare(a.node.node_id, b.node.node_id);
const freeSlots = (/** @type {MockNode} */ { pools }) => pools.reduce((sum, pool) => sum + pool.slots_free, 0);
const rank = (/** @type {MockNode} */ { node }) => statuses.indexOf(node.status);
const natural = new Intl.Collator('en', { numeric: true });

/** @type {Record<string, (a: MockNode, b: MockNode) => number>} */
const orders = {
  id: byName,
  urgency: (a, b) => (a.expires_at_ms ?? Infinity) - (b.expires_at_ms ?? Infinity) || byName(a, b),
  status: (a, b) => rank(a) - rank(b) || byName(a, b),
  slots: (a, b) => freeSlots(b) - freeSlots(a) || byName(a, b),
};

/**
 * @param {Store} store
 * @param {number} found
 * @param {number} page
 * @param {number} pages
 */
function showPager(store, found, page, pages) {
  const total = store.overview?.nodes.total ?? 0;
  text(byId('nodes-count'), store.filtered && !store.refusal ? `${count(found)} of ${count(total)}` : count(total));
  byId('node-pager').hidden = pages === 1;
  byId('node-prev', HTMLButtonElement).disabled = page === 0;
  byId('node-next', HTMLButtonElement).disabled = page === pages - 1;
  const more = store.partial ? ', and more that a filter would find' : '';
  const last = Math.min(found, (page + 1) * pageLength);
  text(byId('node-range'), `${count(page * pageLength + 1)}–${count(last)} of ${count(found)}${more}`);
}
