// The outbox on a phone and on a desk, by day and by night: what axe says of it, and that whoever only looks gets around in it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { BROWSER, OUTBOX } = process.env;

// Chromium can't put itself into a sandbox as root.
const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: BROWSER, args });
try {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
    for (const colorScheme of ['light', 'dark']) {
      await look(`${viewport.width} ${colorScheme}`, await browser.newContext({ viewport, colorScheme }));
    }
  }
} finally {
  await browser.close();
}

async function look(name, context) {
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  await page.goto(OUTBOX);
  assert.equal(await page.getByRole('article').count(), 3, name);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(tooWide <= 0, `${name} is ${tooWide} pixels too wide`);
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(ground, name.endsWith('dark') ? 'rgb(21, 24, 28)' : 'rgb(255, 255, 255)', 'the style sheet is there');

  // The page's policy lets no script in, but for the browser's own tools.
  const tools = await context.newCDPSession(page);
  await tools.send('Runtime.evaluate', { expression: AXE });
  await tools.detach();
  const { passes, violations } = await page.evaluate(() => window.axe.run());
  assert.ok(passes.length > 10, `axe has looked at nothing: ${passes.length}`);
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(grave.map(({ id }) => id), [], name);

  // By keyboard alone: what isn't asked for goes away.
  await page.getByRole('textbox', { name: 'To' }).focus();
  await page.keyboard.type('+15551234567');
  await page.keyboard.press('Enter');
  await page.waitForURL(/to=/);
  assert.equal(await page.getByRole('article').count(), 1, name);
  await page.getByText('402913', { exact: true }).waitFor();
  assert.deepEqual(complaints.filter((it) => !it.includes('favicon')), []);
}
