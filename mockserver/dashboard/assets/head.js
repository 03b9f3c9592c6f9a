import { attempt, attribute, byId, el, shape, text } from './dom.js';
import { count, timeOfDay } from './format.js';

/** The statuses of nodes, in the order in which they are shown. */
export const statuses = ['Registering', 'Online', 'Draining', 'Offline', 'Failed'];

/** The top of the page: whether the mock is there, its clock, its counts and its settings. */
export function head(api, store, sync) {
  link(store);
  clock(api, store, sync);
  tally(store, sync);
  settings(api, store, sync);
}

function link(store) {
  const words = { live: 'Live', down: 'Mock out of reach' };
  const show = () => {
    const state = store.link ?? 'connecting';
    attribute(byId('link'), 'data-state', state);
    text(byId('link'), words[state] ?? 'Connecting');
    attribute(document.body, 'data-link', state);
  };
  store.subscribe(['link'], show);
  store.subscribe(['overview'], () => text(byId('version'), store.overview.version.replace(/^\(.*/, ''))); // (devel) says nothing
}

function clock(api, store, sync) {
  const change = (path, call) => attempt(async () => {
    store.clock.set(await call(path));
    store.touch('overview');
    sync.refresh();
  });
  const advance = (seconds) => change('/clock/advance', (path) => api.post(path, { by_ms: seconds * 1000 }));
  const alter = (changes) => change('/clock', (path) => api.patch(path, changes));

  byId('clock-toggle').addEventListener('click', () => alter({ running: !store.clock.running }));
  byId('clock-10').addEventListener('click', () => advance(10));
  byId('clock-30').addEventListener('click', () => advance(30));
  byId('clock-speed').addEventListener('change', (event) => alter({ speed: Number(event.target.value) }));

  const tick = () => text(byId('clock-now'), timeOfDay(store.clock.now()));
  const show = () => {
    const { running, speed } = store.clock;
    text(byId('clock-toggle'), running ? 'Pause' : 'Resume');
    text(byId('clock-pace'), running ? paceOf(speed) : 'paused');
    attribute(byId('clock-pace'), 'data-running', running);
    showSpeed(byId('clock-speed'), speed);
    tick();
  };
  store.subscribe(['overview'], show);
  setInterval(() => store.overview && tick(), 200);
}

const paceOf = (speed) => (speed === 1 ? 'running' : `running, × ${count(speed)}`);

/** Selects a speed, which may be one that the page does not offer by itself. */
function showSpeed(select, speed) {
  if (![...select.options].some((option) => Number(option.value) === speed)) {
    select.append(el('option', { value: speed }, `× ${speed}`));
  }
  if (Number(select.value) !== speed) select.value = String(speed);
}

function tally(store, sync) {
  const tiles = statuses.map((status) => {
    const figure = el('span', { class: 'figure' }, '0');
    const button = el('button', { type: 'button', class: 'tile', 'data-status': status, 'aria-pressed': 'false' },
      figure, el('span', { class: 'word' }, shape(status.toLowerCase()), status));
    button.addEventListener('click', () => {
      const wanted = store.query.status === status ? '' : status;
      store.query = { ...store.query, status: wanted };
      store.touch('query');
      sync.nodes.ask();
    });
    return { status, figure, button };
  });
  byId('tally').replaceChildren(...tiles.map(({ button }) => button));

  store.subscribe(['overview', 'query'], () => {
    for (const { status, figure, button } of tiles) {
      const nodes = store.overview?.nodes[status.toLowerCase()] ?? 0;
      text(figure, count(nodes));
      attribute(button, 'data-none', nodes === 0 ? '' : null);
      attribute(button, 'aria-pressed', store.query.status === status);
    }
    const pools = store.overview?.pools_available ?? 0;
    text(byId('pools-available'), count(pools));
    text(byId('pools-word'), pools === 1 ? 'pool available' : 'pools available');
  });
}

function settings(api, store, sync) {
  const form = byId('settings');
  const interval = byId('heartbeat-interval');
  const timeout = byId('node-timeout');
  const cloud = byId('cloud-profile');
  const choices = [byId('dialect'), byId('validation')]; // named as the settings
  let edited = false; // what a person is typing is not overwritten

  const change = async (changes) => {
    const now = await attempt(() => api.patch('/settings', changes));
    edited &&= !now;
    if (now) store.overview.settings = now;
    store.touch('overview');
    sync.refresh();
  };
  cloud.addEventListener('click', () => change({ cloud_profile: !store.overview.settings.cloud_profile }));
  for (const choice of choices) choice.addEventListener('change', () => change({ [choice.id]: choice.value }));
  form.addEventListener('input', (event) => {
    edited ||= !choices.includes(event.target);
    byId('settings-save').disabled = !edited; // at once: Enter does nothing while it is
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    change({
      heartbeat_interval_ms: Math.round(interval.valueAsNumber * 1000),
      node_timeout_ms: Math.round(timeout.valueAsNumber * 1000),
    });
  });

  const confirm = byId('confirm');
  byId('reset').addEventListener('click', () => {
    confirm.returnValue = '';
    confirm.showModal();
  });
  confirm.addEventListener('close', () => {
    if (confirm.returnValue !== 'reset') return;
    attempt(async () => {
      await api.post('/reset');
      edited = false;
      store.beats.clear();
      store.touch('beats', 'journal');
      sync.refresh();
    });
  });

  store.subscribe(['overview'], () => {
    const now = store.overview.settings;
    attribute(cloud, 'aria-checked', now.cloud_profile);
    for (const choice of choices) choice.value = now[choice.id];
    byId('settings-save').disabled = !edited;
    if (edited) return;
    interval.value = now.heartbeat_interval_ms / 1000;
    timeout.value = now.node_timeout_ms / 1000;
  });
}
