import assert from 'node:assert/strict';

import { A_SECOND, countersign, verdict, visit, within } from './visitor.mjs';

await visit(async (visitor) => {
  await visitor.signIn('Alice');
  await visitor.proof('Your backend has proved it');

  for (const choice of ['No HMAC', 'A wrong HMAC']) {
    await visitor.send(choice);
    await visitor.proof('the project doesn’t demand a proof');
    await visitor.page.getByRole('link', { name: 'Not proved' }).waitFor();
    await visitor.noNotice();
    await visitor.page.getByRole('button', { name: 'New conversation' }).click();
    await visitor.message('I know nothing of you').waitFor();
    assert.match(await visitor.ask('Who am I?'), /^You are customer-1, .* But nobody has proved it/);
  }

  // Demanded from now on, and no longer demanded.
  const unproved = () => verdict('/v1/me', 'customer-1');
  await countersign('project', 'set', 'p1', 'hmac=required');
  await within(A_SECOND, async () => (await unproved()) === 401);
  await visitor.send('No HMAC');
  await visitor.notice('Countersign wants a proof that this is Alice');
  await countersign('project', 'set', 'p1', 'hmac=off');
  await within(A_SECOND, async () => (await unproved()) === 200);
  await visitor.send('A wrong HMAC');
  await visitor.message('But nobody has proved it').first().waitFor();
  await visitor.noNotice();
});
