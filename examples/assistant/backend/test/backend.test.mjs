// The backend proves who is signed in, to the page and nobody else.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';

import { createBackend } from '../app.mjs';
import { prover } from '../proof.mjs';
import { Sessions } from '../sessions.mjs';

/** The guide's secret and answer. */
const SECRET = 'hsec_mFLSkjGK6XLK1TUxL8wgiXrjwZCqcfmgbXTC0JmZFooSl9rQlzIrpsQHNor4guw2YOUP7vWA';
const PAGE = 'http://localhost:3000';

const prove = prover(SECRET);

/** A backend on a free port, gone with the test. */
async function backend(t, { now } = {}) {
  const server = createServer(createBackend({ prove, sessions: new Sessions(now), pageOrigin: PAGE }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** A browser on the page: it keeps its cookie. */
class Browser {
  cookie = '';
  #url;
  #origin;

  constructor(url, origin = PAGE) {
    this.#url = url;
    this.#origin = origin;
  }

  async send(method, path, body, headers = {}) {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const own = { origin: this.#origin, cookie: this.cookie, ...type, ...headers };
    const sent = typeof body === 'object' ? JSON.stringify(body) : body;
    const answer = await fetch(`${this.#url}${path}`, { method, headers: own, body: sent });
    const [set] = answer.headers.getSetCookie();
    if (set) this.cookie = set.split(';')[0];
    return answer;
  }

  post(path, body) {
    return this.send('POST', path, body);
  }

  async signIn(user) {
    const answer = await this.post('/login', { user });
    assert.equal(answer.status, 200);
    return answer;
  }
}

async function refused(answer, status) {
  assert.equal(answer.status, status);
  const body = await answer.json();
  assert.deepEqual([Object.keys(body), typeof body.message], [['message'], 'string']);
  return body.message;
}

test("the HMAC is the guide's", () => {
  assert.equal(prove('gtLIK8ELsHTr0Fajg28Ud9eFpJJ3'), 'nyrKK9qcWqgPSdky2VE+arkyJjMFt9FD1Fxl/iNOD5U=');
});

test('a secret without its prefix is no secret', () => {
  assert.throws(() => prover(SECRET.slice('hsec_'.length)), /begins with hsec_/);
});

test('who is signed in gets the HMAC of that user', async (t) => {
  const browser = new Browser(await backend(t));
  const login = await browser.signIn('alice');
  assert.deepEqual(await login.json(), { name: 'alice', externalId: 'customer-1', shown: 'Alice' });
  for (const body of [{}, { userExternalId: 'customer-1' }, undefined]) {
    const answer = await browser.post('/hmac', body);
    assert.deepEqual([answer.status, await answer.json()], [200, { hmac: prove('customer-1') }]);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  }
});

test('an id beyond ASCII is proved as UTF-8', async (t) => {
  const browser = new Browser(await backend(t));
  await browser.signIn('zoe');
  const { hmac } = await (await browser.post('/hmac', { userExternalId: 'zoë-3' })).json();
  assert.equal(hmac, prove(Buffer.from([0x7a, 0x6f, 0xc3, 0xab, 0x2d, 0x33])));
});

test("nobody gets somebody else's HMAC by asking for it", async (t) => {
  const browser = new Browser(await backend(t));
  await browser.signIn('bob');
  for (const userExternalId of ['customer-1', 'customer-2 ', '', null, ['customer-2'], { toString: 'customer-2' }, 1]) {
    const answer = await browser.post('/hmac', { userExternalId });
    await refused(answer, 403);
  }
  assert.deepEqual(await (await browser.post('/hmac', { userExternalId: 'customer-2' })).json(), { hmac: prove('customer-2') });
});

test('who is signed in as nobody gets none', async (t) => {
  const url = await backend(t);
  const stranger = new Browser(url);
  const cookies = ['', 'assistant_session=', 'assistant_session=AAAA', 'assistant_session', 'a=b; ;=;', `assistant_session=${'x'.repeat(4000)}`];
  for (const cookie of cookies) {
    stranger.cookie = cookie;
    await refused(await stranger.post('/hmac', { userExternalId: 'customer-1' }), 401);
  }
  for (const user of ['mallory', '', null, ['alice'], '__proto__', 'constructor']) await refused(await stranger.post('/login', { user }), 401);
  assert.deepEqual(await (await stranger.send('GET', '/session')).json(), { user: null });
});

test('a user switch is complete: the cookie of before is worth nothing', async (t) => {
  const browser = new Browser(await backend(t));
  await browser.signIn('alice');
  const before = browser.cookie;
  await browser.signIn('bob');
  assert.equal((await (await browser.send('GET', '/session')).json()).user.name, 'bob');
  await refused(await browser.post('/hmac', { userExternalId: 'customer-1' }), 403);
  browser.cookie = before;
  await refused(await browser.post('/hmac'), 401);
});

test('who signed out is out', async (t) => {
  const browser = new Browser(await backend(t));
  await browser.signIn('alice');
  const { cookie } = browser;
  assert.equal((await browser.post('/logout')).status, 204);
  browser.cookie = cookie;
  await refused(await browser.post('/hmac'), 401);
});

test('a session ends by itself', async (t) => {
  let now = 1_000_000;
  const browser = new Browser(await backend(t, { now: () => now }));
  await browser.signIn('alice');
  now += 8 * 60 * 60 * 1000 - 1;
  assert.equal((await browser.post('/hmac')).status, 200);
  now += 1;
  await refused(await browser.post('/hmac'), 401);
});

test('the cookie is out of reach of scripts and other sites', async (t) => {
  const answer = await new Browser(await backend(t)).signIn('alice');
  const [cookie] = answer.headers.getSetCookie();
  assert.match(cookie, /^assistant_session=[\w-]{43}; /);
  for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(cookie.split('; ').includes(attribute), cookie);
});

test('pages of other origins are refused, and nothing is done for them', async (t) => {
  const url = await backend(t);
  const browser = new Browser(url);
  await browser.signIn('alice');
  for (const origin of ['http://localhost:3001', 'https://localhost:3000', 'http://localhost:3000.evil.example', 'null', 'http://LOCALHOST:3000']) {
    const evil = new Browser(url, origin);
    evil.cookie = browser.cookie;
    for (const [method, path] of [['POST', '/hmac'], ['POST', '/login'], ['POST', '/logout'], ['OPTIONS', '/hmac'], ['GET', '/session']]) {
      const answer = await evil.send(method, path);
      await refused(answer, 403);
      assert.equal(answer.headers.get('access-control-allow-origin'), null);
    }
  }
  // Least of all was she signed out.
  const answer = await browser.post('/hmac');
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [200, PAGE]);
});

test('a preflight of the page is answered, and a refusal can be read by it', async (t) => {
  const browser = new Browser(await backend(t));
  const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
  const { status, headers } = await browser.send('OPTIONS', '/hmac', undefined, asks);
  assert.equal(status, 204);
  const said = ['origin', 'credentials', 'methods', 'headers'].map((name) => headers.get(`access-control-allow-${name}`));
  assert.deepEqual([...said, headers.get('vary')], [PAGE, 'true', 'GET, POST', 'Content-Type', 'Origin']);
  const refusal = await browser.post('/hmac');
  assert.equal(refusal.headers.get('access-control-allow-origin'), PAGE);
  await refused(refusal, 401);
});

test('a body that is no object of JSON is refused', async (t) => {
  const browser = new Browser(await backend(t));
  await browser.signIn('alice');
  for (const body of ['{', '[]', '1', '"a"', 'null', `{"a":"${'\u{10ffff}'}`]) await refused(await browser.post('/hmac', body), 400);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    await refused(await browser.send('POST', '/hmac', 'user=alice', { 'content-type': type }), 400);
  }
  await refused(await browser.post('/hmac', { more: 'x'.repeat(3000) }), 413);
  await refused(await browser.send('POST', '/hmac', '{}', { 'content-encoding': 'gzip' }), 400);
  assert.equal((await browser.post('/hmac', {})).status, 200);
});

test('other paths hold nothing', async (t) => {
  const browser = new Browser(await backend(t));
  for (const path of ['/', '/users', '/%', '/hmac/customer-1']) await refused(await browser.post(path), 404);
  await refused(await browser.send('GET', '/hmac'), 404);
});
