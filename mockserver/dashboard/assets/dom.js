// Builds and updates elements. What comes from outside only ever becomes text: nothing
// here, or anywhere in the page, parses HTML.

/** @param {string} id @returns {any} the element of the page with this id */
export const byId = (id) => document.getElementById(id);

/**
 * Creates an element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes] a function is a listener, true and false switch
 * @param {...(Node|string|null|undefined)} children
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (typeof value === 'boolean') element.toggleAttribute(name, value);
    else if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Creates a picture of one of the page's shapes; the words beside it say the same. */
export function shape(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'shape');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#shape-${name}`);
  svg.append(use);
  return svg;
}

/** Shows another shape. */
export function reshape(svg, name) {
  attribute(svg.firstChild, 'href', `#shape-${name}`);
}

/** Sets the text of an element, if it is another one. */
export function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Sets an attribute, if it has another value; null removes it. */
export function attribute(element, name, value) {
  if (value === null || value === undefined) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

const parts = new WeakMap();

/**
 * Makes the children of parent show items: one child for each, identified by key, in
 * their order. A child stays the same element as long as its item is there, so that
 * focus and open details survive.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => any} key
 * @param {(item: T) => {element: Element, update: (item: T) => void}} create
 */
export function list(parent, items, key, create) {
  const old = parts.get(parent) ?? new Map();
  const now = new Map();
  for (const item of items) {
    const part = old.get(key(item)) ?? create(item);
    part.update(item);
    now.set(key(item), part);
  }
  for (const [name, part] of old) {
    if (!now.has(name)) part.element.remove();
  }
  let place = parent.firstElementChild;
  for (const { element } of now.values()) {
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  parts.set(parent, now);
}

/**
 * Moves the focus between the children of a list by arrow keys, Home and End.
 * @param {Element} parent
 * @param {string} selector finds in each child what takes the focus
 * @param {() => void} [moved]
 */
export function arrowKeys(parent, selector, moved = () => {}) {
  parent.addEventListener('keydown', (event) => {
    if (!event.target.matches(selector)) return;
    const stops = [...parent.querySelectorAll(selector)];
    const here = stops.indexOf(event.target);
    const goal = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: stops.length - 1 }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    stops[Math.max(0, Math.min(goal, stops.length - 1))].focus();
    moved();
  });
}

/** Says something to those who cannot see it; what comes within a second is said at once. */
export const announce = (() => {
  const waiting = [];
  let timer = 0;
  const say = () => {
    timer = 0;
    const news = waiting.splice(0);
    text(byId('news'), news.length > 3 ? `${news.length} changes; the last: ${news.at(-1)}` : news.join('. '));
  };
  return (message) => {
    waiting.push(message);
    if (waiting.length > 1000) waiting.shift();
    timer ||= setTimeout(say, 1000);
  };
})();

/** Shows what went wrong, until it is closed or half a minute has passed. */
export function alert(message) {
  const box = el('div', { class: 'alert' }, el('span', {}, message));
  const close = () => box.remove();
  box.append(el('button', { type: 'button', class: 'quiet', click: close, 'aria-label': 'Close this message' }, 'Close'));
  byId('alerts').replaceChildren(box);
  setTimeout(close, 30_000);
}

/** Runs an action of the user, and shows it if it fails. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    alert(error.message);
    return undefined;
  }
}
