// Replies that are said word by word, as server-sent events: `delta` with a piece of the text, then `done` with the whole
// message.

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { Problem, problemOf } from './problem.mjs';

/** Streams that one user may have open. */
const OPEN_LIMIT = 4;

export class Streams {
  #open = new Map();
  #wordPause;

  /** Between two words lie `wordPause` milliseconds. */
  constructor(wordPause) {
    this.#wordPause = wordPause;
  }

  /** Says `content` to its end and keeps it; or to where the caller hangs up, or the gateway, and forgets it. */
  async send(response, user, content, keep) {
    const open = this.#open.get(user) ?? 0;
    if (open >= OPEN_LIMIT) throw new Problem(429, 'Too many replies at once.', { 'retry-after': '1' });
    this.#open.set(user, open + 1);
    const cut = new AbortController();
    response.once('close', () => cut.abort());
    try {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      await this.#say(response, content, cut.signal);
      await write(response, ...last(keep), cut.signal);
      response.end();
    } catch (error) {
      if (!cut.signal.aborted) throw error;
    } finally {
      this.#hangUp(user);
    }
  }

  async #say(response, content, signal) {
    for (const word of content.match(/\S+\s*/g) ?? []) {
      await write(response, 'delta', { content: word }, signal);
      await pause(this.#wordPause, undefined, { signal });
    }
  }

  #hangUp(user) {
    const left = this.#open.get(user) - 1;
    if (left > 0) this.#open.set(user, left);
    else this.#open.delete(user);
  }
}

/** The status was sent long ago: what goes wrong now is an event. */
function last(keep) {
  try {
    return ['done', keep()];
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    return ['error', problemOf(error).body];
  }
}

/** Waits for a caller who reads slowly. */
async function write(response, event, data, signal) {
  signal.throwIfAborted();
  const took = response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  if (!took) await once(response, 'drain', { signal });
}
