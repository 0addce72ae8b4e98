// Too many sign in at once from one network: who asks for a passkey then is told to wait, and not that theirs is no good.

import assert from 'node:assert/strict';

import { visit } from './visitor.mjs';

await visit(async ({ app, open }) => {
  const page = await (await open()).newPage();
  await page.goto(app.address());
  const button = page.getByRole('button', { name: 'Sign in with a passkey' });
  await button.waitFor();
  const last = await page.evaluate(async () => {
    const form = document.querySelector('form[data-passkey]');
    let answer;
    do {
      const body = new URLSearchParams({ form: form.elements.form.value });
      answer = await fetch(form.dataset.question, { method: 'POST', body });
    } while (answer.ok);
    return { status: answer.status, wait: Number(answer.headers.get('retry-after')) };
  });
  assert.equal(last.status, 429);
  assert.ok(last.wait > 0 && last.wait <= 60, last.wait);
  const here = page.url();
  await button.click();
  await page.getByText('Wait a minute, then try again').waitFor();
  assert.equal(page.url(), here, 'nothing was sent');
  assert.ok(await button.isEnabled());
});
