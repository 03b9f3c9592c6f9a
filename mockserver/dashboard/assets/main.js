// The page: what it knows is in the store, kept up to date by sync; each section is a view.
import { Api } from './api.js';
import { clock } from './clockpanel.js';
import { drift } from './drift.js';
import { faults } from './faults.js';
import { folds } from './folds.js';
import { journal } from './journal.js';
import { link } from './link.js';
import { nodes } from './nodes.js';
import { settings } from './settings.js';
import { askForToken } from './signin.js';
import { Store } from './store.js';
import { Sync } from './sync.js';
import { tally } from './tally.js';
import { timeline } from './timeline.js';
import { upstream } from './upstream.js';

const api = new Api(askForToken);
const store = new Store();
const sync = new Sync(api, store);
folds();
// The timeline is the last, as it measures the page, which the others change.
for (const view of [link, clock, upstream, tally, settings, nodes, faults, drift, journal, timeline]) {
  view(api, store, sync);
}
sync.start();
