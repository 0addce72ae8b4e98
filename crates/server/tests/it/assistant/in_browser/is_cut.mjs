import assert from 'node:assert/strict';

import { countersign, visit } from './visitor.mjs';

/** A second is what the server promises, the rest is for the browser on a machine that is busy. */
const PATIENCE = 2500;

await visit(async (visitor) => {
  await visitor.signIn('Alice');
  await visitor.talkTo('Counter');
  await visitor.say('Count to 500');
  await visitor.message('1 2 3').waitFor();

  await countersign('user', 'disable', 'customer-1');
  const disabled = Date.now();
  await visitor.message('It was cut here.').waitFor();
  const took = Date.now() - disabled;
  assert.ok(took < PATIENCE, `the stream went on for ${took} ms`);
  const heard = await visitor.message('It was cut here.').locator('.content').textContent();
  assert.doesNotMatch(heard, /\b500\b/, 'it was said to its end');

  const notice = await visitor.notice('Alice is no longer let in');
  assert.match(notice, /the user was disabled/);
  await visitor.proof('Countersign refused the call');
  const { length } = heard;
  await visitor.page.waitForTimeout(500);
  assert.equal((await visitor.message('It was cut here.').locator('.content').textContent()).length, length);

  // Nobody else is concerned.
  await visitor.switchTo('Bob');
  await visitor.ask('Who am I?');

  // The twin: let in again, what was cut wasn't kept, and a reply comes to its end.
  await countersign('user', 'enable', 'customer-1');
  await visitor.page.waitForTimeout(1000);
  await visitor.switchTo('Alice');
  await visitor.proof('Your backend has proved it');
  await visitor.talkTo('Counter');
  await visitor.message('Count to 500').waitFor();
  assert.equal(await visitor.message('1 2 3').count(), 0, 'what was cut was kept');
  assert.equal(await visitor.ask('Count to 5'), '1 2 3 4 5');
});
