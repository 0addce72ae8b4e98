// Pictures of every scene, on a desk and on a phone, by day and by night; and what axe says of each.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { visit } from './visitor.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { PICTURES } = process.env;

const PLACES = {
  desk: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

mkdirSync(PICTURES, { recursive: true });
for (const [place, how] of Object.entries(PLACES)) {
  for (const colorScheme of ['light', 'dark']) {
    await visit((visitor) => walk(visitor, `${place}-${colorScheme}`), { ...how, colorScheme });
  }
}

async function walk(visitor, where) {
  const look = (scene) => lookAt(visitor, `${where}-${scene}`);
  await visitor.page.getByRole('button', { name: 'Alice' }).waitFor();
  await look('1-sign-in');
  await visitor.signIn('Alice');
  await visitor.proof('Your backend has proved it');
  await visitor.talkTo('Mirror');
  await visitor.ask('Who am I?');
  await look('2-proved');
  await visitor.talkTo('Counter');
  await visitor.say('Count to 400');
  await visitor.message('1 2 3 4 5 6 7 8 9 10').waitFor();
  await look('3-streaming');
  await visitor.page.getByRole('button', { name: 'Stop' }).click();
  await visitor.message('You stopped it here.').last().waitFor();
  await visitor.page.getByText('The answer of GET /v1/me').click();
  await look('4-stopped');
  await visitor.send('A wrong HMAC');
  await visitor.notice('Countersign doesn’t believe this is Alice');
  await look('5-refused');
}

async function lookAt({ page, context }, name) {
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(tooWide <= 0, `${name} is ${tooWide} pixels too wide`);

  // The page's policy lets no script of others in, but for the browser's own tools.
  const tools = await context.newCDPSession(page);
  await tools.send('Runtime.evaluate', { expression: AXE });
  await tools.detach();
  const { passes, violations } = await page.evaluate(() => window.axe.run());
  assert.ok(passes.length > 15, `axe has looked at nothing: ${passes.length}`);
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  assert.deepEqual(told, [], name);
}
