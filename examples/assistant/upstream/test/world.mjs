// The API on a free port, and an issuer with a key of its own who stands where the gateway stands.

import { once } from 'node:events';
import { createServer } from 'node:http';

import { SignJWT, exportJWK, generateKeyPair } from 'jose';

import { createApi } from '../app.mjs';
import { callerReader } from '../caller.mjs';
import { Store } from '../store.mjs';

export const ISSUER = 'http://issuer.test';
export const AUDIENCE = 'http://127.0.0.1:9000';
export const ALICE = { sub: 'u_alice', external_id: 'customer-1', amr: ['hmac'] };
export const BOB = { sub: 'u_bob', external_id: 'customer-2', amr: ['hmac'] };

const KID = 'key-1';

/** Everything ends with the test. */
export async function world(test, { limits = {}, wordPause = 0 } = {}) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const other = await generateKeyPair('EdDSA', { extractable: true });
  const jwks = { keys: [await published(publicKey, KID), await published(other.publicKey, 'key-of-another-kind')] };
  const keys = createServer((_, response) => response.end(JSON.stringify(jwks)));
  const jwksUrl = `${await start(test, keys)}/jwks.json`;
  const callerOf = callerReader({ jwksUrl, issuer: ISSUER, audience: AUDIENCE });
  const url = await start(test, createApi({ callerOf, store: new Store({ limits }), wordPause }));
  return { url, keys, privateKey, otherKey: other.privateKey, as: (who) => new Caller(url, () => assertion(privateKey, who)) };
}

async function published(key, kid) {
  return { ...(await exportJWK(key)), kid, use: 'sig' };
}

/** What the gateway signs. */
export function assertion(key, claims, { header = {}, issuer = ISSUER, audience = AUDIENCE, age = 0, life = 60 } = {}) {
  const now = Math.floor(Date.now() / 1000) - age;
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: KID, typ: 'caller-assertion+jwt', ...header })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + life)
    .sign(key, { crit: { 'urn:example:more': true } });
}

/** Starts a server on any port that is free, for as long as the test runs. */
export async function start(test, server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Somebody whose calls have come through the gateway. */
export class Caller {
  #url;
  #assertion;

  constructor(url, assertion) {
    this.#url = url;
    this.#assertion = assertion;
  }

  async send(method, path, { headers = {}, body, signal } = {}) {
    const proof = { 'x-countersign-assertion': await this.#assertion() };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const isValue = Object.getPrototypeOf(body ?? '') === Object.prototype;
    const sent = isValue ? JSON.stringify(body) : body;
    return fetch(`${this.#url}${path}`, { method, headers: { ...proof, ...type, ...headers }, body: sent, signal, duplex: 'half' });
  }

  /** The JSON of an answer that must be 200. */
  async get(path) {
    return ok(await this.send('GET', path));
  }

  async post(path, body) {
    return ok(await this.send('POST', path, { body }));
  }

  /** An interaction with an agent. */
  async begin(agentId = 'ag_mirror') {
    return (await this.post('/interactions', { agent_id: agentId })).interaction.id;
  }

  /** Says something. */
  say(interactionId, content, more = {}) {
    return this.post('/messages', { interaction_id: interactionId, content, ...more });
  }

  /** Has something that was said answered. */
  ask(message) {
    return this.post(`/messages/${message.id}/ask`, { interaction_id: message.interaction_id });
  }
}

async function ok(response) {
  const text = await response.text();
  if (response.status !== 200) throw new Error(`this should have been 200: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** An answer that must be an error, and nothing but one. Gives its message. */
export async function refused(response, status, code) {
  const text = await response.text();
  if (response.status !== status) throw new Error(`this should have been ${status}: ${response.status} ${text}`);
  if (response.headers.get('content-type') !== 'application/json') throw new Error('an error is JSON');
  const value = JSON.parse(text);
  const { error } = value;
  const shape = JSON.stringify([Object.keys(value), Object.keys(error ?? {}), typeof error?.message]);
  if (shape !== '[["error"],["code","message"],"string"]') throw new Error(`this is no error of this door: ${text}`);
  if (error.code !== code) throw new Error(`this should have been ${code}: ${text}`);
  return error.message;
}
