import { attribute, byId, el, shape, text } from './dom.js';
import { count } from './format.js';
import { parameters } from './limits.gen.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Sync } from './sync.js' */
/** @import { NodeStatus, Overview } from '../types' */

/** The statuses of nodes, in the order in which they are shown. */
export const statuses = parameters.StatusIs.enum;

/**
 * How many nodes have which status. A click on one shows those alone.
 * @param {Api} _api
 * @param {Store} store
 * @param {Sync} sync
 */
export function tally(_api, store, sync) {
  const tiles = statuses.map((status) => {
    const figure = el('span', { class: 'figure' }, '0');
    const button = el('button', { type: 'button', class: 'tile', 'data-status': status, 'aria-pressed': 'false' },
      figure, ' ', el('span', { class: 'word' }, shape(status.toLowerCase()), el('span', {}, status)));
    button.addEventListener('click', () => {
      store.query = { ...store.query, status: store.query.status === status ? '' : status };
      store.touch('query');
      sync.nodes.ask();
    });
    return { status, figure, button };
  });
  byId('tally').replaceChildren(...tiles.map(({ button }) => button));

  store.subscribe(['overview', 'query'], () => {
    for (const { status, figure, button } of tiles) {
      const nodes = store.overview?.nodes[keyOf(status)] ?? 0;
      text(figure, count(nodes));
      attribute(button, 'data-none', nodes === 0 ? '' : null);
      attribute(button, 'aria-pressed', store.query.status === status);
    }
    const pools = store.overview?.pools_available ?? 0;
    text(byId('pools-available'), count(pools));
    text(byId('pools-word'), pools === 1 ? 'pool available' : 'pools available');
  });
}

/** The name of a status among the counts. */
const keyOf = (/** @type {NodeStatus} */ status) => /** @type {keyof Overview['nodes']} */ (status.toLowerCase());
