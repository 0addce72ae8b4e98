import assert from 'node:assert/strict';

import { countersign, visit } from './visitor.mjs';

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

  // Demanded from now on, within a second, and no longer demanded.
  await countersign('project', 'set', 'p1', 'hmac=required');
  await within(1500, () => refused(visitor));
  await countersign('project', 'set', 'p1', 'hmac=off');
  await within(1500, () => letIn(visitor));
});

async function refused(visitor) {
  await visitor.send('The right HMAC');
  await visitor.send('No HMAC');
  await visitor.page.locator('#verdict:not([data-tone=none])').waitFor();
  return (await visitor.page.locator('#verdict').getAttribute('data-tone')) === 'bad';
}

async function letIn(visitor) {
  return !(await refused(visitor));
}

async function within(patience, isSo) {
  const end = Date.now() + patience;
  while (!(await isSo())) assert.ok(Date.now() < end, 'it took too long');
}
