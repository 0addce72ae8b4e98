// The client that the page uses, against a server that says what a test wants said.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';

import { Client, Cut, Refusal, Unreachable } from '../public/client.mjs';

/** A server that answers with `answer(request, response)`, and what it was sent. */
async function server(t, answer) {
  const heard = [];
  const listener = createServer((request, response) => {
    heard.push(request);
    answer(request, response);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => {
    listener.close();
    listener.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${listener.address().port}`, heard };
}

function client(url, userHmac, signal = new AbortController().signal) {
  return new Client({ url, apiKey: 'pk_demo', userExternalId: 'customer-1', userHmac, signal });
}

function json(response, status, value, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

const REFUSED = { error: { code: 'invalid_credentials', message: 'No.' } };
const NEVER_ASKED = () => assert.fail('nobody needs a proof');

test('every call names the project, the user and the proof, which is fetched once', async (t) => {
  const { url, heard } = await server(t, (request, response) => json(response, 200, { data: [] }));
  let fetched = 0;
  const alice = client(url, async () => `proof-${++fetched}`);
  await Promise.all([alice.agents(), alice.interactions(), alice.me()]);
  assert.equal(fetched, 1);
  for (const { headers } of heard) {
    const sent = ['api-key', 'user-external-id', 'user-hmac'].map((name) => headers[`x-proficient-${name}`]);
    assert.deepEqual(sent, ['pk_demo', 'customer-1', 'proof-1']);
    assert.equal(headers.cookie, undefined);
  }
});

test('no proof is no header, not an empty one', async (t) => {
  const { url, heard } = await server(t, (request, response) => json(response, 200, { data: [] }));
  await client(url, () => null).agents();
  assert.ok(!('x-proficient-user-hmac' in heard[0].headers));
});

test('a proof that was retired is fetched anew, once', async (t) => {
  let good = 'proof-1';
  const { url, heard } = await server(t, (request, response) => {
    const isGood = request.headers['x-proficient-user-hmac'] === good;
    json(response, isGood ? 200 : 401, isGood ? { data: [] } : REFUSED);
  });
  let fetched = 0;
  const alice = client(url, async () => `proof-${++fetched}`);
  await alice.agents();
  good = 'proof-2';
  await alice.agents();
  assert.deepEqual([fetched, heard.length], [2, 3]);
});

test('a proof that is refused is not sent again and again', async (t) => {
  const { url, heard } = await server(t, (request, response) => json(response, 401, REFUSED));
  const alice = client(url, async () => 'wrong');
  await assert.rejects(alice.agents(), { name: 'Refusal', status: 401, code: 'invalid_credentials', message: 'No.' });
  assert.equal(heard.length, 1);
});

test('a proof that couldn\'t be fetched is asked for again by the next call', async (t) => {
  const { url, heard } = await server(t, (request, response) => json(response, 200, { data: [] }));
  const answers = [Promise.reject(new Error('the backend is away')), Promise.resolve('proof')];
  const alice = client(url, () => answers.shift());
  await assert.rejects(alice.agents(), /the backend is away/);
  assert.equal(heard.length, 0);
  assert.deepEqual(await alice.agents(), []);
});

test('the proof of one user can\'t be sent for another', async (t) => {
  const { url, heard } = await server(t, (request, response) => json(response, 200, { data: [] }));
  for (const id of ['customer-1', 'customer-2']) {
    const one = { url, apiKey: 'pk_demo', userExternalId: id, userHmac: async () => `proof of ${id}`, signal: new AbortController().signal };
    await new Client(one).agents();
  }
  const pairs = heard.map(({ headers }) => [headers['x-proficient-user-external-id'], headers['x-proficient-user-hmac']]);
  assert.deepEqual(pairs, [['customer-1', 'proof of customer-1'], ['customer-2', 'proof of customer-2']]);
});

test('an error that isn\'t of this door is an error all the same', async (t) => {
  const { url } = await server(t, (request, response) => {
    response.writeHead(502, { 'content-type': 'text/html', 'retry-after': '7' });
    response.end('<h1>Bad Gateway</h1>');
  });
  await assert.rejects(client(url, () => null).agents(), { name: 'Refusal', status: 502, code: 'unknown', retryAfter: '7' });
});

test('a server that is away is unreachable', async (t) => {
  const { url } = await server(t, (request) => request.socket.destroy());
  await assert.rejects(client(url, () => null).agents(), Unreachable);
});

const MESSAGE = { id: 'msg_1', interaction_id: 'int_1' };

function events(response, text) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(text);
}

test('a reply is heard word by word, and given whole', async (t) => {
  const { url, heard } = await server(t, (request, response) => {
    events(response, ': hello\n\nevent: delta\ndata: {"content":"one "}\n\nevent: del');
    response.end('ta\r\ndata: {"content":\r\ndata: "two"}\r\n\r\nevent: done\ndata: {"id":"msg_2"}\n\n');
  });
  const words = [];
  assert.deepEqual(await client(url, () => null).ask(MESSAGE, (word) => words.push(word)), { id: 'msg_2' });
  assert.deepEqual(words, ['one ', 'two']);
  assert.deepEqual([heard[0].url, heard[0].headers.accept], ['/messages/msg_1/ask', 'text/event-stream']);
});

test('a reply without an end was cut, however the connection ended', async (t) => {
  const ends = [(response) => response.end(), (response) => response.destroy()];
  for (const end of ends) {
    const { url } = await server(t, (request, response) => {
      events(response, 'event: delta\ndata: {"content":"one "}\n\n');
      setTimeout(() => end(response), 50);
    });
    const words = [];
    await assert.rejects(client(url, () => null).ask(MESSAGE, (word) => words.push(word)), Cut);
    assert.deepEqual(words, ['one ']);
  }
});

test('an error in a stream is a refusal', async (t) => {
  const { url } = await server(t, (request, response) => {
    events(response, 'event: error\ndata: {"error":{"code":"conflict","message":"Full."}}\n\n');
    response.end();
  });
  await assert.rejects(client(url, () => null).ask(MESSAGE, NEVER_ASKED), { name: 'Refusal', code: 'conflict', message: 'Full.' });
});

test('who stops or leaves hears no more, and that is no error of the server', async (t) => {
  const { url } = await server(t, (request, response) => events(response, 'event: delta\ndata: {"content":"one "}\n\n'));
  for (const who of ['stops', 'leaves']) {
    const [leaving, stopping] = [new AbortController(), new AbortController()];
    const alice = client(url, () => null, leaving.signal);
    const stop = () => (who === 'stops' ? stopping : leaving).abort();
    await assert.rejects(alice.ask(MESSAGE, stop, stopping.signal), { name: 'AbortError' });
  }
});

test('ids can\'t lead to another path', async (t) => {
  const { url, heard } = await server(t, (request, response) => json(response, 200, { data: [] }));
  await client(url, () => null).messages('../agents?x=&interaction_id=int_2');
  assert.equal(heard[0].url, '/messages?interaction_id=..%2Fagents%3Fx%3D%26interaction_id%3Dint_2&limit=100');
});

test('every refusal has words for people: what happened, and what to do', async () => {
  const { explain } = await import('../public/words.mjs');
  const statuses = [400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 504];
  const errors = [...statuses.map((status) => new Refusal(status, 'code', 'Message.')), new Unreachable(''), new Cut('')];
  for (const error of errors) {
    for (const sent of ['right', 'wrong', 'none']) {
      const { title, what, todo } = explain(error, { sent, name: 'Alice' });
      for (const words of [title, what, todo]) assert.ok(words.length > 5 && !words.includes('undefined'), `${error.name} ${words}`);
    }
  }
  const titles = ['right', 'wrong', 'none'].map((sent) => explain(errors[1], { sent, name: 'Alice' }).title);
  assert.equal(new Set(titles).size, 3);
});
