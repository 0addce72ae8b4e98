// A person makes a passkey, signs in by it by the button and from the field of the address, and takes it away again.

import assert from 'node:assert/strict';

import { APP, readAll, signIn, visit } from './visitor.mjs';

await visit(async ({ app, open }) => {
  const context = await open();
  const page = await context.newPage();
  const account = `${new URL(app.address()).origin}/account`;
  const heading = (name) => page.getByRole('heading', { name }).waitFor();
  const button = page.getByRole('button', { name: 'Sign in with a passkey' });
  const tools = await context.newCDPSession(page);
  await tools.send('WebAuthn.enable');
  const { authenticatorId } = await tools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const set = (name, options) => tools.send(`WebAuthn.${name}`, { authenticatorId, ...options });
  // The authenticator answers at once whatever is asked. Whoever is to press the button has a browser that offers nothing by itself, or the field
  // of the address would be quicker.
  await page.addInitScript(() => {
    const kind = window.PublicKeyCredential;
    if (kind && localStorage.getItem('offers-nothing')) kind.isConditionalMediationAvailable = async () => false;
  });
  const offers = (something) => page.evaluate((nothing) => {
    if (nothing) localStorage.setItem('offers-nothing', 'yes');
    else localStorage.removeItem('offers-nothing');
  }, !something);

  // Signed in by a code, and a passkey is made.
  await page.goto(account);
  await signIn(page, 'ada@example.com');
  await heading('Your account');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('not used yet').waitFor();
  const { credentials } = await set('getCredentials');
  assert.equal(credentials.length, 1);
  assert.deepEqual([credentials[0].rpId, credentials[0].isResidentCredential], ['localhost', true]);

  // One authenticator holds one of each user.
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('No passkey was made').waitFor();
  assert.equal((await set('getCredentials')).credentials.length, 1);

  // Signed out, and in again by the button.
  const leave = async () => {
    await page.goto(account);
    await page.getByRole('button', { name: 'Sign out there' }).first().click();
    await heading('You are signed out');
  };
  await leave();
  await offers(false);
  await page.goto(app.address({ state: 's-button' }));
  await button.click();
  await heading('The app');
  const first = await app.redeem(app.answers.at(-1).code);
  assert.equal(first.status, 200);
  const said = JSON.parse(Buffer.from(first.id_token.split('.')[1], 'base64url'));
  assert.deepEqual(said.amr, ['hwk', 'user', 'mfa']);
  assert.equal(said.acr, 'urn:countersign:acr:two-factors');

  // From the field of the address: the browser offers it there, and the person takes it.
  await leave();
  await offers(true);
  await page.goto(app.address({ state: 's-field' }));
  await heading('The app');
  assert.equal(app.answers.at(-1).state, 's-field');
  assert.equal((await app.redeem(app.answers.at(-1).code)).status, 200);

  // After a code was sent.
  await leave();
  await offers(false);
  await page.goto(app.address({ state: 's-after' }));
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await heading('Check your mail');
  await button.click();
  await heading('The app');
  assert.equal(app.answers.at(-1).state, 's-after');

  // Who isn't verified shows none, and can try again.
  await leave();
  await page.goto(app.address({ state: 's-unverified' }));
  await set('setUserVerified', { isUserVerified: false });
  await button.click();
  await page.getByText('No passkey was shown').waitFor();
  await heading('Sign in');
  assert.equal(await button.isEnabled(), true);
  await set('setUserVerified', { isUserVerified: true });
  await button.click();
  await heading('The app');
  assert.equal(app.answers.at(-1).state, 's-unverified');

  // A passkey that the server no longer has: the page says so, once the browser has shown it.
  await page.goto(account);
  // Locked out, it has signed out here; let in again from where a code signed in, it signs in here.
  await page.getByRole('button', { name: 'Lock out the passkey' }).click();
  await heading('Sign in');
  await page.goto(app.address({ state: 's-locked-out' }));
  await button.click();
  await page.getByText('This passkey can’t be used here').or(page.getByText("This passkey can't be used here")).waitFor();
  await page.goto(account);
  await readAll('ada@example.com');
  await signIn(page, 'ada@example.com');
  await page.getByText('locked out', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Let the passkey in again' }).click();
  await page.getByRole('button', { name: 'Lock out the passkey' }).waitFor();
  await leave();
  await page.goto(app.address({ state: 's-let-in' }));
  await button.click();
  await heading('The app');
  assert.equal(app.answers.at(-1).state, 's-let-in');
  await page.goto(account);
  await page.getByRole('button', { name: 'Remove the passkey' }).click();
  await heading('Sign in');
  await page.goto(app.address({ state: 's-removed' }));
  await button.click();
  await page.getByText('This passkey can’t be used here').or(page.getByText("This passkey can't be used here")).waitFor();

  // A page of another name asks for our passkeys, and the browser gives it none.
  const elsewhere = await context.newPage();
  await elsewhere.goto(`${APP}/callback`);
  const refused = await elsewhere.evaluate(async () => {
    const publicKey = { challenge: new Uint8Array(32), rpId: 'localhost', userVerification: 'required' };
    return navigator.credentials.get({ publicKey }).then(() => 'shown', (problem) => problem.name);
  });
  assert.equal(refused, 'SecurityError');

  // Where no script runs nobody is offered what won't work.
  const plain = await (await open({ javaScriptEnabled: false })).newPage();
  await plain.goto(app.address());
  await plain.getByLabel('E-mail address').waitFor();
  assert.equal(await plain.getByRole('button', { name: 'Sign in with a passkey' }).count(), 0);
});
