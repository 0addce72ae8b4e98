// A person signs in by keyboard, lets another app in, opens a link from a message, and signs out.

import assert from 'node:assert/strict';

import { mail, signIn, visit } from './visitor.mjs';

await visit(async ({ app, open }) => {
  const context = await open();
  const page = await context.newPage();
  const { keyboard } = page;

  // By keyboard alone, as whoever uses a screen reader does.
  await page.goto(app.address());
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'email');
  await keyboard.type('ada@example.com');
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'code');
  const { code } = await mail('ada@example.com');
  await keyboard.type(code);
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'The app' }).waitFor();
  const first = app.answers.at(-1);
  assert.equal(first.state, 's-1');
  assert.equal(first.referer, undefined, 'the app doesn’t learn from where');
  assert.equal((await app.redeem(first.code)).status, 200);

  // Signed in already: no question.
  await page.goto(app.address({ state: 's-2' }));
  await page.getByRole('heading', { name: 'The app' }).waitFor();
  assert.equal(app.answers.at(-1).state, 's-2');

  // An app of somebody else's, whose answer comes in a form that sends itself.
  await page.goto(app.address({ client_id: 'c2', scope: 'openid profile', response_mode: 'form_post' }));
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  await page.getByRole('heading', { name: 'The app' }).waitFor();
  const second = app.answers.at(-1);
  assert.equal(second.method, 'POST');
  assert.equal((await app.redeem(second.code, 'c2')).status, 200);

  // By a form of the app's, from another site.
  const parameters = new URL(app.address({ state: 's-3' })).searchParams;
  await page.evaluate(([action, fields]) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action });
    for (const [name, value] of fields) form.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(form);
    form.submit();
  }, [app.address().split('?')[0], [...parameters]]);
  await page.waitForURL(/state=s-3/);
  assert.equal(app.answers.at(-1).state, 's-3');

  // The account, where the app that was allowed something can be told to forget it.
  await page.goto(`${new URL(app.address()).origin}/account`);
  const consents = page.getByRole('region', { name: 'Apps that you allowed' });
  assert.match(await consents.textContent(), /It may: know that it is you, see your name/);
  await consents.getByRole('button', { name: 'Take back what A client may' }).click();
  await consents.waitFor({ state: 'detached' });
  await page.goto(app.address({ client_id: 'c2', scope: 'openid profile' }));
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  await page.waitForURL(/code=/);

  // And where the app can be signed out.
  await page.goto(`${new URL(app.address()).origin}/account`);
  await page.getByText('this browser').waitFor();
  const places = page.getByRole('listitem');
  const before = await places.count();
  await page.getByRole('button', { name: 'Sign out there' }).last().click();
  await page.waitForFunction((count) => document.querySelectorAll('.rows li').length === count, before - 1);
  await page.getByRole('button', { name: 'Sign out there' }).first().click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();

  // The link of a message, in another tab of the same browser.
  await page.goto(app.address());
  await page.getByLabel('E-mail address').fill('bob@example.com');
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  const { link } = await mail('bob@example.com');
  const tab = await context.newPage();
  await tab.goto(link);
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
  await tab.getByRole('heading', { name: 'The app' }).waitFor();
  assert.equal((await app.redeem(app.answers.at(-1).code)).status, 200);
  await page.reload();
  await page.getByRole('heading', { name: 'This sign-in is over' }).waitFor();

  // Another browser is another person.
  const other = await (await open()).newPage();
  await other.goto(app.address());
  await signIn(other, 'carol@example.com');
  await other.getByRole('heading', { name: 'The app' }).waitFor();
});
