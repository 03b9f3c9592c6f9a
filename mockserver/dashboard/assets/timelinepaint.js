// Paints the timeline on a canvas.
import { outcome } from './beats.js';
import { count } from './format.js';
/** @import { Band, Lane, Mark, Scene } from './timelinescene.js' */

const laneHeight = 34; // CSS pixels
const denseLaneHeight = 22;
const nameHeight = 14; // of a name above its lane
const stripHeight = 84;
const axisHeight = 26;
const stripPixels = 6; // width of a bar of the strip

/**
 * @typedef {object} View where a picture is painted, and how
 * @property {CanvasRenderingContext2D} pen
 * @property {number} width
 * @property {number} height
 * @property {number} gutter room for the names on the left; 0 where they stand above the lanes
 * @property {number} lane the height of a lane
 * @property {Record<string, string>} colours
 * @property {(at: number) => number} x the place of a time
 */

/**
 * Paints a scene on a canvas as wide as its surroundings.
 * @param {HTMLCanvasElement} canvas
 * @param {Scene} scene
 */
export function paint(canvas, scene) {
  const width = canvas.clientWidth;
  const gutter = width < 600 ? 0 : 150;
  const lane = scene.dense ? denseLaneHeight : laneHeight;
  const step = lane + (gutter ? 0 : nameHeight);
  const height = (scene.strip ? stripHeight : 0) + Math.max(scene.lanes.length, scene.strip ? 0 : 1) * step +
    axisHeight;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  /** @type {View} */
  const view = {
    pen, width, height, gutter, lane, colours: colours(canvas),
    x: (at) => gutter + (at - scene.start) / (scene.end - scene.start) * (width - gutter - 8),
  };
  let top = 0;
  paintAxis(view, scene);
  if (scene.strip) {
    paintStrip(view, scene.strip, scene, top);
    top += stripHeight;
  }
  for (const each of scene.lanes) {
    paintLane(view, each, top + step - lane);
    top += step;
  }
}

/** The colours of the theme, which the style sheet knows. @param {Element} canvas @returns {Record<string, string>} */
function colours(canvas) {
  const style = getComputedStyle(canvas);
  const probe = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`);
  const names = ['registering', 'online', 'draining', 'offline', 'failed', 'ink', 'muted', 'line', 'surface'];
  return { ...Object.fromEntries(names.map((name) => [name, probe(name)])), font: style.fontFamily };
}

/**
 * @param {View} view
 * @param {Scene} scene
 */
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

/**
 * @param {View} view
 * @param {Lane} lane
 * @param {number} top
 */
function paintLane(view, lane, top) {
  const { pen, gutter, lane: height, colours: c } = view;
  const middle = top + height / 2;
  const gap = Math.round(height / 9); // between two lanes, half of it
  const inner = height - 2 * gap;
  for (const band of lane.bands) paintBand(view, band, top + gap, inner);
  for (const { at, what } of lane.marks) paintMark(view, what, view.x(at), middle, inner / 26);
  for (const band of lane.bands) nameBand(view, band, top + gap, inner);
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

/** @type {Partial<Record<Band['status'], number[]>>} */
const dashes = { Registering: [5, 4], Draining: [12, 4] };

/**
 * A status, by its colour and its pattern.
 * @param {View} view
 * @param {Band} band
 * @param {number} top
 * @param {number} height
 */
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
  pen.setLineDash(dashes[status] ?? []);
  pen.beginPath();
  pen.moveTo(left, top + height - 1.5);
  pen.lineTo(left + width, top + height - 1.5);
  pen.stroke();
  pen.setLineDash([]);
  if (begins) pen.fillRect(left, top, 2, height);
}

/**
 * Says the name of a status that is not as it should be, where there is room.
 * @param {View} view
 * @param {Band} band
 * @param {number} top
 * @param {number} height
 */
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

/**
 * @param {View['pen']} pen
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
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

/**
 * What became of a request, by its shape as much as by its colour.
 * @param {View} view
 * @param {number} what
 * @param {number} x
 * @param {number} y
 * @param {number} size 1 in a lane of full height
 */
function paintMark({ pen, colours: c }, what, x, y, size) {
  pen.lineWidth = 2.5;
  pen.strokeStyle = [outcome.refused, outcome.lost].includes(what) ? c.offline : c.online;
  pen.fillStyle = c.ink;
  pen.beginPath();
  if (what === outcome.beat) {
    pen.moveTo(x, y - 8 * size);
    pen.lineTo(x, y + 8 * size);
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
    pen.moveTo(x, y - 7 * size);
    pen.lineTo(x + 6, y);
    pen.lineTo(x, y + 7 * size);
    pen.lineTo(x - 6, y);
    pen.closePath();
    pen.strokeStyle = c.surface;
    if (what === outcome.register) pen.fill();
    else pen.strokeStyle = c.ink;
  }
  pen.stroke();
}

/**
 * All nodes together: how many requests, and how many of them went wrong.
 * @param {View} view
 * @param {Mark[]} strip
 * @param {Scene} scene
 * @param {number} top
 */
function paintStrip(view, strip, { start, end }, top) {
  const { pen, gutter, width, colours: c } = view;
  const columns = Math.max(1, Math.floor((width - gutter - 8) / stripPixels));
  const step = (end - start) / columns;
  const base = Math.floor(end / step); // bars keep their requests while time moves them
  const { good, bad, most } = bars(strip, columns, (at) => columns - 1 - (base - Math.floor(at / step)));
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

/**
 * Counts the requests of each column, and those of the fullest.
 * @param {Mark[]} strip
 * @param {number} columns
 * @param {(at: number) => number} columnOf below 0 for what is too old
 */
function bars(strip, columns, columnOf) {
  const good = new Uint32Array(columns);
  const bad = new Uint32Array(columns);
  for (const { at, what } of strip) {
    const column = columnOf(at);
    if (column < 0) continue;
    if (what === outcome.refused || what === outcome.lost) bad[column]++;
    else good[column]++;
  }
  let most = 1;
  for (let i = 0; i < columns; i++) most = Math.max(most, good[i] + bad[i]);
  return { good, bad, most };
}

/**
 * Words on top of the picture, where there is no room beside it.
 * @param {View} view
 * @param {string} words
 * @param {number} x
 * @param {number} y
 */
function label({ pen, colours: c }, words, x, y) {
  pen.fillStyle = c.surface;
  pen.globalAlpha = 0.85;
  pen.fillRect(x - 3, y - 6, pen.measureText(words).width + 6, 13);
  pen.globalAlpha = 1;
  pen.fillStyle = c.ink;
  pen.textBaseline = 'middle';
  pen.fillText(words, x, y + 1);
}

/**
 * Shortens words to a width.
 * @param {View['pen']} pen
 * @param {string} words
 * @param {number} width
 */
function fit(pen, words, width) {
  if (pen.measureText(words).width <= width) return words;
  let kept = words.length;
  while (kept > 1 && pen.measureText(`${words.slice(0, kept)}…`).width > width) kept--;
  return `${words.slice(0, kept)}…`;
}
