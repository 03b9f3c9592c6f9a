import { cableOf, pulledCable } from './cable.js';
import { announce, arrowKeys, attempt, attribute, byId, el, list, reshape, shape, text } from './dom.js';
import { bytes, count, plural, preciseTime, span, timeOfDay } from './format.js';
import { statuses } from './head.js';

const pageLength = 25;
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** The list of nodes: a page of rows, which are kept and updated rather than made anew. */
export function nodes(api, store, sync) {
  const rows = new Map(); // by id, of the page that is turned up
  let page = 0;

  const show = () => {
    const sorted = [...store.nodes.values()].sort(orders[byId('node-sort').value]);
    const pages = Math.max(1, Math.ceil(sorted.length / pageLength));
    page = Math.min(page, pages - 1);
    const turned = sorted.slice(page * pageLength, (page + 1) * pageLength);
    store.shown = turned.map(({ node }) => node.node_id);
    list(byId('node-list'), turned, ({ node }) => node.node_id, ({ node }) => {
      const row = nodeRow(node.node_id, api, store, sync);
      rows.set(node.node_id, row);
      return row;
    });
    for (const id of rows.keys()) if (!store.shown.includes(id)) rows.delete(id);
    showPager(store, sorted.length, page, pages);
    byId('node-notice').hidden = !store.refusal;
    text(byId('node-notice'), store.refusal);
    showEmpty(store);
  };
  const turn = (by) => {
    page += by;
    show();
    byId('nodes').scrollIntoView({ block: 'start' });
  };

  byId('node-prev').addEventListener('click', () => turn(-1));
  byId('node-next').addEventListener('click', () => turn(1));
  byId('node-sort').addEventListener('change', show);
  byId('node-filters').addEventListener('submit', (event) => event.preventDefault());
  const ask = () => {
    store.query = { node: asGlob(byId('node-glob').value), status: byId('node-status').value };
    page = 0;
    store.touch('query');
    sync.nodes.ask();
  };
  byId('node-glob').addEventListener('input', ask);
  byId('node-status').addEventListener('change', ask);
  arrowKeys(byId('node-list'), '.node-open');

  store.subscribe(['query'], () => { byId('node-status').value = store.query.status; });
  store.subscribe(['nodes', 'overview', 'query', 'faults'], show);
  const tick = () => {
    for (const row of rows.values()) row.tick();
  };
  setInterval(tick, 250); // the words beside the bars; the bars move by themselves
}

/** A word without wildcards is looked for anywhere in the id. */
export const asGlob = (word) => (word.trim() && !/[*?[]/.test(word) ? `*${word.trim()}*` : word.trim());

const byName = (a, b) => (a.node.node_id < b.node.node_id ? -1 : 1);
const freeSlots = ({ pools }) => pools.reduce((sum, pool) => sum + pool.slots_free, 0);
const orders = {
  id: (a, b) => natural.compare(a.node.node_id, b.node.node_id),
  urgency: (a, b) => (a.expires_at_ms ?? Infinity) - (b.expires_at_ms ?? Infinity) || byName(a, b),
  status: (a, b) => statuses.indexOf(a.node.status) - statuses.indexOf(b.node.status) || byName(a, b),
  slots: (a, b) => freeSlots(b) - freeSlots(a) || byName(a, b),
};
const natural = new Intl.Collator('en', { numeric: true });

function showPager(store, found, page, pages) {
  const total = store.overview?.nodes.total ?? 0;
  const filtered = !store.refusal && Boolean(store.query.node || store.query.status);
  text(byId('nodes-count'), filtered ? `${count(found)} of ${count(total)}` : count(total));
  byId('node-pager').hidden = pages === 1;
  byId('node-prev').disabled = page === 0;
  byId('node-next').disabled = page === pages - 1;
  const more = store.partial ? ', and more that a filter would find' : '';
  text(byId('node-range'), `${count(page * pageLength + 1)}–${count(Math.min(found, (page + 1) * pageLength))} of ${count(found)}${more}`);
}

/** Without nodes, shows how to start one. */
function showEmpty(store) {
  const empty = byId('node-empty');
  empty.hidden = store.nodes.size > 0 || Boolean(store.refusal) || !store.overview;
  if (empty.hidden) return;
  const filtered = store.overview.nodes.total > 0;
  const flags = nodeFlags(store);
  const shown = `${filtered} ${flags}`;
  if (empty.dataset.shown === shown) return;
  empty.dataset.shown = shown;
  if (filtered) {
    empty.replaceChildren(el('p', {}, 'No node fits this filter.'));
    return;
  }
  empty.replaceChildren(
    el('p', { class: 'lead' }, 'No node has registered yet.'),
    ...(asksForToken(store) ? [el('p', {}, 'The mock asks nodes for a token: put one that it knows into LLORCH_API_TOKEN.')] : []),
    ...(location.protocol === 'https:' ? securedStart(flags) : plainStart(flags, asksForToken(store))),
  );
}

/** Where the mock is: the origin of the page, and the path below which a proxy may have it. */
const mock = new URL('.', location.href.split(/[?#]/)[0]).href.replace(/\/$/, '');

const asksForToken = (store) => store.overview.settings.tokens > 0;

function plainStart(flags, token) {
  const header = token ? ' -H "Authorization: Bearer $LLORCH_API_TOKEN"' : '';
  return [
    el('p', {}, 'Start one in another terminal:'),
    command(`go run ./cmd/nodesim run --orchestratord-url ${mock}${flags}`),
    el('p', {}, 'or be one yourself:'),
    command(`curl ${mock}/v2/nodes/register${header} --json '{
  "node_id": "gpu-node-1", "machine_id": "machine-1", "address": "http://127.0.0.1:9200",
  "pools": ["pool-0"], "capabilities": {"gpu_count": 1, "total_vram_mb": 24000, "cuda_version": "12.1"}}'`),
  ];
}

/** A page does not know which files hold the certificates, so it cannot write the commands out. */
function securedStart(flags) {
  return [
    el('p', {}, 'Start one in another terminal: with --tls-dev, the mock has printed the command as it started, after “a node:”. '
      + 'With a certificate of your own, give nodesim the files by --tls-ca, --tls-cert and --tls-key.'),
    ...(flags ? [el('p', {}, 'Add to the command:'), command(flags.trim())] : []),
  ];
}

/** What a node must know of this mock: it beats every 10 s until then, which may be too late. */
function nodeFlags(store) {
  const token = asksForToken(store) ? ' --token "$LLORCH_API_TOKEN"' : '';
  const interval = store.interval < 10_000 ? ` --interval ${Math.max(1, store.interval / 1000)}s` : '';
  return token + interval;
}

/** A command line that can be copied. */
function command(line) {
  const button = el('button', { type: 'button', class: 'quiet' }, 'Copy');
  button.addEventListener('click', () => copy(line, button));
  return el('div', { class: 'command' }, el('code', {}, line), button);
}

/** Copies words to the clipboard, and says so on the button. */
export async function copy(words, button) {
  const was = button.textContent;
  const done = await navigator.clipboard?.writeText(words).then(() => true, () => false);
  text(button, done ? 'Copied' : 'Cannot copy');
  if (done) announce('Copied');
  setTimeout(() => text(button, was), 1500);
}

/** One node of the list. */
function nodeRow(id, api, store, sync) {
  const detailsId = `node-${cableOf(id)}`;
  const status = { shape: shape('online'), word: el('span') };
  const about = el('span', { class: 'node-about' });
  const cut = el('span', { class: 'tag tag-fault', hidden: true }, 'cable pulled');
  const open = el('button', { type: 'button', class: 'node-open', 'aria-expanded': 'false', 'aria-controls': detailsId },
    el('span', { class: 'node-id' }, id), shape('chevron'));
  const beat = beatBar(store);
  const pools = el('ul', { class: 'pools', 'aria-label': `Pools of ${id}` });
  const plug = { shape: shape('unplug'), word: el('span') };
  const cable = el('button', { type: 'button', class: 'cable' }, plug.shape, plug.word);
  const details = el('div', { class: 'node-details', id: detailsId, hidden: true });
  const element = el('li', { class: 'node' },
    el('span', { class: 'node-status' }, status.shape, status.word),
    el('div', { class: 'node-name' }, el('h3', {}, open), about, ' ', cut),
    beat.element, pools,
    el('div', { class: 'node-actions' }, cable),
    details);

  let current;
  const isPulled = () => store.faults.some((fault) => fault.name === cableOf(id) && fault.enabled);
  const act = (action) => attempt(async () => {
    await action();
    sync.refresh();
  });
  cable.addEventListener('click', () => act(() => (isPulled()
    ? api.delete(`/faults/${cableOf(id)}`)
    : api.put(`/faults/${cableOf(id)}`, pulledCable(id)))));
  open.addEventListener('click', () => {
    details.hidden = !details.hidden;
    attribute(open, 'aria-expanded', !details.hidden);
    showDetails();
  });
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || details.hidden) return;
    open.click();
    open.focus();
  });

  const parts = nodeDetails(id, api, act);
  details.append(parts.element);
  const showDetails = () => {
    if (!details.hidden) parts.update(current);
  };

  return {
    element,
    tick: () => beat.tick(),
    update(now) {
      current = now;
      const { node } = now;
      attribute(element, 'data-status', node.status);
      reshape(status.shape, node.status.toLowerCase());
      text(status.word, node.status);
      text(about, [node.machine_id, ...hardwareOf(node)].join(' · '));
      const pulled = isPulled();
      attribute(element, 'data-pulled', pulled ? '' : null);
      cut.hidden = !pulled;
      reshape(plug.shape, pulled ? 'plug' : 'unplug');
      text(plug.word, pulled ? 'Plug in' : 'Pull cable');
      attribute(cable, 'aria-label', pulled ? `Plug ${id} in again` : `Pull the cable of ${id}`);
      list(pools, poolsOf(now), (pool) => pool.pool_id, poolItem);
      beat.update(now);
      showDetails();
    },
  };
}

/** The pools as reported, and before that the ones that the node registered. */
function poolsOf({ node, pools }) {
  const reported = new Map(pools.map((pool) => [pool.pool_id, pool]));
  for (const id of node.pools) if (!reported.has(id)) reported.set(id, { pool_id: id });
  return [...reported.values()];
}

function hardwareOf({ capabilities }) {
  const gpus = capabilities.gpu_count ?? capabilities.gpus?.length;
  const vram = capabilities.total_vram_mb !== undefined
    ? capabilities.total_vram_mb * 1e6
    : (capabilities.gpus ?? []).reduce((sum, gpu) => sum + gpu.vram_total_bytes, 0);
  return [gpus !== undefined && plural(gpus, 'GPU'), vram && bytes(vram)].filter(Boolean);
}

function poolItem() {
  const name = el('span', { class: 'pool-name' });
  const state = el('span', { class: 'pool-state' });
  const fill = el('span', { class: 'pool-fill' });
  const slots = el('span', { class: 'pool-slots' });
  const vram = el('span', { class: 'pool-vram' });
  const bar = el('span', { class: 'pool-bar', 'aria-hidden': 'true' }, fill);
  const element = el('li', { class: 'pool' }, name, state, bar, slots, vram);
  return {
    element,
    update(pool) {
      const unknown = pool.slots_free === undefined;
      const word = unknown ? 'not reported' : pool.draining ? 'draining' : pool.ready ? 'ready' : 'not ready';
      text(name, pool.pool_id);
      text(state, word);
      attribute(element, 'data-state', word);
      const total = pool.slots_total ?? pool.slots_free;
      bar.hidden = unknown || !total;
      fill.style.transform = `scaleX(${total ? Math.min(1, pool.slots_free / total) : 0})`;
      bar.style.setProperty('--slots', total > 0 && total <= 16 ? total : 1);
      text(slots, unknown ? '' : pool.slots_total === undefined ? `${count(pool.slots_free)} free` : `${count(pool.slots_free)}/${count(total)} free`);
      text(vram, pool.vram_free_bytes === undefined ? '' : bytes(pool.vram_free_bytes));
      attribute(vram, 'title', 'free GPU memory');
    },
  };
}

/**
 * The time that a node has left, as a bar that shrinks. It is moved by the browser's
 * animations, not by a script, and started anew at each heartbeat.
 */
function beatBar(store) {
  const fill = el('span', { class: 'beat-fill' });
  const due = el('span', { class: 'beat-due' });
  const since = el('span', { class: 'beat-since' });
  const left = el('span', { class: 'beat-left' });
  const element = el('div', { class: 'beat' },
    el('span', { class: 'beat-bar', 'aria-hidden': 'true' }, fill, due),
    el('span', { class: 'beat-words' }, since, left));
  let now;
  let drawn = '';
  let motion;

  const remaining = () => (now.expires_at_ms ? now.expires_at_ms - store.clock.now() : 0);
  const share = () => Math.max(0, Math.min(1, remaining() / store.timeout));
  const place = () => { fill.style.transform = `scaleX(${share()})`; };

  const animate = () => {
    const { running, speed } = store.clock;
    const key = `${now.expires_at_ms} ${store.timeout} ${store.clock.course} ${still.matches}`;
    if (key === drawn) return;
    drawn = key;
    motion?.cancel();
    motion = null;
    place();
    if (running && !still.matches && remaining() > 0) {
      motion = fill.animate([{ transform: `scaleX(${share()})` }, { transform: 'scaleX(0)' }],
        { duration: remaining() / speed, fill: 'forwards' });
    }
  };
  const tick = () => {
    if (!now) return;
    const last = now.node.last_heartbeat_ms;
    const silent = last ? store.clock.now() - last : 0;
    const dead = ['Offline', 'Failed'].includes(now.node.status) || !now.expires_at_ms;
    const stage = dead ? 'gone' : share() < 0.25 ? 'last' : silent > 1.5 * store.interval ? 'late' : 'fresh';
    attribute(element, 'data-stage', stage);
    text(since, last ? `beat ${span(silent)} ago` : 'no beat yet');
    text(left, dead ? '' : `${stage === 'late' ? 'late, ' : ''}${stage === 'last' ? 'about to go, ' : ''}${span(remaining())} left`);
    if (still.matches && !dead) place();
  };
  return {
    element,
    tick,
    update(node) {
      now = node;
      due.style.left = `${100 * Math.max(0, 1 - store.interval / store.timeout)}%`;
      animate();
      tick();
    },
  };
}

/** What opens under a node: its address, GPUs, history, and what is seldom done to it. */
function nodeDetails(id, api, act) {
  const facts = el('dl', { class: 'facts' });
  const history = el('ol', { class: 'history', 'aria-label': `Changes of ${id}` });
  const path = `/nodes/${encodeURIComponent(id)}`;
  const button = (word, label, action) => el('button', { type: 'button', click: () => act(action), 'aria-label': label }, word);
  const element = el('div', { class: 'node-inside' },
    el('div', {}, el('h4', {}, 'About'), facts),
    el('div', {}, el('h4', {}, 'History'), history),
    el('div', { class: 'row' },
      button('Set Offline', `Set ${id} Offline`, () => api.put(`${path}/status`, { status: 'Offline' })),
      button('Forget', `Forget ${id}`, () => api.delete(path))));
  return {
    element,
    update({ node, history: changes }) {
      list(facts, factsOf(node), ([name]) => name, factItem);
      list(history, [...changes].reverse(), (change) => `${change.at_ms} ${change.from} ${change.to}`, historyItem);
    },
  };
}

function factsOf(node) {
  const { capabilities: c } = node;
  const gpus = (c.gpus ?? []).map((gpu) => [`GPU ${gpu.device_id}`, `${gpu.name}, ${bytes(gpu.vram_total_bytes)}`]);
  return [
    ['Address', node.address],
    ['Registered', timeOfDay(node.registered_at_ms)],
    ['Version', node.version],
    ['CUDA', c.cuda_version],
    ['CPU cores', c.cpu_cores],
    ['Memory', c.ram_total_bytes && bytes(c.ram_total_bytes)],
    ...gpus,
  ].filter(([, value]) => value !== undefined && value !== null && value !== '');
}

function factItem() {
  const name = el('dt');
  const value = el('dd');
  return {
    element: el('div', {}, name, value),
    update([word, what]) {
      text(name, word);
      text(value, what);
    },
  };
}

function historyItem() {
  const element = el('li');
  return {
    element,
    update({ at_ms: at, from, to }) {
      if (element.childElementCount) return; // what has been does not change
      const end = (status, none) => el('span', { class: 'mark', 'data-status': status ?? 'none' },
        status ? shape(status.toLowerCase()) : null, status ?? none);
      element.append(el('time', {}, preciseTime(at)), end(from, 'unknown'), el('span', { class: 'to' }, '→'), end(to, 'gone'));
    },
  };
}
