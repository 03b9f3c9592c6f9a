// Says the rules of faults in words.
import { capital, plural, span, times } from './format.js';
/** @import { FaultEffect, FaultMatch, FaultRule, Operation } from '../types' */

/**
 * What a rule does, as a sentence: "Heartbeats of gpu-node-1, one in five by chance: answer 503."
 * @param {FaultRule} rule
 */
export function sentence({ match = {}, effect }) {
  return `${capital([who(match), ...when(match)].join(', '))}: ${what(effect).join(', ') || 'change nothing'}.`;
}

/** @type {Record<Operation, string>} */
const requests = {
  registerNode: 'registrations',
  heartbeatNode: 'heartbeats',
  deregisterNode: 'deregistrations',
  listNodes: 'listings',
};

/** @param {FaultMatch} match */
function who({ operations, node }) {
  const which = operations ? and(operations.map((operation) => requests[operation])) : 'all requests';
  return node ? `${which} of ${node}` : which;
}

const and = (/** @type {string[]} */ words) =>
  (words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

/** @param {FaultMatch} match */
function when(match) {
  const { probability, times: most } = match;
  return [
    calls(match),
    probability !== undefined && `${Number((100 * probability).toPrecision(3))} % of them by chance`,
    period(match),
    most !== undefined && `${times(most)} in all`,
    match.pause_ms !== undefined && `then a pause of ${span(match.pause_ms)}`,
  ].filter((words) => typeof words === 'string');
}

/** @param {FaultMatch} match */
function calls({ first_call: first = 1, last_call: last, every = 1 }) {
  const step = every === 1 ? '' : `every ${ordinal(every)} call`;
  if (first === 1 && last === undefined) return step ? `${step} of a node` : undefined;
  if (first === last) return `only the ${ordinal(first)} call of a node`;
  const range = last === undefined ? `from the ${ordinal(first)} call of a node on`
    : `from the ${ordinal(first)} to the ${ordinal(last)} call of a node`;
  return step ? `${range}, ${step}` : range;
}

const suffixes = { one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' };
const order = new Intl.PluralRules('en', { type: 'ordinal' });
const ordinal = (/** @type {number} */ n) => `${n}${suffixes[order.select(n)]}`;

/** @param {FaultMatch} match */
function period({ after_ms: after = 0, for_ms: length }) {
  if (after === 0 && length === undefined) return undefined;
  if (length === undefined) return `${span(after)} after it is switched on`;
  return after === 0 ? `for ${span(length)}` : `for ${span(length)}, beginning ${span(after)} after it is switched on`;
}

/** @param {FaultEffect} effect */
function what(effect) {
  return [
    delay(effect),
    effect.restart && 'forget all nodes',
    effect.offline && `mark ${marked[effect.offline]} Offline until registered again`,
    effect.reject && 'reject the node',
    effect.status !== undefined && `answer ${effect.status}`,
    effect.detail !== undefined && `say “${effect.detail}”`,
    effect.text !== undefined && `with the text “${effect.text}” in place of a problem`,
    effect.retry_after_s !== undefined && `ask to wait ${plural(effect.retry_after_s, 'second')}`,
    effect.connection && connections[effect.connection],
    effect.body && bodies[effect.body],
    effect.trickle_ms !== undefined && `${span(effect.trickle_ms)} between two bytes`,
    effect.content_type !== undefined && `call the answer ${effect.content_type}`,
  ].filter((words) => typeof words === 'string');
}

/** @param {FaultEffect} effect */
function delay({ latency_ms: least = 0, latency_max_ms: most }) {
  if (most !== undefined) return `wait ${span(least)} to ${span(most)}`;
  return least > 0 && `wait ${span(least)}`;
}

/** @type {Record<NonNullable<FaultEffect['offline']>, string>} */
const marked = { node: 'the node', all: 'all nodes' };

/** @type {Record<NonNullable<FaultEffect['connection']>, string>} */
const connections = {
  reset_before: 'break the connection before the request is read',
  reset_after: 'do what is asked, then break the connection',
  hang: 'never answer',
  close_idle: 'answer, then break the connection as the next request comes on it',
  goaway: 'answer, and announce that the connection takes no other request',
};

/** @type {Record<NonNullable<FaultEffect['body']>, string>} */
const bodies = {
  empty: 'answer with an empty body',
  truncated: 'cut the answer off in the middle',
  garbage: 'answer with text that is no JSON',
  trickle: 'send the answer byte by byte',
};
