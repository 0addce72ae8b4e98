import assert from 'node:assert/strict';

import { A_SECOND, countersign, hmacOf, verdict, visit, within } from './visitor.mjs';

const { UPSTREAM } = process.env;

await visit(async (visitor) => {
  await visitor.signIn('Alice');
  await visitor.message('I know nothing of you').waitFor();
  const agents = () => verdict('/agents', 'customer-1', hmacOf('customer-1'));
  // Nothing listens on the port of discarded bytes.
  await countersign('project', 'set', 'p1', 'gateway.upstream=http://127.0.0.1:9');
  await within(A_SECOND, async () => (await agents()) === 503);
  await visitor.say('Who am I?');
  const notice = await visitor.notice('The assistant is away');
  assert.match(notice, /Countersign has let you in/);
  assert.match(notice, /503 unavailable/);
  assert.equal(await visitor.page.getByLabel('Your message').inputValue(), 'Who am I?', 'what was written is lost');

  // The twin: back again, the same is answered.
  await countersign('project', 'set', 'p1', `gateway.upstream=${UPSTREAM}`);
  await within(A_SECOND, async () => (await agents()) === 200);
  assert.match(await visitor.ask('Who am I?'), /proved by: hmac/);
  await visitor.noNotice();
});
