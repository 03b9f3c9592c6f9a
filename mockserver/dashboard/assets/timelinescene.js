// What the timeline shows.
/** @import { Store } from './store.js' */
/** @import { MockNode, NodeStatus } from '../types' */

/** @typedef {{at: number, what: number}} Mark a request, and what became of it */
/**
 * A status, and whether its beginning is shown.
 * @typedef {{status: NodeStatus, from: number, to: number, begins: boolean}} Band
 */
/** @typedef {{id: string, bands: Band[], marks: Mark[]}} Lane a node */
/**
 * What the timeline shows. The strip has all nodes, where there are more than lanes.
 * @typedef {{start: number, end: number, lanes: Lane[], strip: Mark[] | null, dense: boolean}} Scene
 */

const mostLanes = 25;

/**
 * Puts together what the picture shows.
 * @param {Store} store
 * @param {number} end milliseconds since 1970
 * @param {number} length milliseconds
 * @returns {Scene}
 */
export function sceneOf(store, end, length) {
  const start = end - length;
  const known = store.shown.slice(0, mostLanes).map((id) => store.nodes.get(id)).filter((node) => node !== undefined);
  /** @type {Lane[]} */
  const lanes = known.map((node) => ({ id: node.node.node_id, bands: bandsOf(node, start, end), marks: [] }));
  const byNumber = new Map(lanes.map((lane) => [store.beats.numberOf(lane.id), lane]));
  byNumber.delete(0);
  /** @type {Mark[] | null} */
  const strip = (store.overview?.nodes.total ?? 0) > lanes.length ? [] : null;
  store.beats.each(start, (at, what, who) => {
    if (at > end) return;
    byNumber.get(who)?.marks.push({ at, what });
    strip?.push({ at, what });
  });
  return { start, end, lanes, strip, dense: store.dense };
}

/**
 * The statuses that a node had, and from when to when.
 * @param {MockNode} node
 * @param {number} start
 * @param {number} end
 * @returns {Band[]}
 */
function bandsOf({ node, history }, start, end) {
  const bands = history.flatMap(({ at_ms: at, to: status }, i) => (status ? [{
    status,
    from: Math.max(at, start),
    to: Math.min(history[i + 1]?.at_ms ?? end, end),
    begins: at >= start,
  }] : []));
  if (!history.length) bands.push({ status: node.status, from: start, to: end, begins: false });
  return bands.filter(({ from, to }) => to > from);
}
