import { attribute, byId, text } from './dom.js';
import { paint } from './timelinepaint.js';
import { sceneOf } from './timelinescene.js';
import { showWords } from './timelinewords.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */

const still = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Draws what happened lately: a lane for each node that is shown, and a strip for all when there are more.
 * @param {Api} _api
 * @param {Store} store
 */
export function timeline(_api, store) {
  const canvas = byId('timeline-canvas', HTMLCanvasElement);
  const choice = byId('timeline-span', HTMLSelectElement);
  /** @type {number | null} the time at which it stands still */
  let frozen = null;
  let due = 0;

  const now = () => frozen ?? store.clock.now();
  const length = () => Number(choice.value) * 1000;
  const draw = () => {
    cancelAnimationFrame(due);
    due = 0;
    if (!store.overview) return;
    paint(canvas, sceneOf(store, now(), length()));
  };
  const redraw = () => { due ||= requestAnimationFrame(draw); };

  byId('timeline-pause').addEventListener('click', () => {
    frozen = frozen === null ? store.clock.now() : null;
    attribute(byId('timeline-pause'), 'aria-pressed', frozen !== null);
    text(byId('timeline-pause'), frozen === null ? 'Freeze' : 'Go on');
    redraw();
  });
  choice.addEventListener('change', redraw);
  byId('theme').addEventListener('click', redraw);
  new ResizeObserver(redraw).observe(byId('timeline'));
  let seen = true;
  new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; }).observe(canvas);
  store.subscribe(['nodes', 'overview', 'faults'], draw); // in the frame that shows the rest

  // Without news only time moves the picture, a pixel or so at a time.
  setInterval(() => {
    if (seen && frozen === null && store.clock.running && !still.matches) redraw();
  }, 50);
  setInterval(() => {
    if (seen && frozen === null && still.matches) redraw();
    if (store.overview) showWords(store, store.overview.nodes.total, now(), length());
  }, 1000);
}
