import { el, list, shape, text } from './dom.js';
import { bytes, preciseTime, timeOfDay } from './format.js';
import { cableOf } from './cable.js';
/** @import { Api } from './api.js' */
/** @import { MockNode, NodeRecord, NodeStatus, Transition } from '../types' */

/**
 * What opens under a node: its address, GPUs, history, and what is seldom done to it.
 * @param {string} id
 * @param {Api} api
 * @param {(action: () => Promise<unknown>) => void} act
 */
export function nodeDetails(id, api, act) {
  const path = { id };
  const facts = el('dl', { class: 'facts' });
  const history = el('ol', { class: 'history', 'aria-label': `Changes of ${id}` });
  const button = (/** @type {string} */ word, /** @type {() => Promise<unknown>} */ action) => el('button',
    { type: 'button', click: () => act(action), 'aria-describedby': `name-${cableOf(id)}` }, word);
  const element = el('div', { class: 'node-inside' },
    el('div', {}, el('h4', {}, 'About'), facts),
    el('div', {}, el('h4', {}, 'History'), history),
    el('div', { class: 'row own' },
      button('Set Offline', () => api.call('put', '/__mock/nodes/{id}/status', { path, body: { status: 'Offline' } })),
      button('Forget', () => api.call('delete', '/__mock/nodes/{id}', { path }))));
  return {
    element,
    /** @param {MockNode} node */
    update({ node, history: changes }) {
      list(facts, factsOf(node), ([name]) => name, factItem);
      list(history, [...changes].reverse(), (change) => `${change.at_ms} ${change.from} ${change.to}`, historyItem);
    },
  };
}

/**
 * @param {NodeRecord} node
 * @returns {[name: string, value: string][]}
 */
function factsOf(node) {
  const { capabilities: c } = node;
  const gpus = (c.gpus ?? []).map((gpu) =>
    [`GPU ${gpu.device_id}`, `${gpu.name}, ${bytes(gpu.vram_total_bytes)} VRAM`]);
  const facts = [
    ['Address', node.address],
    ['Registered', timeOfDay(node.registered_at_ms)],
    ['Version', node.version],
    ['CUDA', c.cuda_version],
    ['CPU cores', c.cpu_cores],
    ['Memory', c.ram_total_bytes && bytes(c.ram_total_bytes)],
    ...gpus,
  ];
  return facts.filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => [String(name), String(value)]);
}

function factItem() {
  const name = el('dt');
  const value = el('dd');
  return {
    element: el('div', {}, name, value),
    /** @param {[name: string, value: string]} fact */
    update([word, what]) {
      text(name, word);
      text(value, what);
    },
  };
}

/** @param {Transition} change what has been does not change */
function historyItem({ at_ms: at, from, to }) {
  const end = (/** @type {NodeStatus | undefined} */ status, /** @type {string} */ none) => el('span',
    { class: 'mark', 'data-status': status ?? 'none' }, status ? shape(status.toLowerCase()) : null, status ?? none);
  const element = el('li', {}, el('time', {}, preciseTime(at)), end(from, 'unknown'), el('span', { class: 'to' }, '→'),
    end(to, 'gone'));
  return { element, update() {} };
}
