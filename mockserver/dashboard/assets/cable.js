// A node's cable is a fault that resets every connection on which the node says who it is.

/** The name of the fault for a node; other ids have other names. */
export function cableOf(id) {
  const plain = `cable-${id}`;
  if (/^[a-z0-9-]{1,64}$/.test(plain)) return plain;
  const fitting = plain.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 48);
  return `${fitting}-${hash(id)}`;
}

/** What the fault does. */
export function pulledCable(id) {
  return {
    summary: `the cable of ${id} is pulled`.slice(0, 200),
    rules: [{ match: { node: id.replace(/[*?[\]\\^]/g, '\\$&') }, effect: { connection: 'reset_before' } }],
  };
}

/** FNV-1a, in hexadecimal digits. */
function hash(word) {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(word)) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum.toString(16).padStart(8, '0');
}
