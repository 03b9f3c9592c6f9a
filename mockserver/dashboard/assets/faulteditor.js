import { bound, el, text, wordsOf } from './dom.js';
import { wordOf } from './format.js';
import { schemas } from './limits.gen.js';
/** @import { FaultDefinition, FaultEffect, FaultMatch, Operation } from '../types' */

/** @typedef {{status: number, retryAfter: number, latency: number}} Numbers */

/**
 * What the form offers, each with what it becomes in the rule.
 * @type {[value: string, words: string, make: (numbers: Numbers) => FaultEffect][]}
 */
const effects = [
  ['status', 'answer with a status', ({ status, retryAfter }) =>
    ({ status, ...(retryAfter >= 0 && { retry_after_s: retryAfter }) })],
  ['latency', 'answer late', ({ latency }) => ({ latency_ms: latency })],
  ['reset_before', 'break the connection before the request is read', () => ({ connection: 'reset_before' })],
  ['reset_after', 'do it, but lose the answer', () => ({ connection: 'reset_after' })],
  ['hang', 'never answer', () => ({ connection: 'hang' })],
  ['reject', 'reject the registration', () => ({ reject: true })],
  ['restart', 'forget all nodes, as after a restart', () => ({ restart: true })],
  ['truncated', 'cut the answer off', () => ({ body: 'truncated' })],
  ['garbage', 'answer with rubbish', () => ({ body: 'garbage' })],
  ['trickle', 'answer byte by byte', () => ({ body: 'trickle' })],
];

/** @type {[value: string, words: string, match: FaultMatch][]} */
const shares = [
  ['all', 'every request', {}],
  ['half', 'every second one, by chance', { probability: 0.5 }],
  ['fifth', 'one in five, by chance', { probability: 0.2 }],
  ['once', 'only once', { times: 1 }],
];

const options = (/** @type {[string, string, unknown][]} */ choices) =>
  choices.map(([value, words]) => el('option', { value }, words));
const input = (/** @type {Record<string, unknown>} */ attributes) =>
  el('input', { autocomplete: 'off', spellcheck: 'false', ...attributes });
const field = (/** @type {string} */ label, /** @type {HTMLElement} */ control) =>
  el('label', { class: 'field' }, label, control);

/**
 * A form for the faults that are wanted most. What it makes is shown as JSON, which can be
 * edited too, and is what is sent.
 * @param {HTMLFormElement} form
 * @param {(name: string, definition: FaultDefinition) => Promise<void>} add
 */
export function faultEditor(form, add) {
  const { status: statuses, retry_after_s: waits, latency_ms: latencies } = schemas.FaultEffect.properties;
  const name = input({ required: true, placeholder: 'slow-heartbeats' });
  bound(name, schemas.FaultName);
  const node = input({ placeholder: 'any, or gpu-node-*' });
  bound(node, { maxLength: schemas.NodeGlob.maxLength });
  const boxes = schemas.Operation.enum.map((operation) => ({ operation, box: input({ type: 'checkbox' }) }));
  const effect = el('select', {}, ...options(effects));
  const number = (/** @type {number | ''} */ value, /** @type {{minimum: number, maximum: number}} */ limits) => {
    const control = input({ type: 'number', value });
    bound(control, limits);
    return control;
  };
  const status = number(503, statuses);
  const retryAfter = number('', waits);
  const latency = number(2000, latencies);
  const share = el('select', {}, ...options(shares));
  const json = el('textarea', { rows: 8, spellcheck: 'false' });
  const wrong = el('p', { class: 'wrong', role: 'alert' });
  const fields = { status: field('Status', status), retryAfter: field('Retry-After, s', retryAfter),
    latency: field('Milliseconds', latency) };

  const compose = () => {
    fields.status.hidden = fields.retryAfter.hidden = effect.value !== 'status';
    fields.latency.hidden = effect.value !== 'latency';
    const [, summary, make] = effects[effect.selectedIndex];
    const match = matchOf(boxes.filter(({ box }) => box.checked).map(({ operation }) => operation), node.value,
      shares[share.selectedIndex][2]);
    json.value = JSON.stringify({
      summary,
      rules: [{
        ...(Object.keys(match).length && { match }),
        effect: make({ status: status.valueAsNumber, retryAfter: retryAfter.valueAsNumber,
          latency: latency.valueAsNumber }),
      }],
    }, null, 2);
  };

  form.append(
    el('div', { class: 'fields' }, field('Name', name), field('Nodes', node), field('What happens', effect),
      fields.status, fields.retryAfter, fields.latency, field('How often', share)),
    el('fieldset', { class: 'row' }, el('legend', {}, 'Requests (none chosen: all)'),
      ...boxes.map(({ operation, box }) => el('label', { class: 'inline' }, box, wordOf(operation)))),
    el('details', { class: 'fault-json' }, el('summary', {}, 'As JSON'), field('Definition', json)),
    wrong,
    el('div', { class: 'row' }, el('button', { type: 'submit', class: 'strong' }, 'Add the fault')),
  );
  form.addEventListener('input', (event) => {
    if (event.target !== json && event.target !== name) compose();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    text(wrong, '');
    if (!name.reportValidity()) return;
    try {
      await add(name.value, JSON.parse(json.value));
      form.reset();
      compose();
    } catch (error) {
      text(wrong, wordsOf(error));
    }
  });
  compose();
}

/**
 * @param {Operation[]} operations
 * @param {string} node
 * @param {FaultMatch} share
 * @returns {FaultMatch}
 */
const matchOf = (operations, node, share) =>
  ({ ...(operations.length && { operations }), ...(node && { node }), ...share });
