import { attempt, attribute, byId, el, list, text } from './dom.js';
import { faultEditor } from './faulteditor.js';
import { count } from './format.js';

/** The faults, each with a switch, and a form to add one. */
export function faults(api, store, sync) {
  const show = () => {
    const on = store.faults.filter(({ enabled }) => enabled).length;
    text(byId('faults-count'), on ? `${count(on)} on` : 'none on');
    // Those that a person has added come first: they are what is being tried out.
    const own = [...store.faults].sort((a, b) => a.preset - b.preset);
    list(byId('fault-list'), own, ({ name }) => name, ({ name }) => faultRow(name, api, sync));
  };
  store.subscribe(['faults'], show);
  faultEditor(byId('fault-form'), async (name, definition) => {
    await api.put(`/faults/${encodeURIComponent(name)}`, definition);
    byId('fault-editor').open = false;
    sync.refresh();
  });
}

function faultRow(name, api, sync) {
  const path = `/faults/${encodeURIComponent(name)}`;
  const act = (action) => attempt(async () => {
    await action();
    sync.refresh();
  });
  const nameId = `fault-${name}`;
  const toggle = el('button', { type: 'button', class: 'switch', role: 'switch', 'aria-checked': 'false', 'aria-labelledby': nameId });
  const summary = el('p', { class: 'fault-summary' });
  const applied = el('span', { class: 'fault-applied' });
  const rules = el('pre', { tabindex: '0' });
  const remove = el('button', { type: 'button', class: 'quiet', 'aria-label': `Remove the fault ${name}` }, 'Remove');
  const element = el('li', { class: 'fault' },
    toggle,
    el('div', { class: 'fault-what' },
      el('h3', { id: nameId }, name), summary,
      el('details', { class: 'fault-rules' }, el('summary', {}, 'Rules'), rules)),
    el('div', { class: 'fault-end' }, applied, remove));
  toggle.addEventListener('click', () => act(() => api.patch(path, { enabled: toggle.getAttribute('aria-checked') !== 'true' })));
  remove.addEventListener('click', () => act(() => api.delete(path)));
  return {
    element,
    update(fault) {
      attribute(element, 'data-on', fault.enabled ? '' : null);
      attribute(toggle, 'aria-checked', fault.enabled);
      text(summary, fault.summary);
      text(applied, fault.applied ? `struck ${count(fault.applied)}×` : '');
      text(rules, JSON.stringify(fault.rules, null, 2));
      remove.hidden = fault.preset;
    },
  };
}
