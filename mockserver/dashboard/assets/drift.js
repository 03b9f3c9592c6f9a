import { attempt, byId, el, list, text } from './dom.js';
import { count, operations, plural, timeOfDay } from './format.js';

/** How requests departed from the contract. */
export function drift(api, store, sync) {
  byId('drift-clear').addEventListener('click', () => attempt(async () => {
    await api.delete('/drift');
    sync.refresh();
  }));
  store.subscribe(['drift', 'overview'], () => {
    const { departures, dropped } = store.drift;
    text(byId('drift-count'), departures.length ? `${count(departures.length)}${dropped ? `, and ${count(dropped)} that are not kept` : ''}` : 'none');
    byId('drift-clear').hidden = !departures.length;
    list(byId('drift-list'), departures, ({ departure: d }) => `${d.operation} ${d.pointer} ${d.kind}`, driftRow);
    byId('drift-empty').hidden = departures.length > 0;
    text(byId('drift-empty'), emptyWords[store.overview?.settings.validation] ?? '');
  });
}

const emptyWords = {
  strict: 'No request has departed from the contract. Under “strict” one that breaks it is refused; choose “report” to take it as far as it can be read, and see here how it drifts.',
  report: 'No request has departed from the contract. One that does is taken as far as it can be read, and listed here.',
  off: 'Validation is off: nobody looks. Choose “report” to have departures listed here.',
};

function driftRow() {
  const where = el('span', { class: 'drift-operation' });
  const pointer = el('code');
  const kind = el('span', { class: 'tag' });
  const expected = el('dd');
  const got = el('dd');
  const seen = el('p', { class: 'drift-seen' });
  const element = el('li', { class: 'departure' },
    el('h3', {}, where, ' ', pointer, ' ', kind),
    el('dl', {}, el('div', {}, el('dt', {}, 'expected'), expected), el('div', {}, el('dt', {}, 'got'), got)),
    seen);
  return {
    element,
    update({ departure, requests, last }) {
      text(where, operations[departure.operation] ?? departure.operation ?? 'no operation');
      text(pointer, departure.pointer || '/');
      text(kind, departure.kind);
      text(expected, departure.expected);
      text(got, departure.got);
      text(seen, `${plural(requests, 'request')}, last ${last.node_id ? `${last.node_id} ` : ''}at ${timeOfDay(last.at_ms)}`);
    },
  };
}
