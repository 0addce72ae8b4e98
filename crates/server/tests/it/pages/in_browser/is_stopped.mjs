// What stops a person: each time a sentence that says what to do.

import assert from 'node:assert/strict';

import { APP, mail, messages, signIn, visit } from './visitor.mjs';

await visit(async ({ app, open }) => {
  const context = await open();
  const page = await context.newPage();
  const heading = (name) => page.getByRole('heading', { name }).waitFor();

  // The back button, after signing in.
  await page.goto(app.address());
  await signIn(page, 'ada@example.com');
  await heading('The app');
  await page.goBack();
  await heading('This sign-in is over');
  assert.match(await page.getByRole('main').textContent(), /Go back to the app and begin again/);

  // A reload asks for the page again, and sends nothing a second time.
  await page.goto(app.address({ prompt: 'login' }));
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await heading('Check your mail');
  const { code } = await mail('ada@example.com');
  const sent = (await messages('ada@example.com')).length;
  await page.reload();
  await heading('Check your mail');
  assert.equal((await messages('ada@example.com')).length, sent);

  // A wrong code.
  await page.getByLabel('Code, 6 digits').fill(code === '000000' ? '000001' : '000000');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  assert.match(await page.getByRole('alert').textContent(), /you can try 4 more times/);
  await page.getByLabel('Code, 6 digits').fill(code);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await heading('The app');

  // An old form, sent after all.
  await page.goto(app.address({ prompt: 'login' }));
  await page.getByLabel('E-mail address').waitFor();
  await context.clearCookies();
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await heading('This sign-in is over');

  // The link of a message, in another browser.
  await page.goto(app.address());
  await page.getByLabel('E-mail address').fill('bob@example.com');
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await heading('Check your mail');
  const { link } = await mail('bob@example.com');
  const elsewhere = await (await open()).newPage();
  await elsewhere.goto(link);
  await elsewhere.getByRole('heading', { name: 'Open this link in the other browser' }).waitFor();

  // An app that isn't known.
  await page.goto(app.address({ client_id: 'c9' }));
  await heading('The app made a mistake');

  // A page of somebody else's that frames ours shows nothing.
  await page.goto(`${new URL(app.address({})).origin}/account`);
  const evil = await (await open()).newPage();
  await evil.goto(`${APP}/callback`);
  await evil.evaluate((address) => {
    document.body.append(Object.assign(document.createElement('iframe'), { src: address }));
  }, app.address());
  await evil.waitForTimeout(500);
  const framed = evil.frames().at(-1);
  assert.equal(await framed.getByLabel('E-mail address').count(), 0);
}, ['frame-ancestors']);
