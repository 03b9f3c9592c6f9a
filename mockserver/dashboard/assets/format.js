// Numbers and times for people.

const number = new Intl.NumberFormat('en');

/** 1234 as 1,234. */
export const count = (value) => number.format(value);

/** "1 node", "2 nodes". */
export const plural = (value, word) => `${count(value)}\u00a0${word}${value === 1 ? '' : 's'}`;

/** Milliseconds as a person says them: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function span(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const pair = (big, bigUnit, small, smallUnit) => (small ? `${count(big)} ${bigUnit} ${small} ${smallUnit}` : `${count(big)} ${bigUnit}`);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'min', Math.floor(seconds % 60), 's');
  if (seconds < 86400) return pair(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'min');
  return pair(Math.floor(seconds / 86400), 'd', Math.floor((seconds % 86400) / 3600), 'h');
}

/** Microseconds: 120 µs, 3.4 ms, 5.0 s. */
export function micros(us) {
  if (us < 1000) return `${us} µs`;
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;
  return span(us / 1000);
}

const two = (value) => String(value).padStart(2, '0');

/** The time of day, 14:03:27. */
export function timeOfDay(ms) {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The time of day with milliseconds, 14:03:27.042. */
export const preciseTime = (ms) => `${timeOfDay(ms)}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`;

/** Bytes: 512 B, 18 GB. */
export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit && value < 100 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}\u00a0${units[unit]}`;
}

/** A body: JSON is indented, anything else stays as it is. */
export function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** The words that the page has for the operations of the node API. */
export const operations = {
  registerNode: 'register',
  heartbeatNode: 'heartbeat',
  deregisterNode: 'deregister',
  listNodes: 'list',
};
