import { attempt, byId, el, list, text } from './dom.js';
import { count, plural, timeOfDay, wordOf } from './format.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Sync } from './sync.js' */
/** @import { DriftEntry, DriftList, DriftReport } from '../types' */

const nothing = { departures: [], dropped: 0 };

/**
 * What drifts, each under a heading of its own.
 * @type {{title: string, about: string, of: (report: DriftReport) => DriftList}[]}
 */
const sorts = [
  { title: 'Requests', about: 'They break the contract.', of: (report) => report },
  {
    title: 'Answers',
    about: 'The orchestratord behind the mock breaks the contract.',
    of: (report) => report.upstream ?? nothing,
  },
  {
    title: 'Refused in service',
    about: 'They were accepted, but the orchestratord in service would refuse them.',
    of: (report) => report.refused_in_service,
  },
];

/**
 * How requests departed from the contract.
 * @param {Api} api
 * @param {Store} store
 * @param {Sync} sync
 */
export function drift(api, store, sync) {
  byId('drift-clear').addEventListener('click', () => attempt(async () => {
    await api.call('delete', '/__mock/drift');
    sync.refresh();
  }));
  const sections = sorts.map((sort) => ({ ...sort, section: driftSection(sort.title, sort.about) }));
  byId('drift-sorts').append(...sections.map(({ section }) => section.element));
  store.subscribe(['drift', 'overview'], () => {
    for (const { section, of } of sections) section.update(of(store.drift));
    const found = sorts.reduce((sum, { of }) => sum + of(store.drift).departures.length, 0);
    text(byId('drift-count'), found ? plural(found, 'departure') : 'none');
    text(byId('drift-jump'), found ? `Drift (${count(found)})` : 'Drift');
    byId('drift-clear').hidden = found === 0;
    byId('drift-empty').hidden = found > 0;
    text(byId('drift-empty'), store.overview && emptyWords[store.overview.settings.validation]);
  });
}

const emptyWords = {
  strict: 'No request has departed from the contract. Under “strict” one that breaks it is refused; '
    + 'choose “report” to take it as far as it can be read, and see here how it drifts.',
  report: 'No request has departed from the contract. One that does is taken as far as it can be read, '
    + 'and listed here.',
  off: 'Validation is off: nobody looks. Choose “report” to have departures listed here.',
};

/**
 * The departures of one sort; nothing while there are none.
 * @param {string} title
 * @param {string} about
 */
function driftSection(title, about) {
  const size = el('span', { class: 'count' });
  const rows = el('ol', { class: 'drift-list' });
  const more = el('p', { class: 'muted' });
  const element = el('section', { class: 'drift-sort', hidden: true, 'aria-label': title },
    el('div', { class: 'drift-head' }, el('h3', {}, title), size, el('p', { class: 'muted' }, about)), rows, more);
  return {
    element,
    /** @param {DriftList} drift */
    update({ departures, dropped }) {
      element.hidden = departures.length === 0;
      text(size, count(departures.length));
      list(rows, departures, ({ departure: d }) => `${d.operation} ${d.pointer} ${d.kind}`, driftRow);
      text(more, dropped ? `${plural(dropped, 'more was', 'more were')} seen and not kept.` : '');
      more.hidden = dropped === 0;
    },
  };
}

function driftRow() {
  const where = el('span', { class: 'drift-operation' });
  const pointer = el('code');
  const kind = el('span', { class: 'tag' });
  const expected = el('dd');
  const got = el('dd');
  const seen = el('p', { class: 'drift-seen' });
  const element = el('li', { class: 'departure' },
    el('h4', {}, where, ' ', pointer, ' ', kind),
    el('dl', {}, el('div', {}, el('dt', {}, 'rule'), expected), el('div', {}, el('dt', {}, 'got'), got)),
    seen);
  return {
    element,
    /** @param {DriftEntry} entry */
    update({ departure, requests, last }) {
      text(where, departure.operation ? wordOf(departure.operation) : 'no operation');
      text(pointer, departure.pointer || '/');
      text(kind, departure.kind);
      kind.hidden = departure.kind === 'refused-in-service'; // as the heading says
      text(expected, departure.expected);
      text(got, departure.got);
      text(seen,
        `${plural(requests, 'request')}, last ${last.node_id ? `${last.node_id} ` : ''}at ${timeOfDay(last.at_ms)}`);
    },
  };
}
