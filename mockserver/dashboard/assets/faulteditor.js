import { el, text } from './dom.js';
import { operations } from './format.js';

/** What the form offers, each with what it becomes in the rule. */
const effects = [
  ['status', 'answer with a status', ({ status, retryAfter }) => ({ status, ...(retryAfter >= 0 && { retry_after_s: retryAfter }) })],
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

/**
 * A form for the faults that are wanted most. What it makes is shown as JSON, which can be
 * edited too, and is what is sent.
 * @param {HTMLFormElement} form
 * @param {(name: string, definition: string) => Promise<void>} add
 */
export function faultEditor(form, add) {
  const input = (attributes) => el('input', { autocomplete: 'off', spellcheck: 'false', ...attributes });
  const field = (label, control) => el('label', { class: 'field' }, label, control);
  const name = input({ required: true, placeholder: 'slow-heartbeats', pattern: '[a-z0-9][a-z0-9\\-]*', maxlength: 64 });
  const node = input({ placeholder: 'any, or gpu-node-*' });
  const boxes = Object.entries(operations).map(([operation, word]) => [operation, input({ type: 'checkbox' }), word]);
  const effect = el('select', {}, ...effects.map(([value, words]) => el('option', { value }, words)));
  const number = (value, min, max) => input({ type: 'number', value, min, max });
  const status = field('Status', number(503, 400, 599));
  const retryAfter = field('Retry-After, s', number('', 0, 86400));
  const latency = field('Milliseconds', number(2000, 0, 600000));
  const share = el('select', {}, el('option', { value: 1 }, 'every request'), el('option', { value: 0.5 }, 'every second one, by chance'),
    el('option', { value: 0.2 }, 'one in five, by chance'), el('option', { value: 'once' }, 'only once'));
  const json = el('textarea', { rows: 8, spellcheck: 'false' });
  const wrong = el('p', { class: 'wrong', role: 'alert' });

  const numberIn = (label) => label.querySelector('input').valueAsNumber;
  const compose = () => {
    status.hidden = retryAfter.hidden = effect.value !== 'status';
    latency.hidden = effect.value !== 'latency';
    const chosen = boxes.filter(([, box]) => box.checked).map(([operation]) => operation);
    const match = {
      ...(chosen.length && { operations: chosen }),
      ...(node.value && { node: node.value }),
      ...(share.value === 'once' ? { times: 1 } : Number(share.value) < 1 && { probability: Number(share.value) }),
    };
    const [, words, make] = effects.find(([value]) => value === effect.value);
    json.value = JSON.stringify({
      summary: words,
      rules: [{
        ...(Object.keys(match).length && { match }),
        effect: make({ status: numberIn(status), retryAfter: numberIn(retryAfter), latency: numberIn(latency) }),
      }],
    }, null, 2);
  };

  form.append(
    el('div', { class: 'fields' }, field('Name', name), field('Nodes', node), field('What happens', effect), status, retryAfter, latency, field('How often', share)),
    el('fieldset', { class: 'row' }, el('legend', {}, 'Requests (none chosen: all)'),
      ...boxes.map(([, box, word]) => el('label', { class: 'inline' }, box, word))),
    el('details', { class: 'fault-json' }, el('summary', {}, 'As JSON'), el('label', { class: 'field' }, 'Definition', json)),
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
      JSON.parse(json.value);
      await add(name.value, json.value);
      form.reset();
      compose();
    } catch (error) {
      text(wrong, error.message);
    }
  });
  compose();
}
