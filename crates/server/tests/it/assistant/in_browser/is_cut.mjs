import assert from 'node:assert/strict';

import { A_SECOND, countersign, hmacOf, verdict, visit, within } from './visitor.mjs';

await visit(async (visitor, another) => {
  const bob = await another();
  await bob.signIn('Bob');
  await bob.talkTo('Counter');
  await bob.say('Count to 100');
  await bob.message('1 2 3').waitFor();
  await visitor.signIn('Alice');
  await visitor.talkTo('Counter');
  await visitor.say('Count to 500');
  await visitor.message('1 2 3').waitFor();

  await countersign('user', 'disable', 'customer-1');
  const disabled = Date.now();
  await visitor.message('It was cut here.').waitFor();
  const took = Date.now() - disabled;
  assert.ok(took < A_SECOND, `the stream went on for ${took} ms`);
  const heard = await visitor.message('It was cut here.').locator('.content').textContent();
  assert.doesNotMatch(heard, /\b500\b/, 'it was said to its end');

  const notice = await visitor.notice('Alice is no longer let in');
  assert.match(notice, /the user was disabled/);
  await visitor.proof('Countersign refused the call');
  const { length } = heard;
  await visitor.page.waitForTimeout(500);
  assert.equal((await visitor.message('It was cut here.').locator('.content').textContent()).length, length);

  // Nobody else is concerned.
  await bob.message('98 99 100').waitFor();
  await bob.page.getByRole('button', { name: 'Send' }).waitFor();
  assert.equal(await bob.message('It was cut here.').count(), 0);
  await bob.noNotice();

  // The twin: let in again, what was cut wasn't kept, and a reply comes to its end.
  await countersign('user', 'enable', 'customer-1');
  await within(A_SECOND, async () => (await verdict('/v1/me', 'customer-1', hmacOf('customer-1'))) === 200);
  await visitor.page.reload();
  await visitor.proof('Your backend has proved it');
  await visitor.talkTo('Counter');
  await visitor.message('Count to 500').waitFor();
  assert.equal(await visitor.message('1 2 3').count(), 0, 'what was cut was kept');
  assert.equal(await visitor.ask('Count to 5'), '1 2 3 4 5');
});
