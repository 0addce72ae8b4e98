import assert from 'node:assert/strict';

import { countersign, visit } from './visitor.mjs';

await visit(async (visitor) => {
  await visitor.signIn('Alice');
  await visitor.ask('Who am I?');

  await visitor.send('A wrong HMAC');
  const wrong = await visitor.notice('Countersign doesn’t believe this is Alice');
  assert.match(wrong, /wasn’t made with the project’s secret/);
  assert.match(wrong, /Choose “The right HMAC” to go on\./);
  assert.match(wrong, /401 invalid_credentials/);
  await visitor.proof('Countersign refused the call');
  assert.equal(await visitor.messages().count(), 0, 'something is still shown');

  await visitor.send('No HMAC');
  const none = await visitor.notice('Countersign wants a proof that this is Alice');
  assert.match(none, /Anybody can say that/);
  assert.equal(await visitor.messages().count(), 0, 'something is still shown');

  // The twin: with the right one everything is there again.
  await visitor.send('The right HMAC');
  await visitor.message('That was proved by: hmac').waitFor();
  await visitor.noNotice();

  // A stranger makes no users.
  await visitor.page.getByRole('button', { name: 'Switch user' }).click();
  await visitor.page.route('**/hmac', (route) => route.fulfill({ status: 200, headers: cors(route), json: { hmac: 'A'.repeat(43) + '=' } }));
  await visitor.signIn('Bob');
  await visitor.notice('Bob is no longer let in');
  await assert.rejects(countersign('user', 'show', 'customer-2'));
});

function cors(route) {
  return {
    'access-control-allow-origin': route.request().headers().origin,
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'content-type',
  };
}
