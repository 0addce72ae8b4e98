// Who is signed in, by a cookie that can't be guessed.

import { createHash, randomBytes } from 'node:crypto';

const COOKIE = 'assistant_session';
const LIFETIME = 8 * 60 * 60 * 1000;

/** So that nobody fills the memory. The oldest goes. */
const MOST = 10_000;

export class Sessions {
  #sessions = new Map();
  #now;

  constructor(now = Date.now) {
    this.#now = now;
  }

  /** Signs a user in. A session of before ends: who knew its cookie shall not have the new one. */
  open(request, response, user) {
    this.#sessions.delete(keyOf(request));
    const secret = randomBytes(32).toString('base64url');
    this.#sessions.set(hash(secret), { user, ends: this.#now() + LIFETIME });
    if (this.#sessions.size > MOST) this.#sessions.delete(this.#sessions.keys().next().value);
    response.cookie(COOKIE, secret, { ...attributes(), maxAge: LIFETIME });
  }

  /** The user who is signed in. */
  user(request) {
    const session = this.#sessions.get(keyOf(request));
    return session !== undefined && session.ends > this.#now() ? session.user : null;
  }

  close(request, response) {
    this.#sessions.delete(keyOf(request));
    response.clearCookie(COOKIE, attributes());
  }
}

/** Page and backend have two origins of one site, `localhost`. Behind TLS it is `secure`, too. */
function attributes() {
  return { httpOnly: true, sameSite: 'strict', path: '/' };
}

/** Looked up by the hash, so that the time it takes tells nothing of the secret. */
function keyOf(request) {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  const [, secret = ''] = pairs.find(([name]) => name === COOKIE) ?? [];
  return hash(secret);
}

function hash(secret) {
  return createHash('sha256').update(secret).digest('base64url');
}
