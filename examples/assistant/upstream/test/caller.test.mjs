// Whom the API believes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import test from 'node:test';

import { SignJWT, generateKeyPair } from 'jose';

import { ALICE, AUDIENCE, BOB, Caller, ISSUER, assertion, refused, world } from './world.mjs';

test('an assertion of the gateway says who calls, and how that was proved', async (t) => {
  const { as } = await world(t);
  const alice = as({ ...ALICE, amr: ['hmac', 'otp'] });
  const reply = await alice.ask(await alice.say(await alice.begin(), 'who am I?'));
  assert.match(reply.content, /customer-1, and u_alice to Countersign\. That was proved by: hmac, otp\./);
});

test('a user whom nobody has proved is told so', async (t) => {
  const { as } = await world(t);
  const somebody = as({ ...ALICE, amr: ['unproved'] });
  const reply = await somebody.ask(await somebody.say(await somebody.begin(), 'who am I?'));
  assert.match(reply.content, /nobody has proved it/);
});

test('without an assertion nobody is believed, whatever headers say', async (t) => {
  const { url } = await world(t);
  const claimed = { 'x-countersign-user': 'u_alice', 'x-countersign-external-id': 'customer-1', 'x-countersign-amr': 'hmac' };
  for (const path of ['/agents', '/interactions', '/no/such/path']) {
    await refused(await fetch(`${url}${path}`, { headers: claimed }), 401, 'invalid_credentials');
  }
});

test('the assertion counts, not the headers beside it', async (t) => {
  const { as } = await world(t);
  const bob = as(BOB);
  const id = await bob.begin();
  const interaction = await (await bob.send('GET', `/interactions/${id}`, { headers: { 'x-countersign-user': 'u_alice' } })).json();
  assert.equal(interaction.user_id, 'u_bob');
});

const FORGERIES = {
  'of another issuer': (key) => assertion(key, ALICE, { issuer: 'http://elsewhere.test' }),
  'for another API': (key) => assertion(key, ALICE, { audience: 'http://127.0.0.1:9001' }),
  'that has expired': (key) => assertion(key, ALICE, { age: 70 }),
  'that was made for a day': (key) => assertion(key, ALICE, { age: 120, life: 86_400 }),
  'from the future': (key) => assertion(key, ALICE, { age: -120 }),
  'of no kind': (key) => assertion(key, ALICE, { header: { typ: undefined } }),
  'that is an access token': (key) => assertion(key, ALICE, { header: { typ: 'at+jwt' } }),
  'without a subject': (key) => assertion(key, { ...ALICE, sub: undefined }),
  'that says nothing of a proof': (key) => assertion(key, { ...ALICE, amr: undefined }),
  'with a proof that is no list': (key) => assertion(key, { ...ALICE, amr: 'hmac' }),
  'that names a key nobody has': (key) => assertion(key, ALICE, { header: { kid: 'key-2' } }),
  'with a critical extension': (key) => assertion(key, ALICE, { header: { crit: ['urn:example:more'], 'urn:example:more': 1 } }),
  'under an algorithm that the gateway never uses': (key, otherKey) => assertion(otherKey, ALICE, { header: { alg: 'EdDSA', kid: 'key-of-another-kind' } }),
  'by a key of the forger': async () => assertion((await generateKeyPair('ES256')).privateKey, ALICE),
  'by a shared secret': () => hmacSigned(),
  'by nobody': () => unsigned(),
  'that is no JWT': () => 'eyJ-none',
  'that is empty': () => '',
};

for (const [what, forge] of Object.entries(FORGERIES)) {
  test(`an assertion ${what} is refused`, async (t) => {
    const { url, privateKey, otherKey, as } = await world(t);
    const forger = new Caller(url, () => forge(privateKey, otherKey));
    await refused(await forger.send('POST', '/interactions', { body: { agent_id: 'ag_mirror' } }), 401, 'invalid_credentials');
    // The twin: the same without the forgery. And the forger left nothing behind.
    assert.deepEqual((await as(ALICE).get('/interactions')).data, []);
  });
}

test('a backend is proved, but no user', async (t) => {
  const backend = (await world(t)).as({ sub: 'key_backend', amr: ['secret_key'] });
  await refused(await backend.send('POST', '/interactions', { body: { agent_id: 'ag_mirror' } }), 403, 'forbidden');
});

test('a user without an id of the customer has one of Countersign', async (t) => {
  const user = (await world(t)).as({ sub: 'u_alice', amr: ['vouch'] });
  const reply = await user.ask(await user.say(await user.begin(), 'who am I?'));
  assert.equal(reply.content, 'You are u_alice to Countersign. That was proved by: vouch.');
});

test('two assertions are refused, even if both are good', async (t) => {
  const { url, privateKey } = await world(t);
  const [one, other] = [await assertion(privateKey, ALICE), await assertion(privateKey, BOB)];
  // `fetch` would make one header of them.
  const ask = async (assertions) => {
    const [answer] = await once(get(`${url}/agents`, { headers: { 'x-countersign-assertion': assertions } }), 'response');
    answer.resume();
    return answer.statusCode;
  };
  assert.deepEqual([await ask([one, other]), await ask([one, one]), await ask([one])], [401, 401, 200]);
});

test('all refusals sound the same', async (t) => {
  const { url, privateKey, otherKey } = await world(t);
  const messages = new Set();
  for (const forge of Object.values(FORGERIES)) {
    messages.add(await refused(await new Caller(url, () => forge(privateKey, otherKey)).send('GET', '/agents'), 401, 'invalid_credentials'));
  }
  assert.equal(messages.size, 1);
});

test('keys that cannot be had are no fault of the caller', async (t) => {
  const { keys, as } = await world(t);
  keys.close();
  keys.closeAllConnections();
  const answer = await as(ALICE).send('GET', '/agents');
  assert.equal(answer.headers.get('retry-after'), '1');
  await refused(answer, 503, 'unavailable');
});

function hmacSigned() {
  return new SignJWT(ALICE)
    .setProtectedHeader({ alg: 'HS256', kid: 'key-1', typ: 'caller-assertion+jwt' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(new TextEncoder().encode('a secret that both could know, long enough'));
}

function unsigned() {
  const now = Math.floor(Date.now() / 1000);
  const claims = { ...ALICE, iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 60 };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', kid: 'key-1', typ: 'caller-assertion+jwt' })}.${part(claims)}.`;
}
