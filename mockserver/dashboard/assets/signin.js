import { byId } from './dom.js';

/**
 * Asks for the control token.
 * @param {boolean} wrong whether one was given that the mock does not know
 * @returns {Promise<string>}
 */
export function askForToken(wrong) {
  const dialog = byId('signin', HTMLDialogElement);
  const input = byId('signin-token', HTMLInputElement);
  byId('signin-wrong').hidden = !wrong;
  input.value = '';
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    const cancel = (/** @type {Event} */ event) => event.preventDefault(); // nothing can be shown without it
    const submit = () => {
      dialog.removeEventListener('cancel', cancel);
      resolve(input.value.trim());
    };
    dialog.addEventListener('cancel', cancel);
    byId('signin-form').addEventListener('submit', submit, { once: true });
  });
}
