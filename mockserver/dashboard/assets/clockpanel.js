import { attempt, attribute, byId, el, text } from './dom.js';
import { count, timeOfDay } from './format.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Sync } from './sync.js' */
/** @import { ClockState } from '../types' */

/**
 * The mock's clock, which can be paused, put forward, and sped up.
 * @param {Api} api
 * @param {Store} store
 * @param {Sync} sync
 */
export function clock(api, store, sync) {
  const change = (/** @type {() => Promise<ClockState>} */ call) => attempt(async () => {
    store.clock.set(await call());
    store.touch('overview');
    sync.refresh();
  });
  const advance = (/** @type {number} */ seconds) =>
    change(() => api.call('post', '/__mock/clock/advance', { body: { by_ms: seconds * 1000 } }));
  const alter = (/** @type {Partial<ClockState>} */ body) => change(() => api.call('patch', '/__mock/clock', { body }));

  const speeds = byId('clock-speed', HTMLSelectElement);
  byId('clock-toggle').addEventListener('click', () => alter({ running: !store.clock.running }));
  byId('clock-10').addEventListener('click', () => advance(10));
  byId('clock-30').addEventListener('click', () => advance(30));
  speeds.addEventListener('change', () => alter({ speed: Number(speeds.value) }));

  const tick = () => {
    for (const face of [byId('clock-now'), byId('controls-clock')]) text(face, timeOfDay(store.clock.now()));
  };
  store.subscribe(['overview'], () => {
    const { running, speed } = store.clock;
    text(byId('clock-toggle'), running ? 'Pause' : 'Resume');
    text(byId('clock-pace'), running ? paceOf(speed) : 'paused');
    attribute(byId('clock-pace'), 'data-running', running);
    showSpeed(speeds, speed);
    tick();
  });
  setInterval(() => store.overview && tick(), 200);
}

const paceOf = (/** @type {number} */ speed) => (speed === 1 ? 'running' : `running, × ${count(speed)}`);

/**
 * Selects a speed, which may be one that the page does not offer by itself.
 * @param {HTMLSelectElement} select
 * @param {number} speed
 */
function showSpeed(select, speed) {
  if (![...select.options].some((option) => Number(option.value) === speed)) {
    select.append(el('option', { value: speed }, `× ${speed}`));
  }
  if (Number(select.value) !== speed) select.value = String(speed);
}
