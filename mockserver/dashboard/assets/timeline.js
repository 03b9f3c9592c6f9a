import { outcome } from './beats.js';
import { attribute, byId, el, list, text } from './dom.js';
import { count, plural, span } from './format.js';

const laneHeight = 34; // CSS pixels
const tallLaneHeight = 46; // with the name of the node on top of it
const stripHeight = 84;
const axisHeight = 26;
const mostLanes = 25;
const stripPixels = 6; // width of a bar of the strip
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** Draws what happened lately: a lane for each node that is shown, and a strip for all when there are more. */
export function timeline(api, store) {
  const canvas = byId('timeline-canvas');
  let frozen = null; // the time at which it stands still
  let due = 0;

  const now = () => frozen ?? store.clock.now();
  const draw = () => {
    due = 0;
    if (!store.overview) return;
    const scene = sceneOf(store, now(), Number(byId('timeline-span').value) * 1000);
    paint(canvas, scene);
  };
  const redraw = () => { due ||= requestAnimationFrame(draw); };

  byId('timeline-pause').addEventListener('click', () => {
    frozen = frozen === null ? store.clock.now() : null;
    attribute(byId('timeline-pause'), 'aria-pressed', frozen !== null);
    text(byId('timeline-pause'), frozen === null ? 'Freeze' : 'Go on');
    redraw();
  });
  byId('timeline-span').addEventListener('change', redraw);
  byId('theme').addEventListener('click', redraw);
  new ResizeObserver(redraw).observe(canvas.parentElement);
  let seen = true;
  new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; }).observe(canvas);
  store.subscribe(['nodes', 'overview', 'faults'], redraw);

  // Without news only time moves the picture, a pixel or so at a time.
  setInterval(() => {
    if (seen && frozen === null && store.clock.running && !still.matches) redraw();
  }, 50);
  setInterval(() => {
    if (seen && frozen === null && still.matches) redraw();
    tell(store, now(), Number(byId('timeline-span').value) * 1000);
  }, 1000);
}

/** Puts together what the picture shows. */
function sceneOf(store, end, length) {
  const start = end - length;
  const lanes = store.shown.slice(0, mostLanes).map((id) => store.nodes.get(id)).filter(Boolean).map((known) => ({
    id: known.node.node_id,
    number: store.beats.numberOf(known.node.node_id),
    bands: bandsOf(known, start, end),
    marks: [],
  }));
  const byNumber = new Map(lanes.filter(({ number }) => number).map((lane) => [lane.number, lane]));
  const strip = store.overview.nodes.total > lanes.length ? [] : null;
  store.beats.each(start, (at, what, who) => {
    if (at > end) return;
    byNumber.get(who)?.marks.push({ at, what });
    strip?.push({ at, what });
  });
  return { start, end, lanes, strip };
}

/** The statuses that a node had, and from when to when. */
function bandsOf({ node, history }, start, end) {
  const bands = history.map((change, i) => ({
    status: change.to,
    from: Math.max(change.at_ms, start),
    to: Math.min(history[i + 1]?.at_ms ?? end, end),
    begins: change.at_ms >= start,
  })).filter(({ status }) => status);
  if (!history.length) bands.push({ status: node.status, from: start, to: end, begins: false });
  return bands.filter(({ from, to }) => to > from);
}

/** Paints a scene on a canvas as wide as its surroundings. */
function paint(canvas, scene) {
  const width = canvas.clientWidth;
  const gutter = width < 600 ? 0 : 150;
  const lane = gutter ? laneHeight : tallLaneHeight;
  const height = (scene.strip ? stripHeight : 0) + Math.max(scene.lanes.length, scene.strip ? 0 : 1) * lane + axisHeight;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext('2d');
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const view = {
    pen, width, height, gutter, colours: colours(canvas),
    x: (at) => gutter + (at - scene.start) / (scene.end - scene.start) * (width - gutter - 8),
  };
  let top = 0;
  paintAxis(view, scene);
  if (scene.strip) {
    paintStrip(view, scene, top);
    top += stripHeight;
  }
  for (const each of scene.lanes) {
    paintLane(view, each, top + lane - laneHeight);
    top += lane;
  }
}

/** The colours of the theme, which the style sheet knows. */
function colours(canvas) {
  const style = getComputedStyle(canvas);
  const probe = (name) => style.getPropertyValue(`--${name}`);
  const names = ['registering', 'online', 'draining', 'offline', 'failed', 'ink', 'muted', 'line', 'surface'];
  return { ...Object.fromEntries(names.map((name) => [name, probe(name)])), font: style.fontFamily };
}

function paintAxis({ pen, width, height, gutter, colours: c, x }, { start, end }) {
  const length = end - start;
  pen.font = `12px ${c.font}`;
  pen.textBaseline = 'middle';
  pen.lineWidth = 1;
  for (let ago = 0; ago <= length; ago += 10_000) {
    const at = Math.round(x(end - ago)) + 0.5;
    const labelled = ago % (width < 600 ? length / 2 : 30_000) === 0;
    pen.strokeStyle = c.line;
    pen.globalAlpha = labelled ? 1 : 0.5;
    pen.beginPath();
    pen.moveTo(at, 0);
    pen.lineTo(at, height - axisHeight + (labelled ? 5 : 0));
    pen.stroke();
    pen.globalAlpha = 1;
    if (!labelled) continue;
    pen.fillStyle = c.muted;
    pen.textAlign = ago === 0 ? 'right' : ago === length && !gutter ? 'left' : 'center';
    pen.fillText(ago === 0 ? 'now' : `−${ago / 1000} s`, ago === 0 ? at + 6 : at, height - axisHeight / 2 + 2);
  }
}

function paintLane(view, lane, top) {
  const { pen, gutter, colours: c } = view;
  const middle = top + laneHeight / 2;
  for (const band of lane.bands) paintBand(view, band, top + 4, laneHeight - 8);
  for (const { at, what } of lane.marks) paintMark(view, what, view.x(at), middle);
  for (const band of lane.bands) nameBand(view, band, top + 4, laneHeight - 8);
  pen.textBaseline = 'middle';
  pen.textAlign = 'left';
  pen.font = `600 ${gutter ? 14 : 12}px ${c.font}`;
  if (gutter) {
    pen.fillStyle = c.ink;
    pen.fillText(fit(pen, lane.id, gutter - 14), 0, middle);
  } else {
    pen.fillStyle = c.ink;
    pen.fillText(lane.id, 0, top - 4);
  }
}

/** A status, by its colour and its pattern. */
function paintBand({ pen, x, colours: c }, { status, from, to, begins }, top, height) {
  const left = x(from);
  const width = x(to) - left;
  const colour = c[status.toLowerCase()];
  pen.fillStyle = colour;
  pen.globalAlpha = 0.16;
  pen.fillRect(left, top, width, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = colour;
  if (status === 'Offline' || status === 'Failed') hatch(pen, left, top, width, height);
  pen.lineWidth = 3;
  pen.setLineDash({ Registering: [5, 4], Draining: [12, 4] }[status] ?? []);
  pen.beginPath();
  pen.moveTo(left, top + height - 1.5);
  pen.lineTo(left + width, top + height - 1.5);
  pen.stroke();
  pen.setLineDash([]);
  if (begins) pen.fillRect(left, top, 2, height);
}

/** Says the name of a status that is not as it should be, where there is room. */
function nameBand({ pen, x, colours: c }, { status, from, to }, top, height) {
  const left = x(from);
  pen.font = `600 13px ${c.font}`;
  const width = pen.measureText(status).width;
  if (status === 'Online' || x(to) - left < width + 16) return;
  pen.fillStyle = c.surface;
  pen.fillRect(left + 5, top + 3, width + 10, height - 8);
  pen.fillStyle = c[status.toLowerCase()];
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillText(status, left + 10, top + height / 2 - 1);
}

function hatch(pen, left, top, width, height) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.globalAlpha = 0.45;
  pen.lineWidth = 1.25;
  pen.beginPath();
  const first = Math.floor(left / 9) * 9; // the pattern stays where it is while time moves it little by little
  for (let at = first - height; at < left + width; at += 9) {
    pen.moveTo(at, top + height);
    pen.lineTo(at + height, top);
  }
  pen.stroke();
  pen.restore();
}

/** What became of a request, by its shape as much as by its colour. */
function paintMark({ pen, colours: c }, what, x, y) {
  pen.lineWidth = 2.5;
  pen.strokeStyle = [outcome.refused, outcome.lost].includes(what) ? c.offline : c.online;
  pen.fillStyle = c.ink;
  pen.beginPath();
  if (what === outcome.beat) {
    pen.moveTo(x, y - 8);
    pen.lineTo(x, y + 8);
  } else if (what === outcome.refused) {
    pen.moveTo(x - 4.5, y - 4.5);
    pen.lineTo(x + 4.5, y + 4.5);
    pen.moveTo(x + 4.5, y - 4.5);
    pen.lineTo(x - 4.5, y + 4.5);
  } else if (what === outcome.lost) {
    pen.arc(x, y, 4.5, 0, 2 * Math.PI);
    pen.fillStyle = c.surface;
    pen.fill();
  } else {
    pen.moveTo(x, y - 7);
    pen.lineTo(x + 6, y);
    pen.lineTo(x, y + 7);
    pen.lineTo(x - 6, y);
    pen.closePath();
    pen.strokeStyle = c.surface;
    if (what === outcome.register) pen.fill();
    else pen.strokeStyle = c.ink;
  }
  pen.stroke();
}

/** All nodes together: how many requests, and how many of them went wrong. */
function paintStrip(view, { start, end, strip }, top) {
  const { pen, gutter, width, colours: c } = view;
  const columns = Math.max(1, Math.floor((width - gutter - 8) / stripPixels));
  const step = (end - start) / columns;
  const good = new Uint32Array(columns);
  const bad = new Uint32Array(columns);
  const base = Math.floor(end / step); // bars keep their requests while time moves them
  for (const { at, what } of strip) {
    const column = columns - 1 - (base - Math.floor(at / step));
    if (column < 0) continue;
    if (what === outcome.refused || what === outcome.lost) bad[column]++;
    else good[column]++;
  }
  let most = 1;
  for (let i = 0; i < columns; i++) most = Math.max(most, good[i] + bad[i]);
  const room = stripHeight - 22;
  const floor = top + stripHeight - 10;
  for (let i = 0; i < columns; i++) {
    const left = view.x((base - (columns - 1 - i)) * step);
    if (left + stripPixels < gutter) continue;
    const [up, upper] = [good[i] / most * room, bad[i] / most * room];
    pen.fillStyle = c.online;
    pen.fillRect(left, floor - up, stripPixels - 1.5, up);
    if (!upper) continue;
    pen.fillStyle = c.offline;
    pen.fillRect(left, floor - up - upper, stripPixels - 1.5, upper);
    pen.fillStyle = c.ink;
    pen.fillRect(left, floor - up - upper, stripPixels - 1.5, 2);
  }
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillStyle = c.ink;
  pen.font = `600 14px ${c.font}`;
  const peak = `up to ${count(Math.round(most / step * 1000))}/s`;
  if (gutter) {
    pen.fillText('all nodes', 0, floor - room / 2 - 9);
    pen.fillStyle = c.muted;
    pen.font = `13px ${c.font}`;
    pen.fillText(peak, 0, floor - room / 2 + 10);
  } else {
    pen.font = `600 11px ${c.font}`;
    label(view, `all nodes, ${peak}`, 3, top + 5);
  }
}

/** Words on top of the picture, where there is no room beside it. */
function label({ pen, colours: c }, words, x, y) {
  pen.fillStyle = c.surface;
  pen.globalAlpha = 0.85;
  pen.fillRect(x - 3, y - 6, pen.measureText(words).width + 6, 13);
  pen.globalAlpha = 1;
  pen.fillStyle = c.ink;
  pen.textBaseline = 'middle';
  pen.fillText(words, x, y + 1);
}

/** Shortens words to a width. */
function fit(pen, words, width) {
  if (pen.measureText(words).width <= width) return words;
  let kept = words.length;
  while (kept > 1 && pen.measureText(`${words.slice(0, kept)}…`).width > width) kept--;
  return `${words.slice(0, kept)}…`;
}

/** The same in words, for those who do not see it. */
function tell(store, end, length) {
  if (!store.overview) return;
  const { nodes } = store.overview;
  text(byId('timeline-summary'), `The last ${length / 1000} seconds of ${plural(nodes.total, 'node')}. Open “The timeline in words” below for each of them.`);
  if (!byId('timeline-words').open) return;
  const { lanes } = sceneOf(store, end, length);
  list(byId('timeline-list'), lanes, ({ id }) => id, () => {
    const element = el('li');
    return { element, update: (lane) => text(element, sentence(lane, end)) };
  });
}

function sentence({ id, bands, marks }, end) {
  const tally = (...kinds) => marks.filter(({ what }) => kinds.includes(what)).length;
  const band = bands.at(-1);
  const parts = [
    `${id}: ${band ? `${band.status}${band.begins ? ` for ${span(end - band.from)}` : ''}` : 'gone'}`,
    `${plural(tally(outcome.beat), 'heartbeat')} answered`,
  ];
  if (tally(outcome.register)) parts.push(`registered ${tally(outcome.register)} times`);
  if (tally(outcome.refused)) parts.push(`${tally(outcome.refused)} refused`);
  if (tally(outcome.lost)) parts.push(`${tally(outcome.lost)} without an answer`);
  return `${parts.join(', ')}.`;
}
