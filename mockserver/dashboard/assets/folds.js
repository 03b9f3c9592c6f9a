import { byId } from './dom.js';

/** On a phone, folds what is seldom needed, so that the first node is on the first screen. */
export function folds() {
  const phone = matchMedia('(max-width: 40rem)');
  const controls = byId('controls', HTMLDetailsElement);
  const filters = byId('node-fold', HTMLDetailsElement);
  const fold = () => { controls.open = filters.open = !phone.matches; };
  phone.addEventListener('change', fold);
  fold();
}
