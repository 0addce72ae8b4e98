import assert from 'node:assert/strict';

import { FACTS, visit } from './visitor.mjs';

const { PAGE } = process.env;

await visit(async (visitor) => {
  const seen = await network(visitor);
  await visitor.page.reload();
  await visitor.signIn('Alice');
  await visitor.ask('Who am I?');
  await visitor.send('A wrong HMAC');
  await visitor.notice('Countersign doesn’t believe this is Alice');

  assert.notEqual(new URL(PAGE).origin, FACTS.url, 'the page comes from the same origin');
  const preflights = [...seen.values()].filter(({ method }) => method === 'OPTIONS');
  const paths = new Set(preflights.map(({ url }) => new URL(url).pathname.replace(/msg_\w+/, '{id}')));
  for (const path of ['/v1/me', '/agents', '/interactions', '/messages', '/messages/{id}/ask']) {
    assert.ok(paths.has(path), `${path} wasn't preflighted: ${[...paths]}`);
  }
  for (const { url, headers, status, answer } of preflights) {
    assert.equal(Math.floor(status / 100), 2, url);
    const sent = Object.keys(headers).filter((name) => /^x-(proficient|countersign)|^cookie$|^authorization$/i.test(name));
    assert.deepEqual(sent, [], 'a preflight carries no key');
    assert.ok(answer['access-control-allow-origin'], url);
    // There are no cookies at this door, so no page may send any.
    assert.equal(answer['access-control-allow-credentials'], undefined, url);
  }

  // A refusal must be readable, or the page couldn't say what it was.
  const refused = [...seen.values()].filter(({ status }) => status === 401);
  assert.ok(refused.length > 0);
  for (const { answer } of refused) assert.ok(answer['access-control-allow-origin']);
});

/** What goes over the wire to Countersign. Only the browser's own tools show preflights. */
async function network(visitor) {
  const tools = await visitor.context.newCDPSession(visitor.page);
  const seen = new Map();
  const of = (id) => seen.get(id) ?? seen.set(id, { headers: {}, answer: {} }).get(id);
  tools.on('Network.requestWillBeSent', ({ requestId, request }) => {
    Object.assign(of(requestId), { url: request.url, method: request.method });
  });
  tools.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers }) => Object.assign(of(requestId).headers, lowered(headers)));
  tools.on('Network.responseReceived', ({ requestId, response }) => {
    Object.assign(of(requestId), { status: response.status, answer: lowered(response.headers) });
  });
  await tools.send('Network.enable');
  return { values: () => [...seen.values()].filter(({ url }) => url?.startsWith(FACTS.url)) };
}

function lowered(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
