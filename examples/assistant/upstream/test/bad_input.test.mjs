// What callers shouldn't send: each is refused in the shape of this door, and the API goes on.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';

import { ALICE, assertion, refused, world } from './world.mjs';

const LONE_SURROGATE = '{"interaction_id":"ID","content":"\\ud800"}';

const BAD_BODIES = {
  'no JSON': '{"interaction_id":',
  'no object': '["interaction_id"]',
  nothing: '',
  null: 'null',
  'a number': '1',
  'no UTF-8': '{"interaction_id":"ID","content":"\u00e9"}',
  'no content': '{"interaction_id":"ID"}',
  'a number for content': '{"interaction_id":"ID","content":1}',
  'an object for content': '{"interaction_id":"ID","content":{"toString":"x"}}',
  'blank content': '{"interaction_id":"ID","content":" \\n\\t"}',
  'half a character': LONE_SURROGATE,
  'too much content': JSON.stringify({ interaction_id: 'ID', content: 'x'.repeat(8001) }),
  'no interaction': '{"content":"hello"}',
  'an inherited interaction': '{"__proto__":{"interaction_id":"ID"},"content":"hello"}',
  'a list for an interaction': '{"interaction_id":["ID"],"content":"hello"}',
  'a number for a parent': '{"interaction_id":"ID","content":"hello","parent_id":1}',
  'an empty parent': '{"interaction_id":"ID","content":"hello","parent_id":""}',
  'depth without end': `{"interaction_id":${'['.repeat(30_000)}`,
};

for (const [what, body] of Object.entries(BAD_BODIES)) {
  test(`a body that is ${what} is refused, and nothing is said`, async (t) => {
    const alice = (await world(t)).as(ALICE);
    const id = await alice.begin();
    const sent = Buffer.from(body.replace('ID', id), what === 'no UTF-8' ? 'latin1' : 'utf8');
    await refused(await alice.send('POST', '/messages', { body: sent }), 400, 'invalid_request');
    assert.equal((await alice.get(`/interactions/${id}`)).total_message_count, 1);
    assert.equal((await alice.say(id, 'hello')).content, 'hello');
  });
}

test('content may be as long as the limit, in any script', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const id = await alice.begin();
  for (const content of ['x'.repeat(8000), 'שלום 👋🏽 дом', '\u0000', '<script>alert(1)</script>']) {
    assert.equal((await alice.say(id, content)).content, content);
  }
});

test('a body that is too large is refused, said before or not', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const body = JSON.stringify({ interaction_id: await alice.begin(), content: 'x'.repeat(8_000_000) });
  await refused(await alice.send('POST', '/messages', { body }), 413, 'invalid_request');
  // A stream tells no length.
  await refused(await alice.send('POST', '/messages', { body: new Blob([body]).stream() }), 413, 'invalid_request');
});

test('a body is said to be JSON', async (t) => {
  const alice = (await world(t)).as(ALICE);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
    const answer = await alice.send('POST', '/interactions', { body: '{"agent_id":"ag_mirror"}', headers: { 'content-type': type } });
    await refused(answer, 400, 'invalid_request');
  }
  const said = { 'content-type': 'Application/JSON; charset=utf-8' };
  const answer = await alice.send('POST', '/interactions', { body: '{"agent_id":"ag_mirror"}', headers: said });
  assert.equal(answer.status, 200);
});

test('a limit is a number from 1 to 100, once', async (t) => {
  const alice = (await world(t)).as(ALICE);
  for (const query of ['limit=0', 'limit=101', 'limit=-1', 'limit=1.5', 'limit=1e1', 'limit=', 'limit=ten', 'limit=%31%00', 'limit=1&limit=2', 'limit=٣']) {
    await refused(await alice.send('GET', `/interactions?${query}`), 400, 'invalid_request');
  }
  for (const limit of [1, 100]) assert.deepEqual((await alice.get(`/interactions?limit=${limit}`)).data, []);
});

test('messages are those of one interaction', async (t) => {
  const alice = (await world(t)).as(ALICE);
  await refused(await alice.send('GET', '/messages'), 400, 'invalid_request');
  await refused(await alice.send('GET', '/messages?interaction_id=a&interaction_id=b'), 400, 'invalid_request');
  await refused(await alice.send('GET', '/messages?interaction_id='), 404, 'resource_not_found');
});

test('only what a user said is answered', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const { interaction, messages: [greeting] } = await alice.post('/interactions', { agent_id: 'ag_mirror' });
  const body = { interaction_id: interaction.id };
  await refused(await alice.send('POST', `/messages/${greeting.id}/ask`, { body }), 400, 'invalid_request');
});

test('there is nobody to talk to under another id', async (t) => {
  const alice = (await world(t)).as(ALICE);
  for (const id of ['ag_nobody', '__proto__', 'constructor']) {
    await refused(await alice.send('POST', '/interactions', { body: { agent_id: id } }), 404, 'resource_not_found');
    await refused(await alice.send('GET', `/agents/${id}`), 404, 'resource_not_found');
  }
  assert.deepEqual((await alice.get('/interactions')).data, []);
});

test('other paths and methods are said to be so', async (t) => {
  const alice = (await world(t)).as(ALICE);
  for (const path of ['/', '/agents/', '//agents', '/agents/a/b', '/agents/%2e', '/messages/a/asks', '/users', '/%']) {
    await refused(await alice.send('GET', path), 404, 'resource_not_found');
  }
  for (const method of ['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD']) {
    const answer = await alice.send(method, '/interactions');
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, POST']);
  }
});

test('what is no HTTP is answered with an error that can be read', async (t) => {
  const { url, as } = await world(t);
  for (const sent of ['nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nhost: a\r\nbad header: x\r\n\r\n', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n']) {
    const answer = await raw(url, sent);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(JSON.parse(answer.split('\r\n\r\n')[1]).error.code, 'invalid_request');
  }
  assert.equal((await as(ALICE).get('/agents')).has_more, false);
});

test('a target in any form is read, and nothing falls over', async (t) => {
  const { url, privateKey, as } = await world(t);
  const proof = `x-countersign-assertion: ${await assertion(privateKey, ALICE)}`;
  for (const target of ['http://[', '*', '//[', '/agents/%ff', '/agents/%', 'http://elsewhere.test/agents']) {
    const answer = await raw(url, `GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${proof}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 404 /, target);
  }
  assert.equal((await as(ALICE).get('/agents')).has_more, false);
});

async function raw(url, text) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.setEncoding('utf8');
  socket.write(text);
  let answer = '';
  socket.on('data', (more) => {
    answer += more;
  });
  await once(socket, 'close');
  return answer;
}
