// Follows the journal, as server-sent events. It reads them with fetch, since an
// EventSource cannot send the control token.
/** @import { Api } from './api.js' */
/** @import { JournalEntry } from '../types' */

const firstDelay = 500; // ms
const longestDelay = 10_000;

/**
 * Follows the journal for as long as the page lives.
 * @param {Api} api
 * @param {{
 *   connect: () => Promise<number>, // called before each connection; returns the entry to go on after
 *   entries: (entries: JournalEntry[]) => void,
 *   dropped: (count: number) => void,
 *   state: (state: 'live'|'down') => void,
 * }} follower
 * @returns {{restart: () => void}} restart connects anew
 */
export function follow(api, follower) {
  let connection = new AbortController();
  let delay = firstDelay;

  const once = async () => {
    const after = await follower.connect();
    const response = await api.follow({ detail: 'brief', after }, connection.signal);
    follower.state('live');
    delay = firstDelay;
    if (!response.body) return;
    for await (const event of events(response.body)) {
      if (event.type === 'entries') follower.entries(JSON.parse(event.data));
      if (event.type === 'dropped') follower.dropped(JSON.parse(event.data).dropped);
    }
  };

  const run = async () => {
    for (;;) {
      connection = new AbortController();
      await once().catch(() => {}); // whatever it was, the remedy is to connect again
      if (connection.signal.aborted) continue;
      follower.state('down');
      await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random() / 2)));
      delay = Math.min(2 * delay, longestDelay);
    }
  };
  run();
  return { restart: () => connection.abort() };
}

/**
 * Reads server-sent events from the body of an answer.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  /** @type {{type: string, data: string[]}} */
  let event = { type: 'message', data: [] };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.map((each) => each.replace(/\r$/, ''))) {
      if (line === '') {
        if (event.data.length) yield { type: event.type, data: event.data.join('\n') };
        event = { type: 'message', data: [] };
        continue;
      }
      const [, field, content] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === 'event') event.type = content;
      if (field === 'data') event.data.push(content);
    }
  }
}
