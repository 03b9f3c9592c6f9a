import { Refusal } from './api.js';
import { arrowKeys, attempt, attribute, byId, list, offer, text } from './dom.js';
import { count, plural, wordOf } from './format.js';
import { asGlob } from './glob.js';
import { entryRow } from './journalentry.js';
import { parameters, schemas } from './limits.gen.js';
import { Refresher } from './refresher.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { JournalPage, JournalQuery } from '../types' */

const step = 25; // entries
const most = parameters.EntryLimit.maximum;
const kinds = { exchange: 'requests', change: 'changes', control: 'control' };

/**
 * How a person reads the journal.
 * @typedef {object} Reading
 * @property {boolean} following whether new entries are shown as they come
 * @property {number} wanted entries
 * @property {boolean} asked by a filter or for more, which a reader who does not follow has to get too
 * @property {JournalPage} page
 */

/**
 * The journal: what was asked and answered, what has changed, and who has interfered.
 * @param {Api} api
 * @param {Store} store
 */
export function journal(api, store) {
  /** @type {Reading} */
  const reading = { following: true, wanted: step, asked: false, page: { entries: [], last: 0, dropped: 0 } };
  const query = filters(() => ask(step));
  const show = () => showPage(store, reading, Object.values(query()).some(Boolean), (entry) =>
    entryRow(entry, api, () => follow(false)));
  const refresher = new Refresher(async () => {
    try {
      showNotice(store, await load(api, reading, query()));
    } finally {
      show();
    }
  }, 300);
  const ask = (/** @type {number} */ entries) => {
    reading.wanted = entries;
    reading.asked = true;
    refresher.ask();
  };
  const follow = (/** @type {boolean} */ on) => {
    reading.following = on;
    attribute(byId('journal-follow'), 'aria-pressed', on);
    if (on) refresher.ask();
    show();
  };

  byId('journal-follow').addEventListener('click', () => follow(!reading.following));
  byId('journal-clear').addEventListener('click', () => attempt(async () => {
    await api.call('delete', '/__mock/journal');
    follow(true);
  }));
  byId('journal-more').addEventListener('click', () => ask(Math.min(2 * reading.wanted, most)));
  arrowKeys(byId('journal-list'), '.entry', () => follow(false));
  store.subscribe(['journal', 'beats'], () => (reading.following ? refresher.ask() : show()));
  store.subscribe(['overview'], show);
}

/**
 * Loads the page that is read.
 * @param {Api} api
 * @param {Reading} reading
 * @param {JournalQuery} query
 * @returns {Promise<string>} what is wrong with the query
 */
async function load(api, reading, query) {
  const here = reading.asked;
  reading.asked = false;
  try {
    const shown = { ...query, limit: reading.wanted, detail: /** @type {const} */ ('brief') };
    const loaded = await api.call('get', '/__mock/journal', { query: shown });
    // Else the entries would move away from the one that is being read.
    if (reading.following || here) reading.page = loaded;
    return '';
  } catch (error) {
    reading.asked ||= here;
    if (!(error instanceof Refusal) || error.status !== 400) throw error;
    return error.message;
  }
}

/**
 * Says what is wrong with the query, or that entries were missed.
 * @param {Store} store
 * @param {string} words
 */
function showNotice({ missed }, words) {
  const unseen = missed
    ? `${plural(missed, 'entry', 'entries')} came faster than this page could read, and went by unseen.` : '';
  byId('journal-notice').hidden = !(words || unseen);
  text(byId('journal-notice'), words || unseen);
}

/**
 * @param {Store} store
 * @param {Reading} reading
 * @param {boolean} filtered
 * @param {(entry: JournalPage['entries'][number]) => ReturnType<typeof entryRow>} row
 */
function showPage(store, { following, wanted, page }, filtered, row) {
  list(byId('journal-list'), [...page.entries].reverse(), ({ sequence }) => sequence, row);
  const kept = store.overview?.journal;
  const dropped = kept?.dropped ? `, ${count(kept.dropped)} dropped` : '';
  text(byId('journal-count'), kept && `${count(kept.kept)} kept${dropped}`);
  const waiting = Math.max(0, (kept?.last ?? 0) - page.last);
  text(byId('journal-follow'), following ? 'Following' : waiting ? `Show ${count(waiting)} newer` : 'Follow');
  byId('journal-more').hidden = page.entries.length < wanted || wanted >= most;
  byId('journal-empty').hidden = page.entries.length > 0;
  text(byId('journal-empty'), filtered ? 'No entry fits this filter.'
    : 'Nothing has happened yet. Every request of a node will be here, with its answer.');
}

/**
 * The fields that say which entries are shown.
 * @param {() => void} changed
 * @returns {() => JournalQuery} what they say
 */
function filters(changed) {
  const form = byId('journal-filters');
  const kind = byId('journal-kind', HTMLSelectElement);
  const operation = byId('journal-operation', HTMLSelectElement);
  offer(kind, schemas.EntryKind.enum, (value) => kinds[/** @type {keyof typeof kinds} */ (value)]);
  offer(operation, schemas.Operation.enum, (value) =>
    wordOf(/** @type {typeof schemas.Operation.enum[number]} */ (value)));
  form.addEventListener('input', changed);
  form.addEventListener('submit', (event) => event.preventDefault());
  return () => /** @type {JournalQuery} */ ({ // the mock says what is wrong with it
    node: asGlob(byId('journal-node', HTMLInputElement).value),
    kind: kind.value,
    operation: operation.value,
    answered: byId('journal-answered', HTMLInputElement).value.trim(),
  });
}
