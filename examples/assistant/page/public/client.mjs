// A client of the API behind Countersign, for one user.
//
// It names the project by its publishable key and the user by the customer's own id; `userHmac` fetches the proof that the
// user is who this says. One client is one user: a proof that is kept here can't be sent for the next one.

import { readEvents } from './events.mjs';

/** What the server answered instead of what was asked for. */
export class Refusal extends Error {
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** There was no answer. */
export class Unreachable extends Error {
  name = 'Unreachable';
}

/** A reply ended before its end. */
export class Cut extends Error {
  name = 'Cut';
}

export class Client {
  #url;
  #apiKey;
  #userExternalId;
  #userHmac;
  #proof = null;
  #signal;

  /**
   * `userHmac` is called when a proof is needed, gives the HMAC or null for none, and is called again when the one that it
   * gave was refused. `signal` ends everything that this client has under way.
   */
  constructor({ url, apiKey, userExternalId, userHmac, signal }) {
    this.#url = url;
    this.#apiKey = apiKey;
    this.#userExternalId = userExternalId;
    this.#userHmac = userHmac;
    this.#signal = signal;
  }

  /** Who this is to Countersign, and how that was proved. */
  me() {
    return this.#json('GET', '/v1/me');
  }

  async agents() {
    return (await this.#json('GET', '/agents?limit=100')).data;
  }

  /** Interactions of this user, newest first. */
  async interactions() {
    return (await this.#json('GET', '/interactions?limit=100')).data;
  }

  /** A new interaction, and its messages. */
  async begin(agentId) {
    const { interaction, messages } = await this.#json('POST', '/interactions', { agent_id: agentId });
    return { interaction, messages: messages.reverse() };
  }

  /** Messages of an interaction, oldest first. */
  async messages(interactionId) {
    const { data } = await this.#json('GET', `/messages?interaction_id=${encodeURIComponent(interactionId)}&limit=100`);
    return data.reverse();
  }

  say(interactionId, content) {
    return this.#json('POST', '/messages', { interaction_id: interactionId, content });
  }

  /** Has a message answered. `onWord` hears the reply as it comes; `signal` stops it. */
  async ask(message, onWord, signal) {
    const path = `/messages/${encodeURIComponent(message.id)}/ask`;
    const body = { interaction_id: message.interaction_id };
    const response = await this.#call('POST', path, { body, accept: 'text/event-stream', signal });
    for await (const { event, data } of eventsOf(response)) {
      if (event === 'delta') onWord(data.content);
      if (event === 'error') throw new Refusal(200, data.error.code, data.error.message);
      if (event === 'done') return data;
    }
    throw new Cut('the reply has no end');
  }

  async #json(method, path, body) {
    const response = await this.#call(method, path, { body, accept: 'application/json' });
    return response.json().catch((error) => {
      throw error.name === 'AbortError' ? error : new Cut('the answer has no end');
    });
  }

  /** A proof may have been retired since it was fetched: the next one is tried once. */
  async #call(method, path, how) {
    const hadProof = this.#proof !== null;
    const response = await this.#send(method, path, how);
    if (response.ok) return response;
    const refusal = await refusalOf(response);
    if (refusal.status !== 401) throw refusal;
    this.#proof = null;
    if (!hadProof) throw refusal;
    const again = await this.#send(method, path, how);
    if (!again.ok) throw await refusalOf(again);
    return again;
  }

  async #send(method, path, { body, accept, signal }) {
    const headers = { accept, ...(await this.#credentials()) };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const init = { method, headers, body: JSON.stringify(body), cache: 'no-store', credentials: 'omit', redirect: 'error' };
    const ends = [this.#signal, signal].filter(Boolean);
    try {
      return await fetch(`${this.#url}${path}`, { ...init, signal: AbortSignal.any(ends) });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Unreachable(error.message);
    }
  }

  async #credentials() {
    this.#proof ??= Promise.resolve(this.#userHmac());
    const hmac = await this.#proof.catch((error) => {
      // Nothing was learnt: the next call asks anew.
      this.#proof = null;
      throw error;
    });
    const credentials = { 'x-proficient-api-key': this.#apiKey, 'x-proficient-user-external-id': this.#userExternalId };
    if (hmac !== null) credentials['x-proficient-user-hmac'] = hmac;
    return credentials;
  }
}

async function* eventsOf(response) {
  try {
    yield* readEvents(response.body);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Cut(error.message);
  }
}

/** Reads an error. One that isn't in the shape of this door comes from something in between. */
async function refusalOf(response) {
  const { error } = await response.json().catch(() => ({}));
  const retryAfter = response.headers.get('retry-after');
  return new Refusal(response.status, error?.code ?? 'unknown', error?.message ?? response.statusText, retryAfter);
}
