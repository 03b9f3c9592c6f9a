import { outcome } from './beats.js';
import { byId, el, list, text } from './dom.js';
import { plural, span, times } from './format.js';
import { sceneOf } from './timelinescene.js';
/** @import { Store } from './store.js' */
/** @import { Lane } from './timelinescene.js' */

/**
 * The same in words, for those who do not see it.
 * @param {Store} store
 * @param {number} total how many nodes there are
 * @param {number} end
 * @param {number} length
 */
export function showWords(store, total, end, length) {
  text(byId('timeline-summary'),
    `The last ${length / 1000} seconds of ${plural(total, 'node')}. Open “The timeline in words” below for each ` +
      `of them.`);
  if (!byId('timeline-words', HTMLDetailsElement).open) return;
  const { lanes } = sceneOf(store, end, length);
  list(byId('timeline-list'), lanes, ({ id }) => id, () => {
    const element = el('li');
    return { element, update: (/** @type {Lane} */ lane) => text(element, sentence(lane, end)) };
  });
}

/**
 * @param {Lane} lane
 * @param {number} end
 */
function sentence({ id, bands, marks }, end) {
  const tally = (/** @type {number[]} */ ...kinds) => marks.filter(({ what }) => kinds.includes(what)).length;
  const band = bands.at(-1);
  const parts = [
    `${id}: ${band ? `${band.status}${band.begins ? ` for ${span(end - band.from)}` : ''}` : 'gone'}`,
    `${plural(tally(outcome.beat), 'heartbeat')} answered`,
  ];
  if (tally(outcome.register)) parts.push(`registered ${times(tally(outcome.register))}`);
  if (tally(outcome.refused)) parts.push(`${tally(outcome.refused)} refused`);
  if (tally(outcome.lost)) parts.push(`${tally(outcome.lost)} without an answer`);
  return `${parts.join(', ')}.`;
}
