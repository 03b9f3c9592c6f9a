import { announce, el, text } from './dom.js';

/** A command line that can be copied. @param {string} line */
export function command(line) {
  const button = el('button', { type: 'button', class: 'quiet' }, 'Copy');
  button.addEventListener('click', () => copy(line, button));
  return el('div', { class: 'command' }, el('code', {}, line), button);
}

/**
 * Copies words to the clipboard, and says so on the button.
 * @param {string} words
 * @param {HTMLButtonElement} button
 */
export async function copy(words, button) {
  const was = button.textContent;
  const done = await navigator.clipboard?.writeText(words).then(() => true, () => false);
  text(button, done ? 'Copied' : 'Cannot copy');
  if (done) announce('Copied');
  setTimeout(() => text(button, was), 1500);
}
