import assert from 'node:assert/strict';

import { hmacOf, visit } from './visitor.mjs';

await visit(async (visitor) => {
  const { page } = visitor;
  await visitor.signIn('Alice');
  await visitor.talkTo('Counter');
  await visitor.say('Count to 400, this is a secret of Alice');
  await visitor.message('1 2 3').waitFor();
  await page.getByLabel('Your message').fill('what Alice has begun to write');

  // In the middle of the reply, which ends then and there.
  const [ended] = await Promise.all([page.waitForEvent('requestfailed'), visitor.switchTo('Bob')]);
  assert.match(ended.url(), /\/ask$/);
  await visitor.proof('customer-2');
  await visitor.message('I know nothing of you').waitFor();
  await page.waitForTimeout(1000);
  assert.equal(await visitor.message('1 2 3').count(), 0, 'the reply goes on');
  assert.equal(await page.getByRole('list', { name: 'Messages' }).getByRole('listitem').count(), 1);
  assert.equal(await page.getByLabel('Your message').inputValue(), '');
  assert.doesNotMatch(await page.locator('body').innerText(), /Alice|customer-1/);
  assert.equal((await page.getByRole('region', { name: 'Your conversations' }).innerText()).match(/message/g).length, 1);
  assert.match(await visitor.ask('Who am I?'), /^You are customer-2,/);

  // What comes late for one is not shown to the next.
  await page.getByRole('button', { name: 'Switch user' }).click();
  await visitor.delay('**/interactions*', 'customer-1', 1000);
  await visitor.signIn('Alice');
  await visitor.proof('customer-1');
  await visitor.switchTo('Bob');
  await visitor.proof('customer-2');
  await page.waitForTimeout(2000);
  assert.doesNotMatch(await page.locator('body').innerText(), /Alice|customer-1/);
  await page.unroute('**/interactions*');

  // There and back, as fast as one can.
  for (const name of ['Alice', 'Zoë', 'Bob', 'Alice']) await visitor.switchTo(name);
  await visitor.proof('customer-1');
  await visitor.talkTo('Counter');
  await visitor.message('this is a secret of Alice').waitFor();
  await visitor.noNotice();

  // No call ever named one user and brought the proof of another.
  const ids = new Set();
  for (const { headers } of visitor.calls) {
    const id = Buffer.from(headers['x-proficient-user-external-id'], 'utf8').toString('utf8');
    ids.add(id);
    assert.equal(headers['x-proficient-user-hmac'], hmacOf(id));
  }
  assert.ok(ids.has('customer-1') && ids.has('customer-2'));
});
