import { attempt, attribute, byId, el, list, text } from './dom.js';
import { faultEditor } from './faulteditor.js';
import { count, plural } from './format.js';
import { sentence } from './rules.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Sync } from './sync.js' */
/** @import { FaultState } from '../types' */

/**
 * The faults, each with a switch, and a form to add one.
 * @param {Api} api
 * @param {Store} store
 * @param {Sync} sync
 */
export function faults(api, store, sync) {
  store.subscribe(['faults'], () => {
    const on = store.faults.filter(({ enabled }) => enabled).length;
    text(byId('faults-count'), on ? `${count(on)} on` : 'none on');
    text(byId('faults-jump'), on ? `Faults (${count(on)})` : 'Faults');
    // Those that a person has added come first: they are what is being tried out.
    const own = [...store.faults].sort((a, b) => Number(a.preset) - Number(b.preset));
    list(byId('fault-list'), own, ({ name }) => name, ({ name }) => faultRow(name, api, sync));
  });
  faultEditor(byId('fault-form', HTMLFormElement), async (name, body) => {
    await api.call('put', '/__mock/faults/{name}', { path: { name }, body });
    byId('fault-editor', HTMLDetailsElement).open = false;
    sync.refresh();
  });
}

/**
 * @param {string} name
 * @param {Api} api
 * @param {Sync} sync
 */
function faultRow(name, api, sync) {
  const path = { name };
  const act = (/** @type {() => Promise<unknown>} */ action) => attempt(async () => {
    await action();
    sync.refresh();
  });
  const id = `fault-${name}`;
  const toggle = el('button',
    { type: 'button', class: 'switch', role: 'switch', 'aria-checked': 'false', 'aria-labelledby': id });
  const summary = el('p', { class: 'fault-summary' });
  const applied = el('span', { class: 'fault-applied' });
  const size = el('summary');
  const rules = el('ol');
  const remove = el('button', { type: 'button', class: 'quiet', 'aria-describedby': id }, 'Remove');
  const element = el('li', { class: 'fault' },
    toggle,
    el('div', { class: 'fault-what' },
      el('h3', { id }, name), summary,
      el('details', { class: 'fault-rules' }, size, rules)),
    el('div', { class: 'fault-end' }, applied, remove));
  toggle.addEventListener('click', () => act(() => api.call('patch', '/__mock/faults/{name}',
    { path, body: { enabled: toggle.getAttribute('aria-checked') !== 'true' } })));
  remove.addEventListener('click', () => act(() => api.call('delete', '/__mock/faults/{name}', { path })));
  return {
    element,
    /** @param {FaultState} fault */
    update(fault) {
      attribute(element, 'data-on', fault.enabled ? '' : null);
      attribute(toggle, 'aria-checked', fault.enabled);
      text(summary, fault.summary);
      text(applied, fault.applied ? `changed ${plural(fault.applied, 'request')}` : '');
      text(size, plural(fault.rules.length, 'rule'));
      list(rules, fault.rules.map(sentence), (words) => words, (words) =>
        ({ element: el('li', {}, words), update() {} }));
      remove.hidden = fault.preset;
    },
  };
}
