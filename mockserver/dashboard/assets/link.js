import { attribute, byId, text } from './dom.js';
/** @import { Api } from './api.js' */
/** @import { Store } from './store.js' */

const words = { live: 'Live', down: 'Mock out of reach', connecting: 'Connecting' };

/**
 * Whether the mock is there, and its version.
 * @param {Api} _api
 * @param {Store} store
 */
export function link(_api, store) {
  store.subscribe(['link'], () => {
    attribute(byId('link'), 'data-state', store.link);
    text(byId('link'), words[store.link]);
    attribute(document.body, 'data-link', store.link);
  });
  // (devel) says nothing
  store.subscribe(['overview'], () => text(byId('version'), store.overview?.version.replace(/^\(.*/, '')));
}
