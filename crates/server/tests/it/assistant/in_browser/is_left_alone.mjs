import assert from 'node:assert/strict';

import { countersign, visit } from './visitor.mjs';

const { UPSTREAM } = process.env;

await visit(async (visitor) => {
  await visitor.signIn('Alice');
  await visitor.message('I know nothing of you').waitFor();
  // Nothing listens on the port of discarded bytes.
  await countersign('project', 'set', 'p1', 'gateway.upstream=http://127.0.0.1:9');
  await visitor.page.waitForTimeout(1000);
  await visitor.say('Who am I?');
  const notice = await visitor.notice('The assistant is away');
  assert.match(notice, /Countersign has let you in/);
  assert.match(notice, /503 unavailable/);
  assert.equal(await visitor.page.getByLabel('Your message').inputValue(), 'Who am I?', 'what was written is lost');

  // The twin: back again, the same is answered.
  await countersign('project', 'set', 'p1', `gateway.upstream=${UPSTREAM}`);
  await visitor.page.waitForTimeout(1000);
  assert.match(await visitor.ask('Who am I?'), /proved by: hmac/);
  await visitor.noNotice();
});
