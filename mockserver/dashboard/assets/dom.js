// Builds and updates elements. What comes from outside only ever becomes text: nothing
// here, or anywhere in the page, parses HTML.
/** @import { Part } from '../types' */

/**
 * Returns the element of the page with an id.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind] what it is
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof (kind ?? HTMLElement))) throw new TypeError(`the page has no such element: ${id}`);
  return /** @type {T} */ (/** @type {unknown} */ (element));
}

/**
 * Creates an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes] a function is a listener, true and false switch
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, /** @type {EventListener} */ (value));
    else if (typeof value === 'boolean') element.toggleAttribute(name, value);
    else if (value !== undefined && value !== null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const svg = 'http://www.w3.org/2000/svg';

/** Creates a picture of one of the page's shapes; the words beside it say the same. @param {string} name */
export function shape(name) {
  const picture = document.createElementNS(svg, 'svg');
  picture.setAttribute('class', 'shape');
  picture.setAttribute('aria-hidden', 'true');
  picture.append(document.createElementNS(svg, 'use'));
  reshape(picture, name);
  return picture;
}

/**
 * Shows another shape.
 * @param {SVGElement} picture
 * @param {string} name
 */
export function reshape(picture, name) {
  const use = picture.firstElementChild;
  if (use) attribute(use, 'href', `#shape-${name}`);
}

/**
 * Sets the text of an element, if it is another one.
 * @param {Element} element
 * @param {string | number | null | undefined} value
 */
export function text(element, value) {
  const wanted = String(value ?? '');
  if (element.textContent !== wanted) element.textContent = wanted;
}

/**
 * Sets an attribute, if it has another value; null removes it.
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function attribute(element, name, value) {
  if (value === null || value === undefined) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, String(value));
  }
}

/** @type {WeakMap<Element, Map<unknown, Part<any>>>} */
const parts = new WeakMap();

/**
 * Makes the children of parent show items: one child for each, identified by key, in
 * their order. A child stays the same element as long as its item is there, so that
 * focus and open details survive.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => unknown} key
 * @param {(item: T) => Part<T>} create
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
    if (element === place) place = place?.nextElementSibling ?? null;
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
    if (!(event instanceof KeyboardEvent && event.target instanceof HTMLElement &&
      event.target.matches(selector))) return;
    const stops = /** @type {NodeListOf<HTMLElement>} */ (parent.querySelectorAll(selector));
    const here = [...stops].indexOf(event.target);
    /** @type {Record<string, number>} */
    const goals = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: stops.length - 1 };
    const goal = goals[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    stops[Math.max(0, Math.min(goal, stops.length - 1))]?.focus();
    moved();
  });
}

/**
 * Closes what is open inside an element when Escape is pressed there.
 * @param {HTMLElement} element
 * @param {HTMLButtonElement} button opens and closes it
 */
export function closeByEscape(element, button) {
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || button.getAttribute('aria-expanded') !== 'true') return;
    button.click();
    button.focus();
  });
}

/**
 * Fills a select with a choice of values.
 * @param {HTMLSelectElement} select
 * @param {readonly string[]} values
 * @param {(value: string) => string} [word] what a person reads for a value
 */
export function offer(select, values, word = (value) => value) {
  select.append(...values.map((value) => el('option', { value }, word(value))));
}

/**
 * Bounds what can be typed into a field, as the control API does.
 * @param {HTMLInputElement} field
 * @param {{minimum?: number, maximum?: number, maxLength?: number, pattern?: string}} limits
 * @param {number} [unit] how many of the limits' units the field counts by
 */
export function bound(field, limits, unit = 1) {
  if (limits.minimum !== undefined) field.min = String(limits.minimum / unit);
  if (limits.maximum !== undefined) field.max = String(limits.maximum / unit);
  if (limits.maxLength !== undefined) field.maxLength = limits.maxLength;
  // Browsers read patterns by stricter rules, which want a hyphen at the end of a class escaped.
  if (limits.pattern !== undefined) field.pattern = limits.pattern.replace(/(?<!\\)-\]/g, '\\-]');
}

/** Says something to those who cannot see it; what comes within a second is said at once. */
export const announce = (() => {
  /** @type {string[]} */
  const waiting = [];
  let timer = 0;
  const say = () => {
    timer = 0;
    const news = waiting.splice(0);
    text(byId('news'), news.length > 3 ? `${news.length} changes; the last: ${news.at(-1)}` : news.join('. '));
  };
  return (/** @type {string} */ message) => {
    waiting.push(message);
    if (waiting.length > 1000) waiting.shift();
    timer ||= setTimeout(say, 1000);
  };
})();

/** Shows what went wrong, until it is closed or half a minute has passed. @param {string} message */
export function alert(message) {
  const box = el('div', { class: 'alert' }, el('span', {}, message));
  const close = () => box.remove();
  box.append(el('button', { type: 'button', class: 'quiet', click: close, 'aria-label': 'Close this message' },
    'Close'));
  byId('alerts').replaceChildren(box);
  setTimeout(close, 30_000);
}

/**
 * Runs an action of the user, and shows it if it fails.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>}
 */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    alert(wordsOf(error));
    return undefined;
  }
}

/** What an error says. @param {unknown} error */
export const wordsOf = (error) => (error instanceof Error ? error.message : String(error));
