// Calls the control API. When the mock requires a control token, calls wait until there is one.
/** @import { Answer, Arguments, Input, JournalQuery, Method, PathOf, Problem } from '../types' */

const answerTimeout = 15_000; // ms

/** An answer that is not the one that was asked for, with what the mock says is wrong. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {Problem | null} problem
   */
  constructor(status, problem) {
    const places = (problem?.errors ?? []).map((error) => `${error.pointer}: ${error.detail}`);
    super([problem?.detail ?? `the mock answered ${status}`, ...places].join('\n'));
    this.status = status;
  }
}

export class Api {
  #askForToken;
  /** @type {Promise<void> | null} */
  #asking = null;
  #token = remembered();

  /** @param {(wrong: boolean) => Promise<string>} askForToken */
  constructor(askForToken) {
    this.#askForToken = askForToken;
    const given = takeTokenFromAddress();
    if (given) this.#keep(given);
  }

  /**
   * Calls an operation of the control API. Path, input and answer are those of its document.
   * @template {Method} M
   * @template {PathOf<M>} P
   * @param {M} method
   * @param {P} path
   * @param {Arguments<P, M>} input
   * @returns {Promise<Answer<P, M>>} null where the answer has no body
   */
  async call(method, path, ...[input]) {
    const { body, ...target } = /** @type {Partial<Input<P, M>> & {body?: unknown}} */ (input ?? {});
    const response = await this.#send(addressOf(path, target), {
      method: method.toUpperCase(),
      ...(body !== undefined && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return /** @type {Promise<Answer<P, M>>} */ (response.status === 204 ? null : response.json());
  }

  /**
   * Opens the stream of the journal, which does not end until signal ends it.
   * @param {JournalQuery} query
   * @param {AbortSignal} signal
   */
  follow(query, signal) {
    return this.#send(addressOf('/__mock/stream', { query }), { signal, headers: { Accept: 'text/event-stream' } });
  }

  /**
   * @param {string} address
   * @param {RequestInit} request
   */
  async #send(address, request) {
    for (;;) {
      const token = this.#token;
      if (token !== null && !/^[\x20-\x7e]+$/.test(token)) { // no header can carry it
        await this.#signIn(token);
        continue;
      }
      const headers = new Headers(request.headers);
      if (token) headers.set('Authorization', `Bearer ${token}`);
      const signal = request.signal ?? AbortSignal.timeout(answerTimeout);
      const response = await fetch(address, { ...request, headers, signal, cache: 'no-store' });
      if (response.ok) return response;
      if (response.status !== 401) {
        throw new Refusal(response.status, await response.json().catch(() => null));
      }
      await this.#signIn(token);
    }
  }

  /**
   * Asks for the token once, however many calls need it.
   * @param {string | null} refused
   */
  #signIn(refused) {
    if (this.#token !== refused) return null; // there is a newer one
    this.#asking ??= this.#askForToken(refused !== null).then((token) => {
      this.#keep(token);
      this.#asking = null;
    });
    return this.#asking;
  }

  /** @param {string} token */
  #keep(token) {
    this.#token = token;
    try {
      sessionStorage.setItem('control-token', token);
    } catch { /* then it holds for this visit */ }
  }
}

/** The token that the tab has kept over a reload. */
function remembered() {
  try {
    return sessionStorage.getItem('control-token');
  } catch {
    return null; // storage may be forbidden; the token is then asked for again
  }
}

/** A link may bring the token along, as #token=…; it does not stay in the address. */
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/**
 * The address of an operation, relative to the page, which a proxy may have below a path.
 * @param {string} path
 * @param {{path?: object, query?: object}} target
 */
function addressOf(path, { path: names = {}, query = {} }) {
  let address = path.slice(1);
  for (const [name, value] of Object.entries(names)) address = address.replace(`{${name}}`, encodeURIComponent(value));
  const stated = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return stated.length ? `${address}?${new URLSearchParams(stated)}` : address;
}
