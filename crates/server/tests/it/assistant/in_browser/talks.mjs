import assert from 'node:assert/strict';

import { FACTS, countersign, hmacOf, visit } from './visitor.mjs';

await visit(async (visitor) => {
  const { page } = visitor;
  // Faster than the page, which goes there by itself.
  await visitor.delay('**/interactions', 'customer-1', 700);
  await visitor.signIn('Alice');
  await visitor.talkTo('Mirror');
  await page.unroute('**/interactions');
  await visitor.message('I know nothing of you').waitFor();
  await page.locator('#past').getByText('1 message').waitFor();
  assert.equal(await page.locator('#past').getByRole('button').count(), 1);

  const proof = await visitor.proof('Your backend has proved it');
  assert.match(proof, /customer-1/);
  await page.getByRole('link', { name: 'Proved by HMAC' }).waitFor();

  // The API behind the gateway was told the same, under a signature.
  const uid = /u_[0-9A-Z]{26}/.exec(proof)[0];
  const reply = await visitor.ask('Who am I?');
  assert.equal(reply, `You are customer-1, and ${uid} to Countersign. That was proved by: hmac.`);
  assert.match(await countersign('user', 'show', 'customer-1'), new RegExp(uid));

  await visitor.talkTo('Reckoner');
  assert.equal(await visitor.ask('What is 12 × (3 + 4)?'), '12*(3+4) = 84');

  // What was said is still there for the same user.
  await page.reload();
  await visitor.message('That was proved by').waitFor();
  await visitor.talkTo('Reckoner');
  await visitor.message('12*(3+4) = 84').waitFor();

  for (const { headers } of visitor.calls) {
    const sent = ['api-key', 'user-external-id', 'user-hmac'].map((name) => headers[`x-proficient-${name}`]);
    assert.deepEqual(sent, [FACTS.publishable_key, 'customer-1', hmacOf('customer-1')]);
  }

  // An id beyond ASCII is sent by browsers as Latin-1, and proved as UTF-8.
  await visitor.switchTo('Zoë');
  assert.match(await visitor.ask('Who am I?'), /^You are zoë-3, and u_\w+ to Countersign\. That was proved by: hmac\.$/);
  assert.match(await countersign('user', 'show', 'zoë-3'), /u_/);
});
