// Calls the control API. When the mock wants a control token, calls wait until there is one.

const patience = 15_000; // ms

/** An answer that is not the one that was asked for, with what the mock says is wrong. */
export class Refusal extends Error {
  constructor(status, problem) {
    const places = (problem?.errors ?? []).map((error) => `${error.pointer}: ${error.detail}`);
    super([problem?.detail ?? `the mock answered ${status}`, ...places].join('\n'));
    this.status = status;
  }
}

export class Api {
  #askForToken;
  #asking = null;
  #token = remembered();

  /** @param {(wrong: boolean) => Promise<string>} askForToken */
  constructor(askForToken) {
    this.#askForToken = askForToken;
    const given = takeTokenFromAddress();
    if (given) this.#keep(given);
  }

  get = (path, query) => this.#json('GET', withQuery(path, query));
  post = (path, body) => this.#json('POST', path, body);
  put = (path, body) => this.#json('PUT', path, body);
  patch = (path, body) => this.#json('PATCH', path, body);
  delete = (path) => this.#json('DELETE', path);

  /** Opens an answer that does not end, until signal ends it. */
  open(path, query, signal) {
    return this.#send(withQuery(path, query), { signal, headers: { Accept: 'text/event-stream' } });
  }

  async #json(method, path, body) {
    const response = await this.#send(path, {
      method,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
    });
    return response.status === 204 ? null : response.json();
  }

  async #send(path, request) {
    for (;;) {
      const token = this.#token;
      if (token !== null && !/^[\x20-\x7e]+$/.test(token)) { // no header can carry it
        await this.#signIn(token);
        continue;
      }
      const headers = token ? { ...request.headers, Authorization: `Bearer ${token}` } : request.headers;
      const signal = request.signal ?? AbortSignal.timeout(patience);
      const response = await fetch(`__mock${path}`, { ...request, headers, signal, cache: 'no-store' });
      if (response.ok) return response;
      if (response.status !== 401) {
        throw new Refusal(response.status, await response.json().catch(() => null));
      }
      await this.#signIn(token);
    }
  }

  /** Asks for the token once, however many calls need it. */
  #signIn(refused) {
    if (this.#token !== refused) return null; // there is a newer one
    this.#asking ??= this.#askForToken(refused !== null).then((token) => {
      this.#keep(token);
      this.#asking = null;
    });
    return this.#asking;
  }

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

function withQuery(path, query = {}) {
  const stated = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return stated.length ? `${path}?${new URLSearchParams(stated)}` : path;
}
