import { command } from './copy.js';
import { el } from './dom.js';
/** @import { Store } from './store.js' */
/** @import { Overview } from '../types' */

/** Where the mock is: the origin of the page, and the path below which a proxy may have it. */
const mock = new URL('.', location.href.split(/[?#]/)[0]).href.replace(/\/$/, '');
const install = 'go install github.com/llama-orch/node-registration/cmd/nodesim@latest';

/**
 * Shows, in place of a list without nodes, how to start one.
 * @param {HTMLElement} place
 * @param {Store} store
 */
export function gettingStarted(place, store) {
  if (!store.overview) return;
  const { settings, nodes } = store.overview;
  const loading = nodes.total > 0 && !store.filtered;
  place.hidden = store.nodes.size > 0 || Boolean(store.refusal) || loading;
  if (place.hidden) return;
  const shown = `${nodes.total > 0} ${settings.tokens > 0} ${settings.heartbeat_interval_ms}`;
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  place.replaceChildren(...(nodes.total > 0 ? [el('p', {}, 'No node fits this filter.')] : firstSteps(settings)));
}

/** @param {Overview['settings']} settings */
function firstSteps(settings) {
  const token = settings.tokens > 0;
  const flags = nodeFlags(settings);
  return [
    el('p', { class: 'lead' }, 'No node has registered yet.'),
    ...(token ? [el('p', {}, 'The mock asks nodes for a token: put one that it knows into LLORCH_API_TOKEN.')] : []),
    ...(location.protocol === 'https:' ? securedStart(flags) : plainStart(flags, token)),
  ];
}

/**
 * @param {string} flags
 * @param {boolean} token
 */
function plainStart(flags, token) {
  const header = token ? ' -H "Authorization: Bearer $LLORCH_API_TOKEN"' : '';
  return [
    el('p', {}, 'Start a simulated one in another terminal:'),
    command(`nodesim run --orchestratord-url ${mock}${flags}`),
    el('p', {}, 'nodesim comes with the mock; by itself it is installed with ', el('code', {}, install), '.'),
    el('p', {}, 'Or be a node yourself:'),
    command(`curl ${mock}/v2/nodes/register${header} --json '{
  "node_id": "gpu-node-1", "machine_id": "machine-1", "address": "http://127.0.0.1:9200",
  "pools": ["pool-0"], "capabilities": {"gpu_count": 1, "total_vram_mb": 24000, "cuda_version": "12.1"}}'`),
  ];
}

/**
 * A page does not know which files hold the certificates, so it cannot write the commands out.
 * @param {string} flags
 */
function securedStart(flags) {
  return [
    el('p', {}, 'Start one in another terminal: with --tls-dev, the mock has printed the command '
      + 'as it started, after “a node:”. '
      + 'With a certificate of your own, give nodesim the files by --tls-ca, --tls-cert and --tls-key.'),
    ...(flags ? [el('p', {}, 'Add to the command:'), command(flags.trim())] : []),
  ];
}

/**
 * What a node must know of this mock: it beats every 10 s until then, which may be too late.
 * @param {Overview['settings']} settings
 */
function nodeFlags({ tokens, heartbeat_interval_ms: interval }) {
  const token = tokens > 0 ? ' --token "$LLORCH_API_TOKEN"' : '';
  return token + (interval < 10_000 ? ` --interval ${Math.max(1, interval / 1000)}s` : '');
}
