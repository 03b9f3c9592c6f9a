// The page: what it knows is in the store, kept up to date by sync; each section is a view.
import { Api } from './api.js';
import { drift } from './drift.js';
import { faults } from './faults.js';
import { head } from './head.js';
import { journal } from './journal.js';
import { nodes } from './nodes.js';
import { askForToken } from './signin.js';
import { Store } from './store.js';
import { Sync } from './sync.js';
import { timeline } from './timeline.js';

const api = new Api(askForToken);
const store = new Store();
const sync = new Sync(api, store);
for (const view of [head, nodes, timeline, faults, drift, journal]) view(api, store, sync);
sync.start();
