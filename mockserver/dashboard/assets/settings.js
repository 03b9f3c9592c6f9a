import { attempt, attribute, bound, byId, offer } from './dom.js';
import { schemas } from './limits.gen.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Sync } from './sync.js' */
/** @import { Overview, SettingsChange } from '../types' */

const second = 1000; // ms

/**
 * What the mock asks of its nodes, and the way back to the start.
 * @param {Api} api
 * @param {Store} store
 * @param {Sync} sync
 */
export function settings(api, store, sync) {
  const fields = fieldsOfSettings();
  const { form, save, interval, timeout, cloud, dialect, validation } = fields;
  let edited = false; // what a person is typing is not overwritten

  const change = async (/** @type {SettingsChange} */ body) => {
    const now = await attempt(() => api.call('patch', '/__mock/settings', { body }));
    edited &&= !now;
    if (now && store.overview) store.overview.settings = now;
    store.touch('overview');
    sync.refresh();
  };
  cloud.addEventListener('click', () => change({ cloud_profile: cloud.getAttribute('aria-checked') !== 'true' }));
  dialect.addEventListener('change', () => change(/** @type {SettingsChange} */ ({ dialect: dialect.value })));
  validation.addEventListener('change', () => change(/** @type {SettingsChange} */ ({ validation: validation.value })));
  form.addEventListener('input', ({ target }) => {
    edited ||= target === interval || target === timeout;
    save.disabled = !edited; // at once: Enter does nothing while it is
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    /** @type {SettingsChange} */
    const asked = { node_timeout_ms: Math.round(timeout.valueAsNumber * second) };
    if (!store.overview?.upstream) asked.heartbeat_interval_ms = Math.round(interval.valueAsNumber * second);
    change(asked);
  });
  resetting(() => attempt(async () => {
    await api.call('post', '/__mock/reset');
    edited = false;
    store.beats.clear();
    store.touch('beats', 'journal');
    sync.refresh();
  }));

  store.subscribe(['overview'], () => {
    if (store.overview) show(fields, store.overview.settings, edited);
  });
}

/** The form, its fields within what the mock takes. */
function fieldsOfSettings() {
  const fields = {
    form: byId('settings'),
    save: byId('settings-save', HTMLButtonElement),
    interval: byId('heartbeat-interval', HTMLInputElement),
    timeout: byId('node-timeout', HTMLInputElement),
    cloud: byId('cloud-profile'),
    dialect: byId('dialect', HTMLSelectElement),
    validation: byId('validation', HTMLSelectElement),
  };
  offer(fields.dialect, schemas.Dialect.enum, (value) => value.replace('-', ' '));
  offer(fields.validation, schemas.Validation.enum);
  bound(fields.interval, schemas.HeartbeatInterval, second);
  bound(fields.timeout, schemas.NodeTimeout, second);
  return fields;
}

/**
 * @param {ReturnType<typeof fieldsOfSettings>} fields
 * @param {Overview['settings']} now
 * @param {boolean} edited
 */
function show({ save, interval, timeout, cloud, dialect, validation }, now, edited) {
  attribute(cloud, 'aria-checked', now.cloud_profile);
  dialect.value = now.dialect;
  validation.value = now.validation;
  save.disabled = !edited;
  if (edited) return;
  interval.value = String(now.heartbeat_interval_ms / second);
  timeout.value = String(now.node_timeout_ms / second);
}

/** Has the mock reset once a person has confirmed it. @param {() => void} reset */
function resetting(reset) {
  const confirm = byId('confirm', HTMLDialogElement);
  byId('reset').addEventListener('click', () => {
    confirm.returnValue = '';
    confirm.showModal();
  });
  confirm.addEventListener('close', () => {
    if (confirm.returnValue === 'reset') reset();
  });
}
