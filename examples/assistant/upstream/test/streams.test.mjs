// Replies word by word.

import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { ALICE, BOB, refused, world } from './world.mjs';

async function stream(caller, message, signal) {
  const body = { interaction_id: message.interaction_id };
  return caller.send('POST', `/messages/${message.id}/ask`, { body, signal, headers: { accept: 'text/event-stream, application/json;q=0.5' } });
}

async function countTo(caller, last) {
  return caller.say(await caller.begin('ag_counter'), `count to ${last}`);
}

/** Events of a text, as `[event, data]`. */
function events(text) {
  return text.split('\n\n').filter(Boolean).map((block) => {
    const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block);
    return [event, JSON.parse(data)];
  });
}

test('a reply comes word by word, and whole in the end', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const question = await countTo(alice, 5);
  const answer = await stream(alice, question);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  const all = events(await answer.text());
  assert.deepEqual(all.slice(0, -1), ['1 ', '2 ', '3 ', '4 ', '5'].map((content) => ['delta', { content }]));
  const [last, message] = all.at(-1);
  assert.deepEqual([last, message.content, message.parent_id], ['done', '1 2 3 4 5', question.id]);
  assert.deepEqual(await alice.get(`/messages/${message.id}?interaction_id=${question.interaction_id}`), message);
});

test('words come when they are said, not all at the end', async (t) => {
  const alice = (await world(t, { wordPause: 50 })).as(ALICE);
  const reader = (await stream(alice, await countTo(alice, 40))).body.getReader();
  const begun = Date.now();
  await reader.read();
  assert.ok(Date.now() - begun < 1000, 'the first word waits for the last');
  await reader.cancel();
});

test('a reply that was cut isn\'t kept', async (t) => {
  const alice = (await world(t, { wordPause: 20 })).as(ALICE);
  const question = await countTo(alice, 500);
  const cut = new AbortController();
  const reader = (await stream(alice, question, cut.signal)).body.getReader();
  await reader.read();
  cut.abort();
  await assert.rejects(reader.read(), { name: 'AbortError' });
  await pause(100);
  assert.equal((await alice.get(`/interactions/${question.interaction_id}`)).total_message_count, 2);
  // The twin: heard to its end, it is.
  const short = await countTo(alice, 2);
  await (await stream(alice, short)).text();
  assert.equal((await alice.get(`/interactions/${short.interaction_id}`)).total_message_count, 3);
});

test('one user can\'t hold all the streams', async (t) => {
  const { as } = await world(t, { wordPause: 50 });
  const [alice, bob] = [as(ALICE), as(BOB)];
  const question = await countTo(alice, 500);
  // Held on to: an answer that nobody will read is hung up on.
  const open = [];
  while (open.length < 4) open.push(await stream(alice, question));
  assert.deepEqual(open.map(({ status }) => status), [200, 200, 200, 200]);
  await refused(await stream(alice, question), 429, 'rate_limited');
  assert.equal((await stream(bob, await countTo(bob, 1))).status, 200);
  await Promise.all(open.map((answer) => answer.body.cancel()));
  // Whoever hung up may listen again.
  const one = await countTo(alice, 1);
  let after = await stream(alice, one);
  for (let tries = 0; after.status === 429 && tries < 100; tries++) {
    await pause(20);
    after = await stream(alice, one);
  }
  assert.equal(events(await after.text()).at(-1)[0], 'done');
});

test('an interaction that fills up meanwhile is an event, for the status was sent', async (t) => {
  const { as } = await world(t, { limits: { messagesOfInteraction: 2 } });
  const alice = as(ALICE);
  const all = events(await (await stream(alice, await countTo(alice, 1))).text());
  assert.deepEqual(all.at(-1)[0], 'error');
  assert.equal(all.at(-1)[1].error.code, 'conflict');
});
