// A node's cable is a fault that resets every connection on which the node says who it is.
import { schemas } from './limits.gen.js';
/** @import { FaultDefinition } from '../types' */

const fits = new RegExp(schemas.FaultName.pattern);
const hashLength = 9; // with the hyphen before it

/** The name of the fault for a node; other ids have other names. @param {string} id */
export function cableOf(id) {
  const plain = `cable-${id}`;
  if (fits.test(plain) && plain.length <= schemas.FaultName.maxLength) return plain;
  const fitting = plain.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, schemas.FaultName.maxLength - hashLength);
  return `${fitting}-${hash(id)}`;
}

/** What the fault does. @param {string} id @returns {FaultDefinition} */
export function pulledCable(id) {
  return {
    summary: `the cable of ${id} is pulled`.slice(0, schemas.FaultSummary.maxLength),
    rules: [{ match: { node: id.replace(/[*?[\]\\^]/g, '\\$&') }, effect: { connection: 'reset_before' } }],
  };
}

/** FNV-1a, in hexadecimal digits. @param {string} word */
function hash(word) {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(word)) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum.toString(16).padStart(8, '0');
}
