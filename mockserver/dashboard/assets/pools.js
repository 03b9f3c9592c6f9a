import { attribute, el, text } from './dom.js';
import { bytes, count, plural } from './format.js';
/** @import { MockNode, Pool } from '../types' */

const mostSlotsDrawn = 16; // one by one

/**
 * The pools as reported, and before that the ones that the node registered.
 * @param {MockNode} node
 * @returns {Pool[]}
 */
export function poolsOf({ node, pools }) {
  /** @type {Map<string, Pool>} */
  const reported = new Map(pools.map((pool) => [pool.pool_id, pool]));
  for (const id of node.pools) if (!reported.has(id)) reported.set(id, { pool_id: id });
  return [...reported.values()];
}

/** The pools of a node in a few words. @param {MockNode} node */
export function sumOf(node) {
  const all = poolsOf(node);
  if (all.length === 0) return 'no pools';
  const name = all.length === 1 ? all[0].pool_id : plural(all.length, 'pool');
  if (node.pools.length === 0) return `${name}, not reported`;
  const sum = (/** @type {(pool: Pool) => number | null | undefined} */ of) => {
    const stated = all.map(of).filter((value) => typeof value === 'number');
    return stated.length ? stated.reduce((total, value) => total + value) : undefined;
  };
  return `${name}, ${freeWords({
    slots_free: sum((pool) => pool.slots_free ?? 0),
    slots_total: sum((pool) => pool.slots_total ?? pool.slots_free),
    vram_free_bytes: sum((pool) => pool.vram_free_bytes),
  })}`;
}

/** One pool of a node. */
export function poolItem() {
  const name = el('span', { class: 'pool-name' });
  const state = el('span', { class: 'pool-state' });
  const fill = el('span', { class: 'pool-fill' });
  const free = el('span', { class: 'pool-free' });
  const bar = el('span', { class: 'pool-bar', 'aria-hidden': 'true' }, fill);
  const element = el('li', { class: 'pool' }, name, ' ', state, bar, ' ', free);
  return {
    element,
    /** @param {Pool} pool */
    update(pool) {
      const word = stateOf(pool);
      text(name, pool.pool_id);
      text(state, word);
      attribute(element, 'data-state', word);
      const slots = pool.slots_free ?? 0;
      const total = pool.slots_total ?? slots;
      bar.hidden = total === 0;
      fill.style.transform = `scaleX(${total ? Math.min(1, slots / total) : 0})`;
      bar.style.setProperty('--slots', String(total > 0 && total <= mostSlotsDrawn ? total : 1));
      text(free, freeWords(pool));
    },
  };
}

/** @param {Pool} pool */
function stateOf({ slots_free: free, draining, ready }) {
  if (free === undefined) return 'not reported';
  if (draining) return 'draining';
  return ready ? 'ready' : 'not ready';
}

/**
 * What is free: "3/4 slots, 12 GB VRAM free".
 * @param {Partial<Pool>} pool
 */
function freeWords({ slots_free: free, slots_total: total, vram_free_bytes: vram }) {
  if (free === undefined) return '';
  const slots = typeof total === 'number' ? `${count(free)}/${plural(total, 'slot')}` : plural(free, 'slot');
  return typeof vram === 'number' ? `${slots}, ${bytes(vram)} VRAM free` : `${slots} free`;
}
