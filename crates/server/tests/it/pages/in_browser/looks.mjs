// Every page on a phone and on a desk, by day and by night: what axe says of it, that it fits, and how much it is.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { signIn, visit } from './visitor.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

await visit(async ({ app, open }) => {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
    for (const colorScheme of ['light', 'dark']) {
      for (const locale of ['en-GB', 'de-DE']) {
        const context = await open({ viewport, colorScheme, locale });
        await tour(app, context, `${viewport.width}-${colorScheme}-${locale.slice(0, 2)}`, locale === 'de-DE');
        await context.close();
      }
    }
  }
});

async function tour(app, context, name, isGerman) {
  const page = await context.newPage();
  const email = `${name}@example.com`;
  const look = (what) => inspect(context, page, what, name);
  let sent = 0;
  let requests = 0;
  page.on('response', async (answer) => {
    requests += 1;
    sent += (await answer.body().catch(() => Buffer.alloc(0))).length;
  });
  await page.goto(app.address({ client_id: 'c2', scope: 'openid profile email phone offline_access' }));
  await page.waitForLoadState('networkidle');
  assert.ok(requests <= 4 + 1, `${requests} requests, the redirect included`);
  assert.ok(sent <= 30 * 1024, `${sent} bytes`);
  await look('who');
  await page.locator('#email').fill('nobody');
  await page.locator('form').filter({ has: page.locator('#email') }).evaluate((form) => form.noValidate = true);
  await page.locator('#email').press('Enter');
  await page.getByRole('alert').waitFor();
  await look('who-wrong');
  await page.locator('#email').fill(email);
  await page.locator('#email').press('Enter');
  await page.locator('#code').waitFor();
  await look('code');
  await page.locator('#code').fill('wrong');
  await page.locator('#code').press('Enter');
  await page.getByRole('alert').waitFor();
  await look('code-wrong');
  const answer = await (await fetch(`${new URL(page.url()).origin}/dev/outbox?to=${email}`)).json();
  await page.goto(answer.messages[0].link);
  await look('link');
  await page.getByRole('button').click();
  await page.getByRole('listitem').first().waitFor();
  await look('consent');
  await page.locator('button[value=allow]').click();
  await page.getByRole('heading', { name: 'The app' }).waitFor();
  await page.goto(`${new URL(app.address()).origin}/account`);
  await page.getByRole('listitem').first().waitFor();
  await look('account');
  await makePasskey(context, page);
  await look('account-passkeys');
  await page.locator('section[aria-labelledby=passkeys] summary').click();
  await look('account-rename');
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  await look('account-open');
  await page.locator('#to-1').fill(`new-${email}`);
  await page.locator('form:has(#to-1) button').click();
  await page.locator('#code-email').waitFor();
  await page.locator('#code-email').fill('000000');
  await page.locator('button[value=prove]').click();
  await page.getByRole('alert').waitFor();
  await look('account-code');
  await page.goto(`${new URL(page.url()).origin}/account?m=passkey`);
  await look('account-wrong');
  await page.goto(app.address({ prompt: 'login' }));
  await page.locator('form[data-passkey]').waitFor();
  await page.goto(`${page.url()}?m=passkey`);
  await page.getByRole('alert').waitFor();
  await look('passkey-wrong');
  await page.goto(app.address({ prompt: 'select_account' }));
  await look('which');
  await guessAt(page, app.address({ prompt: 'login' }), `guessed-${email}`);
  await page.getByText(isGerman ? /falsche Codes/ : /Wrong codes/).waitFor();
  await look('code-guessed-at');
  await page.goto(app.address({ client_id: 'c9' }));
  await look('mistake');
  assert.equal(await page.locator('html').getAttribute('lang'), isGerman ? 'de' : 'en');
}

/** Wrong codes, so many that the next visitor is told. */
async function guessAt(page, address, email) {
  for (let code = 0; code < 5; code += 1) {
    if (await page.locator('#code').count() === 0) {
      await page.goto(address);
      await page.locator('#email').fill(email);
      await page.locator('#email').press('Enter');
    }
    await page.locator('#code').fill(`00000${code}`);
    await Promise.all([page.waitForEvent('load'), page.locator('#code').press('Enter')]);
  }
}

/** The authenticator is gone afterwards: it would sign whoever comes next in by itself. */
async function makePasskey(context, page) {
  const tools = await context.newCDPSession(page);
  await tools.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  await tools.send('WebAuthn.addVirtualAuthenticator', { options });
  await page.locator('form[data-passkey] button').click();
  await page.locator('section[aria-labelledby=passkeys] summary').waitFor();
  await tools.send('WebAuthn.disable');
  await tools.detach();
}

async function inspect(context, page, what, name) {
  const where = `${what} ${name}`;
  await page.screenshot({ path: join(process.env.PICTURES, `${what}-${name}.png`) });
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(tooWide <= 0, `${where} is ${tooWide} pixels too wide`);
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(ground, name.includes('dark') ? 'rgb(21, 24, 28)' : 'rgb(255, 255, 255)', 'the style sheet is there');
  // The page's policy lets no script in, but for the browser's own tools.
  const tools = await context.newCDPSession(page);
  await tools.send('Runtime.evaluate', { expression: AXE });
  await tools.detach();
  const { passes, violations } = await page.evaluate(() => window.axe.run());
  assert.ok(passes.length > 8, `axe has looked at nothing: ${passes.length}`);
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), [], where);
}
