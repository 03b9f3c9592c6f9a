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
 * The journal: what was asked and answered, what has changed, and who has interfered.
 * @param {Api} api
 * @param {Store} store
 */
export function journal(api, store) {
  let following = true;
  let wanted = step;
  let asked = false; // by a filter or for more, which a reader who does not follow has to get too
  /** @type {JournalPage} */
  let page = { entries: [], last: 0, dropped: 0 };

  const query = filters(() => ask(step));
  const load = async () => {
    const here = asked;
    asked = false;
    try {
      const shown = { ...query(), limit: wanted, detail: /** @type {const} */ ('brief') };
      const loaded = await api.call('get', '/__mock/journal', { query: shown });
      if (following || here) page = loaded; // else the entries would move away from the one that is being read
      notice('');
    } catch (error) {
      asked ||= here;
      if (!(error instanceof Refusal) || error.status !== 400) throw error;
      notice(error.message);
    } finally {
      show();
    }
  };
  const refresher = new Refresher(load, 300);
  const ask = (/** @type {number} */ entries) => {
    wanted = entries;
    asked = true;
    refresher.ask();
  };

  const notice = (/** @type {string} */ words) => {
    const { missed } = store;
    const unseen = missed
      ? `${plural(missed, 'entry', 'entries')} came faster than this page could read, and went by unseen.` : '';
    byId('journal-notice').hidden = !(words || unseen);
    text(byId('journal-notice'), words || unseen);
  };
  const follow = (/** @type {boolean} */ on) => {
    following = on;
    attribute(byId('journal-follow'), 'aria-pressed', on);
    if (on) refresher.ask();
    show();
  };
  const show = () => {
    list(byId('journal-list'), [...page.entries].reverse(), ({ sequence }) => sequence, (entry) =>
      entryRow(entry, api, () => follow(false)));
    const kept = store.overview?.journal;
    const dropped = kept?.dropped ? `, ${count(kept.dropped)} dropped` : '';
    text(byId('journal-count'), kept && `${count(kept.kept)} kept${dropped}`);
    const waiting = Math.max(0, (kept?.last ?? 0) - page.last);
    text(byId('journal-follow'), following ? 'Following' : waiting ? `Show ${count(waiting)} newer` : 'Follow');
    byId('journal-more').hidden = page.entries.length < wanted || wanted >= most;
    byId('journal-empty').hidden = page.entries.length > 0;
    const filtered = Object.values(query()).some(Boolean);
    text(byId('journal-empty'), filtered ? 'No entry fits this filter.'
      : 'Nothing has happened yet. Every request of a node will be here, with its answer.');
  };

  byId('journal-follow').addEventListener('click', () => follow(!following));
  byId('journal-clear').addEventListener('click', () => attempt(async () => {
    await api.call('delete', '/__mock/journal');
    follow(true);
  }));
  byId('journal-more').addEventListener('click', () => ask(Math.min(2 * wanted, most)));
  arrowKeys(byId('journal-list'), '.entry', () => follow(false));

  store.subscribe(['journal', 'beats'], () => {
    if (following) refresher.ask();
    else show();
  });
  store.subscribe(['overview'], show);
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
