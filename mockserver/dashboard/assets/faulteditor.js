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
/**
 * @param {HTMLInputElement} control
 * @param {Parameters<typeof bound>[1]} limits
 */
const bounded = (control, limits) => {
  bound(control, limits);
  return control;
};
const field = (/** @type {string} */ label, /** @type {HTMLElement} */ control) =>
  el('label', { class: 'field' }, label, control);

/**
 * A form for the faults that are wanted most. What it makes is shown as JSON, which can be
 * edited too, and is what is sent.
 * @param {HTMLFormElement} form
 * @param {(name: string, definition: FaultDefinition) => Promise<void>} add
 */
export function faultEditor(form, add) {
  const controls = controlsOfFault();
  const { name, json, effect, numbers } = controls;
  const wrong = el('p', { class: 'wrong', role: 'alert' });
  const fields = { status: field('Status', numbers.status), retryAfter: field('Retry-After, s', numbers.retryAfter),
    latency: field('Milliseconds', numbers.latency) };
  const compose = () => {
    fields.status.hidden = fields.retryAfter.hidden = effect.value !== 'status';
    fields.latency.hidden = effect.value !== 'latency';
    json.value = JSON.stringify(definitionOf(controls), null, 2);
  };

  form.append(
    el('div', { class: 'fields' }, field('Name', name), field('Nodes', controls.node), field('What happens', effect),
      fields.status, fields.retryAfter, fields.latency, field('How often', controls.share)),
    el('fieldset', { class: 'row' }, el('legend', {}, 'Requests (none chosen: all)'),
      ...controls.boxes.map(({ operation, box }) => el('label', { class: 'inline' }, box, wordOf(operation)))),
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

function controlsOfFault() {
  const { status, retry_after_s: waits, latency_ms: latencies } = schemas.FaultEffect.properties;
  const number = (/** @type {number | ''} */ value, /** @type {{minimum: number, maximum: number}} */ limits) =>
    bounded(input({ type: 'number', value }), limits);
  return {
    name: bounded(input({ required: true, placeholder: 'slow-heartbeats' }), schemas.FaultName),
    node: bounded(input({ placeholder: 'any, or gpu-node-*' }), { maxLength: schemas.NodeGlob.maxLength }),
    boxes: schemas.Operation.enum.map((operation) => ({ operation, box: input({ type: 'checkbox' }) })),
    effect: el('select', {}, ...options(effects)),
    numbers: { status: number(503, status), retryAfter: number('', waits), latency: number(2000, latencies) },
    share: el('select', {}, ...options(shares)),
    json: el('textarea', { rows: 8, spellcheck: 'false' }),
  };
}

/** What the controls say. @param {ReturnType<typeof controlsOfFault>} controls */
function definitionOf({ node, boxes, effect, numbers: { status, retryAfter, latency }, share }) {
  const [, summary, make] = effects[effect.selectedIndex];
  const match = matchOf(boxes.filter(({ box }) => box.checked).map(({ operation }) => operation), node.value,
    shares[share.selectedIndex][2]);
  return {
    summary,
    rules: [{
      ...(Object.keys(match).length && { match }),
      effect: make({ status: status.valueAsNumber, retryAfter: retryAfter.valueAsNumber,
        latency: latency.valueAsNumber }),
    }],
  };
}

/**
 * @param {Operation[]} operations
 * @param {string} node
 * @param {FaultMatch} share
 * @returns {FaultMatch}
 */
const matchOf = (operations, node, share) =>
  ({ ...(operations.length && { operations }), ...(node && { node }), ...share });
