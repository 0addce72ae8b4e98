// Agents, interactions and messages.

import assert from 'node:assert/strict';
import test from 'node:test';

import { ALICE, BOB, refused, world } from './world.mjs';

test('a conversation: an interaction, a question, a reply', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const before = Date.now();
  const { interaction, messages: [greeting, ...others] } = await alice.post('/interactions', { agent_id: 'ag_reckoner' });
  const { id, created_at: created, updated_at: updated, ...rest } = interaction;
  assert.match(id, /^int_[0-9a-f]{32}$/);
  assert.ok(created >= before && updated >= created);
  assert.deepEqual(rest, {
    object: 'interaction',
    agent_id: 'ag_reckoner',
    user_id: 'u_alice',
    name: 'Reckoner',
    archived: false,
    initial_turn: 'agent',
    total_message_count: 1,
  });
  assert.deepEqual([greeting.sent_by, greeting.parent_id, greeting.depth, others], ['agent', null, 0, []]);

  const question = await alice.say(id, 'What is 12 × (3 + 4)?');
  const { id: questionId, created_at: asked, ...said } = question;
  assert.match(questionId, /^msg_[0-9a-f]{32}$/);
  assert.ok(asked >= created);
  assert.deepEqual(said, {
    object: 'message',
    interaction_id: id,
    parent_id: greeting.id,
    depth: 1,
    sent_by: 'user',
    content: 'What is 12 × (3 + 4)?',
  });

  const reply = await alice.ask(question);
  assert.deepEqual([reply.sent_by, reply.parent_id, reply.depth, reply.content], ['agent', questionId, 2, '12*(3+4) = 84']);
  const all = await alice.get(`/messages?interaction_id=${id}`);
  assert.deepEqual(all, { data: [reply, question, greeting], has_more: false });
  assert.equal((await alice.get(`/interactions/${id}`)).total_message_count, 3);
  assert.deepEqual(await alice.get(`/messages/${reply.id}?interaction_id=${id}`), reply);
});

test('a question may be asked again, and a branch may begin anew', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const id = await alice.begin();
  const question = await alice.say(id, 'who am I?');
  const [first, second] = [await alice.ask(question), await alice.ask(question)];
  assert.deepEqual([first.parent_id, second.parent_id], [question.id, question.id]);
  assert.notEqual(first.id, second.id);
  assert.equal((await alice.say(id, 'and this?')).parent_id, second.id);
  assert.equal((await alice.say(id, 'and this?', { parent_id: first.id })).parent_id, first.id);
  assert.equal((await alice.say(id, 'anew', { parent_id: null })).depth, 0);
});

test('agents are listed and shown', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const { data, has_more: more } = await alice.get('/agents');
  assert.deepEqual([data.map(({ id }) => id), more], [['ag_mirror', 'ag_reckoner', 'ag_counter'], false]);
  const { id, object, active, created_at: created, ...rest } = data[0];
  assert.deepEqual([id, object, active, typeof created], ['ag_mirror', 'agent', true, 'number']);
  assert.deepEqual(Object.keys(rest), ['name', 'display_name', 'description', 'display_description', 'updated_at']);
  assert.deepEqual(await alice.get('/agents/ag_mirror'), data[0]);
});

test('a list is read page by page, newest first', async (t) => {
  const alice = (await world(t)).as(ALICE);
  const ids = [];
  for (let count = 0; count < 25; count++) ids.unshift(await alice.begin());
  const page = async (query) => {
    const { data, has_more: more } = await alice.get(`/interactions${query}`);
    return [data.map(({ id }) => id), more];
  };
  assert.deepEqual(await page(''), [ids.slice(0, 20), true]);
  assert.deepEqual(await page(`?starting_after=${ids[19]}`), [ids.slice(20), false]);
  assert.deepEqual(await page('?limit=100'), [ids, false]);
  assert.deepEqual(await page('?limit=25'), [ids, false]);
  assert.deepEqual(await page(`?limit=1&starting_after=${ids[3]}`), [[ids[4]], true]);
  assert.deepEqual(await page(`?starting_after=${ids[24]}`), [[], false]);
});

test("another user's interaction isn't there, to read or to write", async (t) => {
  const { as } = await world(t);
  const [alice, bob] = [as(ALICE), as(BOB)];
  const id = await alice.begin();
  const question = await alice.say(id, 'who am I?');
  const own = await bob.begin();
  const attacks = [
    () => bob.send('GET', `/interactions/${id}`),
    () => bob.send('GET', `/messages?interaction_id=${id}`),
    () => bob.send('GET', `/messages/${question.id}?interaction_id=${id}`),
    () => bob.send('GET', `/messages/${question.id}?interaction_id=${own}`),
    () => bob.send('POST', '/messages', { body: { interaction_id: id, content: 'hello' } }),
    () => bob.send('POST', '/messages', { body: { interaction_id: own, content: 'hello', parent_id: question.id } }),
    () => bob.send('POST', `/messages/${question.id}/ask`, { body: { interaction_id: id } }),
    () => bob.send('POST', `/messages/${question.id}/ask`, { body: { interaction_id: own } }),
  ];
  for (const attack of attacks) await refused(await attack(), 404, 'resource_not_found');
  await refused(await bob.send('GET', `/interactions?starting_after=${id}`), 400, 'invalid_request');

  assert.deepEqual((await bob.get('/interactions')).data.map((it) => it.id), [own]);
  assert.equal((await bob.get(`/interactions/${own}`)).total_message_count, 1);
  // The twin: she herself can do all of it.
  assert.equal((await alice.get(`/interactions/${id}`)).total_message_count, 2);
  assert.equal((await alice.ask(question)).parent_id, question.id);
});

test("what isn't there and what is somebody else's is answered alike", async (t) => {
  const { as } = await world(t);
  const hers = await as(ALICE).begin();
  const messages = [];
  for (const id of [hers, 'int_00000000000000000000000000000000', '__proto__']) {
    messages.push(await refused(await as(BOB).send('GET', `/interactions/${id}`), 404, 'resource_not_found'));
  }
  assert.equal(new Set(messages).size, 1);
});

test('memory has an end: the oldest interaction goes, and a full one takes no more', async (t) => {
  const { as } = await world(t, { limits: { interactionsOfUser: 2, messagesOfInteraction: 2 } });
  const alice = as(ALICE);
  const [first, second, third] = [await alice.begin(), await alice.begin(), await alice.begin()];
  assert.deepEqual((await alice.get('/interactions')).data.map(({ id }) => id), [third, second]);
  await refused(await alice.send('GET', `/interactions/${first}`), 404, 'resource_not_found');

  const question = await alice.say(third, 'who am I?');
  await refused(await alice.send('POST', '/messages', { body: { interaction_id: third, content: 'more' } }), 409, 'conflict');
  await refused(await alice.send('POST', `/messages/${question.id}/ask`, { body: { interaction_id: third } }), 409, 'conflict');
});

test('the user who was away longest is forgotten first', async (t) => {
  const { as } = await world(t, { limits: { users: 2 } });
  const [alice, bob, carol] = [as(ALICE), as(BOB), as({ ...ALICE, sub: 'u_carol' })];
  for (const caller of [alice, bob, alice, carol]) await caller.begin();
  const kept = await Promise.all([alice, bob, carol].map(async (caller) => (await caller.get('/interactions')).data.length));
  assert.deepEqual(kept, [2, 0, 1]);
});
