import assert from 'node:assert/strict';

import { visit } from './visitor.mjs';

const ATTACKS = ['<img src=x onerror="window.ran = true">', '<script>window.ran = true</script>', '<style>body { display: none }</style>', '"><b>bold</b>'];

await visit(async (visitor) => {
  const { page } = visitor;
  await visitor.signIn('Alice');
  for (const attack of ATTACKS) {
    await visitor.ask(attack);
    assert.equal(await visitor.message(attack).locator('.content').first().textContent(), attack);
  }
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('#messages :is(img, script, style, b)').count(), 0);
  await page.reload();
  await visitor.message(ATTACKS[0]).waitFor();
  assert.equal(await page.evaluate(() => window.ran), undefined);

  // Were a mistake made in the page, its policy would still refuse.
  const refused = page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<b>bold</b>'));
  await assert.rejects(refused, /TrustedHTML/);
  visitor.complaints = visitor.complaints.filter((complaint) => !complaint.includes('TrustedHTML'));
});
