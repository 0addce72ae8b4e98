// The customer's backend, which knows who is signed in.

import { Unreachable } from './client.mjs';

/** The backend refused. */
export class BackendRefusal extends Error {
  name = 'BackendRefusal';

  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Backend {
  #url;

  constructor(url) {
    this.#url = url;
  }

  /** Who is signed in, or null. */
  async user() {
    return (await this.#call('GET', '/session')).user;
  }

  signIn(name) {
    return this.#call('POST', '/login', { user: name });
  }

  signOut() {
    return this.#call('POST', '/logout', {});
  }

  /** The proof of the user who is signed in. Naming the user makes a switch in another window an error, and no mix-up. */
  async hmac(userExternalId) {
    return (await this.#call('POST', '/hmac', { userExternalId })).hmac;
  }

  async #call(method, path, body) {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const init = { method, headers, body: JSON.stringify(body), credentials: 'include', cache: 'no-store' };
    const response = await fetch(`${this.#url}${path}`, init).catch((error) => {
      throw new Unreachable(error.message);
    });
    if (response.status === 204) return null;
    const value = await response.json().catch(() => ({}));
    if (!response.ok) throw new BackendRefusal(response.status, value.message ?? response.statusText);
    return value;
  }
}
