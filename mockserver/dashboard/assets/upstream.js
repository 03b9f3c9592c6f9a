import { byId, text } from './dom.js';
import { plural } from './format.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */
/** @import { Overview } from '../types' */

/**
 * The orchestratord that the mock stands in front of, if there is one, and whether it lists
 * the nodes whose heartbeats it accepts. What is its own to decide is not shown.
 * @param {Api} _api
 * @param {Store} store
 */
export function upstream(_api, store) {
  store.subscribe(['overview'], () => {
    const behind = store.overview?.upstream;
    document.body.toggleAttribute('data-in-front', Boolean(behind));
    byId('upstream').hidden = !behind;
    if (behind) text(byId('upstream'), wordsOf(behind));
  });
}

/** @param {NonNullable<Overview['upstream']>} upstream */
function wordsOf({ url, listed, unlisted = [], problem }) {
  const lists = listed === undefined ? '' : `, which lists ${plural(listed, 'node')}`;
  const missing = unlisted.map((node) => node.node_id).join(', ');
  return [
    `The mock passes traffic on to ${url}${lists}.`,
    missing && `It accepts heartbeats of nodes that it does not list: ${missing}.`,
    problem && `Its list could not be read: ${problem}.`,
  ].filter(Boolean).join(' ');
}
