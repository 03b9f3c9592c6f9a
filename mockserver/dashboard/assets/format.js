// Numbers, times and names for people.
/** @import { Operation } from '../types' */

const number = new Intl.NumberFormat('en');

/** 1234 as 1,234. @param {number} value */
export const count = (value) => number.format(value);

/**
 * "1 node", "2 nodes", "2 entries".
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (value, one, many = `${one}s`) => `${count(value)}\u00a0${value === 1 ? one : many}`;

/** How often: "once", "twice", "3 times". @param {number} value */
export const times = (value) => ['never', 'once', 'twice'][value] ?? `${count(value)} times`;

/** @param {string} words */
export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** Milliseconds as a person says them: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. @param {number} ms */
export function span(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const pair = (/** @type {number} */ big, /** @type {string} */ bigUnit, /** @type {number} */ small,
    /** @type {string} */ smallUnit) =>
      (small ? `${count(big)} ${bigUnit} ${small} ${smallUnit}` : `${count(big)} ${bigUnit}`);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'min', Math.floor(seconds % 60), 's');
  if (seconds < 86400) return pair(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'min');
  return pair(Math.floor(seconds / 86400), 'd', Math.floor((seconds % 86400) / 3600), 'h');
}

/** Milliseconds in one unit, at least two of it: 0.4 s, 83 s, 119 min, 47 h. @param {number} ms */
export function brief(ms) {
  const seconds = ms / 1000;
  if (seconds < 60) return span(ms);
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${count(Math.floor(seconds / 86400))} d`;
}

/** Microseconds: 120 µs, 3.4 ms, 5.0 s. @param {number} us */
export function micros(us) {
  if (us < 1000) return `${us} µs`;
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;
  return span(us / 1000);
}

const two = (/** @type {number} */ value) => String(value).padStart(2, '0');

/** The time of day, 14:03:27. @param {number} ms */
export function timeOfDay(ms) {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The time of day with milliseconds, 14:03:27.042. @param {number} ms */
export const preciseTime = (ms) => `${timeOfDay(ms)}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`;

/** Bytes: 512 B, 18 GB. @param {number} value */
export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit && value < 100 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}\u00a0${units[unit]}`;
}

/** A body: JSON is indented, anything else stays as it is. @param {string} body */
export function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** @type {Record<Operation, string>} the words that the page has for the operations of the node API */
const operations = {
  registerNode: 'register',
  heartbeatNode: 'heartbeat',
  deregisterNode: 'deregister',
  listNodes: 'list',
};

/** The word for an operation. @param {Operation} operation */
export const wordOf = (operation) => operations[operation];
