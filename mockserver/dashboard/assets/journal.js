import { arrowKeys, attempt, attribute, byId, el, list, text } from './dom.js';
import { bytes, count, micros, operations, plural, preciseTime, pretty } from './format.js';
import { asGlob, copy } from './nodes.js';
import { Refresher } from './refresher.js';

const step = 25; // entries
const most = 1000;

/** The journal: what was asked and answered, what has changed, and who has interfered. */
export function journal(api, store) {
  let following = true;
  let wanted = step;
  let page = { entries: [], last: 0, dropped: 0 };
  let waiting = false; // whether there are entries that are not shown

  const query = () => ({
    node: asGlob(byId('journal-node').value),
    kind: byId('journal-kind').value,
    operation: byId('journal-operation').value,
    answered: byId('journal-answered').value.trim(),
  });
  const load = async () => {
    try {
      page = await api.get('/journal', { ...query(), limit: wanted, detail: 'brief' });
      notice('');
    } catch (error) {
      if (error.status !== 400) throw error;
      notice(error.message);
    } finally {
      waiting = false;
      show();
    }
  };
  const refresher = new Refresher(load, 300);

  const notice = (words) => {
    const missed = store.missed ? `${plural(store.missed, 'entry').replace('entrys', 'entries')} came faster than this page could read, and went by unseen.` : '';
    byId('journal-notice').hidden = !(words || missed);
    text(byId('journal-notice'), words || missed);
  };
  const follow = (on) => {
    following = on;
    attribute(byId('journal-follow'), 'aria-pressed', on);
    if (on) refresher.ask();
    show();
  };
  const show = () => {
    list(byId('journal-list'), [...page.entries].reverse(), ({ sequence }) => sequence, (entry) => entryRow(entry, api, () => follow(false)));
    const overview = store.overview?.journal;
    text(byId('journal-count'), overview ? `${count(overview.kept)} kept${overview.dropped ? `, ${count(overview.dropped)} dropped` : ''}` : '');
    text(byId('journal-follow'), following ? 'Following' : waiting ? 'Follow: there is news' : 'Follow');
    byId('journal-more').hidden = page.entries.length < wanted || wanted >= most;
    byId('journal-empty').hidden = page.entries.length > 0;
    const filtered = Object.values(query()).some(Boolean);
    text(byId('journal-empty'), filtered ? 'No entry fits this filter.' : 'Nothing has happened yet. Every request of a node will be here, with its answer.');
  };

  const filter = () => {
    wanted = step;
    refresher.ask();
  };
  byId('journal-filters').addEventListener('input', filter);
  byId('journal-filters').addEventListener('submit', (event) => event.preventDefault());
  byId('journal-follow').addEventListener('click', () => follow(!following));
  byId('journal-clear').addEventListener('click', () => attempt(async () => {
    await api.delete('/journal');
    follow(true);
  }));
  byId('journal-more').addEventListener('click', () => {
    wanted = Math.min(2 * wanted, most);
    refresher.ask();
  });
  arrowKeys(byId('journal-list'), '.entry', () => follow(false));

  store.subscribe(['journal', 'beats'], () => {
    waiting = true;
    if (following) refresher.ask();
    else show();
  });
  store.subscribe(['overview'], show);
}

/** One entry: a line, under which the whole opens. */
function entryRow(entry, api, opened) {
  const details = el('div', { class: 'entry-details', id: `entry-${entry.sequence}`, hidden: true });
  const button = el('button', { type: 'button', class: 'entry', 'aria-expanded': 'false', 'aria-controls': details.id },
    ...lineOf(entry));
  const toggle = async () => {
    details.hidden = !details.hidden;
    attribute(button, 'aria-expanded', !details.hidden);
    if (details.hidden) return;
    opened();
    const whole = await attempt(() => api.get(`/journal/${entry.sequence}`));
    details.replaceChildren(...(whole ? wholeOf(whole) : []));
  };
  button.addEventListener('click', toggle);
  const element = el('li', { 'data-kind': entry.kind }, button, details);
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || details.hidden) return;
    toggle();
    button.focus();
  });
  return { element, update() {} }; // what has been does not change
}

function lineOf(entry) {
  const when = el('time', { class: 'entry-time' }, preciseTime(entry.at_ms));
  if (entry.kind !== 'exchange') {
    return [when, el('span', { class: 'entry-kind' }, entry.kind), el('span', { class: 'entry-summary' }, entry.summary)];
  }
  const { answer, fault, departures, request } = entry;
  const what = operations[entry.operation] ?? `${request?.method ?? ''} ${request?.path ?? ''}`.trim();
  return [
    when,
    el('span', { class: 'entry-kind' }, what),
    el('span', { class: 'entry-node' }, entry.node_id ?? ''),
    el('span', { class: 'answer', 'data-class': classOf(answer?.status) }, answer?.status ? String(answer.status) : 'no answer'),
    el('span', { class: 'entry-flags' },
      fault ? el('span', { class: 'tag tag-fault' }, `fault ${fault}`) : null,
      departures?.length ? el('span', { class: 'tag tag-drift' }, plural(departures.length, 'departure')) : null),
    el('span', { class: 'entry-duration' }, entry.duration_us === undefined ? '' : micros(entry.duration_us)),
  ];
}

const classOf = (status) => (status ? `${Math.floor(status / 100)}xx` : 'none');

function wholeOf(entry) {
  const { request, answer, departures } = entry;
  const facts = [
    ['Entry', count(entry.sequence)],
    entry.fault && ['Fault', entry.fault],
    !request && ['What', entry.summary],
  ].filter(Boolean).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)));
  return [
    el('dl', { class: 'facts' }, ...facts, entry.correlation_id ? correlation(entry.correlation_id) : null),
    departures?.length ? el('ul', { class: 'departures', 'aria-label': 'Departures' }, ...departures.map(departureItem)) : null,
    request ? el('div', { class: 'sides' },
      side('Request', `${request.method} ${request.path}`, request),
      side('Answer', answer?.status ? String(answer.status) : 'none was sent', answer ?? {})) : null,
  ].filter(Boolean);
}

function correlation(id) {
  const button = el('button', { type: 'button', class: 'quiet', 'aria-label': 'Copy the correlation id' }, 'Copy');
  button.addEventListener('click', () => copy(id, button));
  return el('div', {}, el('dt', {}, 'Correlation id'), el('dd', {}, el('code', {}, id), ' ', button));
}

const departureItem = ({ pointer, expected, got }) => el('li', {}, el('code', {}, pointer || '/'), ` ${expected}, got ${got}`);

function side(title, line, { header, body }) {
  const lines = Object.entries(header ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => el('div', {},
    el('dt', {}, name), el('dd', {}, value)));
  const cut = body && body.bytes > new TextEncoder().encode(body.text).length;
  return el('section', { class: 'side', 'aria-label': title },
    el('h4', {}, title, ' ', el('code', {}, line)),
    lines.length ? el('dl', { class: 'headers' }, ...lines) : null,
    body?.text ? el('pre', { tabindex: '0', 'aria-label': `Body of the ${title.toLowerCase()}` }, pretty(body.text)) : el('p', { class: 'muted' }, 'no body'),
    cut ? el('p', { class: 'muted' }, `The first part of ${bytes(body.bytes)}.`) : null);
}
