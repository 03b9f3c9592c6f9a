import { attribute, el, text } from './dom.js';
import { brief } from './format.js';
/** @import { Store } from './store.js' */
/** @import { MockNode } from '../types' */

const still = matchMedia('(prefers-reduced-motion: reduce)');
const lastShare = 0.25; // of the time, in which a node is about to go

/**
 * The time that a node has left, as a bar that shrinks. It is moved by the browser's
 * animations, not by a script, and started anew at each heartbeat.
 * @param {Store} store
 */
export function timeLeft(store) {
  const fill = el('span', { class: 'beat-fill' });
  const due = el('span', { class: 'beat-due' });
  const since = el('span', { class: 'beat-since' });
  const left = el('span', { class: 'beat-left' });
  const element = el('div', { class: 'beat' },
    el('span', { class: 'beat-bar', 'aria-hidden': 'true' }, fill, due),
    el('span', { class: 'beat-words' }, since, ' ', left));
  /** @type {MockNode | undefined} */
  let now;
  // The page may be a moment behind the mock: no node has more than the timeout.
  const remaining = () => Math.max(0, Math.min((now?.expires_at_ms ?? 0) - store.clock.now(), store.timeout));
  const bar = shrinking(fill, store, remaining);

  const tick = () => {
    if (!now) return;
    const beaten = now.node.last_heartbeat_ms;
    const silent = beaten ? Math.max(0, store.clock.now() - beaten) : 0;
    const dead = ['Offline', 'Failed'].includes(now.node.status) || !now.expires_at_ms;
    const stage = dead ? 'gone' : bar.share() < lastShare ? 'last' : silent > 1.5 * store.interval ? 'late' : 'fresh';
    attribute(element, 'data-stage', stage);
    text(since, beaten ? `beat ${brief(silent)} ago` : 'no beat yet');
    text(left, dead ? '' : `${stage === 'fresh' ? '' : 'late, '}${brief(remaining())} left`);
    if (still.matches && !dead) bar.place();
  };
  return {
    element,
    tick,
    /** @param {MockNode} node */
    update(node) {
      now = node;
      due.style.left = `${100 * Math.max(0, 1 - store.interval / store.timeout)}%`;
      bar.animate(node.expires_at_ms);
      tick();
    },
  };
}

/**
 * The bar. Its animation begins anew when the end, the timeout or the course of the clock changes.
 * @param {HTMLElement} fill
 * @param {Store} store
 * @param {() => number} remaining milliseconds
 */
function shrinking(fill, store, remaining) {
  let drawn = '';
  /** @type {Animation | undefined} */
  let motion;
  const share = () => remaining() / store.timeout;
  const place = () => { fill.style.transform = `scaleX(${share()})`; };
  return {
    share,
    place,
    /** @param {number | undefined} end */
    animate(end) {
      const { running, speed } = store.clock;
      const key = `${end} ${store.timeout} ${store.clock.course} ${still.matches}`;
      if (key === drawn) return;
      drawn = key;
      motion?.cancel();
      motion = undefined;
      place();
      if (running && !still.matches && remaining() > 0) {
        motion = fill.animate([{ transform: `scaleX(${share()})` }, { transform: 'scaleX(0)' }],
          { duration: remaining() / speed, fill: 'forwards' });
      }
    },
  };
}
