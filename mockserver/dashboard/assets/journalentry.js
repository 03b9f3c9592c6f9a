import { attempt, attribute, closeByEscape, el } from './dom.js';
import { copy } from './copy.js';
import { bytes, count, micros, plural, preciseTime, pretty, wordOf } from './format.js';
/** @import { Api } from './api.js' */
/** @import { BodyRecord, Departure, JournalEntry } from '../types' */

/**
 * One entry of the journal: a line, under which the whole opens.
 * @param {JournalEntry} entry
 * @param {Api} api
 * @param {() => void} opened
 */
export function entryRow(entry, api, opened) {
  const { sequence } = entry;
  const details = el('div', { class: 'entry-details', id: `entry-${sequence}`, hidden: true });
  const button = el('button', { type: 'button', class: 'entry', 'aria-expanded': 'false', 'aria-controls': details.id },
    ...lineOf(entry));
  button.addEventListener('click', async () => {
    details.hidden = !details.hidden;
    attribute(button, 'aria-expanded', !details.hidden);
    if (details.hidden) return;
    opened();
    const whole = await attempt(() => api.call('get', '/__mock/journal/{sequence}', { path: { sequence } }));
    details.replaceChildren(...(whole ? wholeOf(whole) : []));
  });
  const element = el('li', { 'data-kind': entry.kind }, button, details);
  closeByEscape(element, button);
  return { element, update() {} }; // what has been does not change
}

const part = (/** @type {string} */ name, /** @type {(Node|string)[]} */ ...children) =>
  el('span', { class: `entry-${name}` }, ...children);

/** @param {JournalEntry} entry */
function lineOf(entry) {
  const when = el('time', { class: 'entry-time' }, preciseTime(entry.at_ms));
  if (entry.kind !== 'exchange') return spaced([when, part('kind', entry.kind), part('summary', entry.summary)]);
  const { answer, duration_us: duration } = entry;
  return spaced([
    when,
    part('kind', entry.operation ? wordOf(entry.operation) : 'other'),
    part('node', entry.node_id ?? ''),
    el('span', { class: 'answer', 'data-class': classOf(answer?.status) }, answer?.status ? String(answer.status)
      : 'no answer'),
    part('what', ...whatOf(entry)),
    part('duration', duration === undefined ? '' : micros(duration)),
  ]);
}

/** Puts spaces between the parts of a line, for those who have it read to them. @param {Node[]} parts */
const spaced = (parts) => parts.flatMap((each) => [each, ' ']);

/** What is special about an exchange, or what was asked for and said. @param {JournalEntry} entry */
function whatOf({ fault, departures = [], request, content }) {
  const [first, ...others] = departures;
  const tags = [
    fault && el('span', { class: 'tag tag-fault' }, `fault ${fault}`),
    first && el('span', { class: 'tag tag-drift' }, plural(departures.length, 'departure')),
    first && el('span', { class: 'entry-departure' }, `${departureWords(first)}${others.length ? ' …' : ''}`),
  ];
  const line = request && !first ? el('code', { class: 'entry-request' }, `${request.method} ${request.path}`) : '';
  const said = content && !first ? el('span', { class: 'entry-content' }, content) : '';
  return spaced([...tags, line, said].filter((each) => each instanceof Node));
}

const classOf = (/** @type {number | undefined} */ status) => (status ? `${Math.floor(status / 100)}xx` : 'none');

/** @param {JournalEntry} entry */
function wholeOf(entry) {
  const { request, answer, departures, fault, correlation_id: correlation } = entry;
  return [
    el('dl', { class: 'facts' },
      fact('Entry', count(entry.sequence)),
      fault ? fact('Fault', fault) : null,
      request ? null : fact('What', entry.summary),
      correlation ? correlationFact(correlation) : null),
    ...(departures?.length ? [el('ul', { class: 'departures', 'aria-label': 'Departures' },
      ...departures.map((each) => el('li', {}, departureWords(each))))] : []),
    ...(request ? [el('div', { class: 'sides' },
      side('Request', `${request.method} ${request.path}`, request),
      side('Answer', answer?.status ? String(answer.status) : 'none was sent', answer ?? {}))] : []),
  ];
}

const fact = (/** @type {string} */ name, /** @type {(Node|string)[]} */ ...value) =>
  el('div', {}, el('dt', {}, name), el('dd', {}, ...value));

/** @param {string} id */
function correlationFact(id) {
  const button = el('button', { type: 'button', class: 'quiet', 'aria-label': 'Copy the correlation id' }, 'Copy');
  button.addEventListener('click', () => copy(id, button));
  return fact('Correlation id', el('code', {}, id), ' ', button);
}

const departureWords = (/** @type {Departure} */ { pointer, expected, got }) =>
  `${pointer || '/'} ${expected}, got ${got}`;

/**
 * @param {string} title
 * @param {string} line
 * @param {{header?: Record<string, string>, body?: BodyRecord}} message
 */
function side(title, line, { header = {}, body }) {
  const lines = Object.entries(header).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => fact(name, value));
  const cut = body && body.bytes > new TextEncoder().encode(body.text).length;
  return el('div', { class: 'side', role: 'group', 'aria-label': title },
    el('h3', {}, title, ' ', el('code', {}, line)),
    lines.length ? el('dl', { class: 'headers' }, ...lines) : null,
    body?.text
      ? el('pre', { tabindex: '0', role: 'group', 'aria-label': `Body of the ${title.toLowerCase()}` },
        pretty(body.text)) : el('p', { class: 'muted' }, 'no body'),
    cut ? el('p', { class: 'muted' }, `The first part of ${bytes(body.bytes)}.`) : null);
}
