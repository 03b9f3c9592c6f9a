import { cableOf, pulledCable } from './cable.js';
import { attempt, attribute, closeByEscape, el, list, reshape, shape, text } from './dom.js';
import { bytes, plural } from './format.js';
import { nodeDetails } from './nodedetails.js';
import { poolItem, poolsOf, sumOf } from './pools.js';
import { timeLeft } from './timeleft.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Sync } from './sync.js' */
/** @import { MockNode, NodeRecord } from '../types' */

/**
 * One node of the list. Its buttons say what they do, and are described by its name.
 * @param {string} id
 * @param {Api} api
 * @param {Store} store
 * @param {Sync} sync
 */
export function nodeRow(id, api, store, sync) {
  const head = nodeHead(id);
  const left = timeLeft(store);
  const sum = el('p', { class: 'pool-sum' });
  const pools = el('ul', { class: 'pools', 'aria-label': `Pools of ${id}` });
  const act = (/** @type {() => Promise<unknown>} */ action) => attempt(() => action().then(() => sync.refresh()));
  const cable = cableButton(id, api, store, act);
  const inside = nodeDetails(id, api, act);
  const details = el('div', { class: 'node-details', id: detailsOf(id), hidden: true }, inside.element);
  const element = el('li', { class: 'node' }, head.status, head.name, left.element, sum, pools,
    el('div', { class: 'node-actions' }, cable.element), details);

  /** @type {MockNode} */
  let current;
  head.open.addEventListener('click', () => {
    details.hidden = !details.hidden;
    attribute(head.open, 'aria-expanded', !details.hidden);
    element.toggleAttribute('data-open', !details.hidden);
    if (!details.hidden) inside.update(current);
  });
  closeByEscape(element, head.open);

  return {
    element,
    tick: () => left.tick(),
    /** @param {MockNode} now */
    update(now) {
      current = now;
      attribute(element, 'data-status', now.node.status);
      const pulled = cable.update();
      element.toggleAttribute('data-pulled', pulled);
      head.update(now, pulled);
      text(sum, sumOf(now));
      list(pools, poolsOf(now), (pool) => pool.pool_id, poolItem);
      left.update(now);
      if (!details.hidden) inside.update(now);
    },
  };
}

/** The id of the element with a node's details; that of the cable is fit for one. @param {string} id */
const detailsOf = (id) => `node-${cableOf(id)}`;

/**
 * The status and the name of a node, and what is out of the ordinary. The name opens its details.
 * @param {string} id
 */
function nodeHead(id) {
  const about = el('span', { class: 'node-about' });
  const cut = el('span', { class: 'tag tag-fault', hidden: true }, 'cable pulled');
  const lost = el('span', { class: 'tag tag-fault', hidden: true }, 'not listed');
  const mark = shape('online');
  const word = el('span');
  const open = el('button', { type: 'button', class: 'node-open', 'aria-expanded': 'false',
    'aria-controls': detailsOf(id) },
    el('span', { class: 'node-id', id: `name-${cableOf(id)}` }, id), shape('chevron'));
  return {
    open,
    status: el('span', { class: 'node-status' }, mark, word),
    name: el('div', { class: 'node-name' }, el('h3', {}, open), about, ' ', cut, ' ', lost),
    /**
     * @param {MockNode} now
     * @param {boolean} pulled
     */
    update({ node, unlisted_since_ms: unlisted }, pulled) {
      reshape(mark, node.status.toLowerCase());
      text(word, node.status);
      text(about, [node.machine_id, hardwareOf(node)].filter(Boolean).join(' · '));
      cut.hidden = !pulled;
      lost.hidden = unlisted === undefined;
    },
  };
}

/**
 * Pulls the cable of a node, and plugs it in again.
 * @param {string} id
 * @param {Api} api
 * @param {Store} store
 * @param {(action: () => Promise<unknown>) => void} act
 */
function cableButton(id, api, store, act) {
  const name = cableOf(id);
  const plug = shape('unplug');
  const word = el('span');
  const element = el('button', { type: 'button', class: 'cable', 'aria-describedby': `name-${name}` }, plug, word);
  const isPulled = () => store.faults.some((fault) => fault.name === name && fault.enabled);
  element.addEventListener('click', () => act(() => (isPulled()
    ? api.call('delete', '/__mock/faults/{name}', { path: { name } })
    : api.call('put', '/__mock/faults/{name}', { path: { name }, body: pulledCable(id) }))));
  return {
    element,
    update() {
      const pulled = isPulled();
      reshape(plug, pulled ? 'plug' : 'unplug');
      text(word, pulled ? 'Plug in' : 'Pull cable');
      return pulled;
    },
  };
}

/** @param {NodeRecord} node */
function hardwareOf({ capabilities }) {
  const gpus = capabilities.gpu_count ?? capabilities.gpus?.length;
  const vram = capabilities.total_vram_mb !== undefined
    ? capabilities.total_vram_mb * 1e6
    : (capabilities.gpus ?? []).reduce((sum, gpu) => sum + gpu.vram_total_bytes, 0);
  return [gpus !== undefined && plural(gpus, 'GPU'), vram && `${bytes(vram)}\u00a0VRAM`].filter(Boolean).join(', ');
}
