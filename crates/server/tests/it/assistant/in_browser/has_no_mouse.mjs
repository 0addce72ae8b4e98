import assert from 'node:assert/strict';

import { visit } from './visitor.mjs';

await visit(async (visitor) => {
  const { page } = visitor;
  const { keyboard } = page;
  const isIdle = () => page.getByRole('button', { name: 'Send' }).waitFor();
  const tabTo = async (name) => {
    for (let steps = 0; steps < 40; steps++) {
      await keyboard.press('Tab');
      const focused = await focus(page);
      if (!focused.name.includes(name)) continue;
      assert.ok(focused.isVisible, `the focus on ${name} can't be seen`);
      return;
    }
    assert.fail(`no key leads to ${name}`);
  };
  await page.getByRole('button', { name: 'Alice' }).waitFor();
  await keyboard.press('Tab');
  assert.match((await focus(page)).name, /Go to the conversation/);
  await tabTo('Alice');
  await keyboard.press('Enter');
  await visitor.message('I know nothing of you').waitFor();

  await tabTo('MirrorTells');
  await keyboard.press('ArrowRight');
  await visitor.message('Give me a sum').waitFor();
  await tabTo('Your message');
  await keyboard.type('1 + 1');
  await keyboard.press('Enter');
  await visitor.message('1+1 = 2').waitFor();
  // Whoever doesn't see the page is told the reply, whole.
  await page.getByRole('status').filter({ hasText: 'Reckoner: 1+1 = 2' }).waitFor();
  await isIdle();

  await keyboard.type('one line');
  await keyboard.press('Shift+Enter');
  await keyboard.type('and another: 2 + 2');
  await keyboard.press('Enter');
  await visitor.message('2+2 = 4').waitFor();
  await isIdle();
  assert.equal(await visitor.message('one line').locator('.content').first().textContent(), 'one line\nand another: 2 + 2');

  await tabTo('The right HMAC');
  await keyboard.press('ArrowDown');
  await visitor.notice('Countersign doesn’t believe this is Alice');
  await keyboard.press('ArrowUp');
  await visitor.noNotice();
  await visitor.message('I know nothing of you').waitFor();

  // The focus stays where it was, or a key would lead nowhere.
  await tabTo('MirrorTells');
  for (const said of ['Give me a sum', 'How far shall I count?']) {
    await keyboard.press('ArrowRight');
    await visitor.message(said).waitFor();
  }
  await tabTo('Your message');
  await keyboard.type('Count to 400');
  await keyboard.press('Enter');
  await visitor.message('1 2 3').waitFor();
  await tabTo('Stop');
  await keyboard.press('Enter');
  await visitor.message('You stopped it here.').waitFor();
  await isIdle();
  assert.equal((await focus(page)).name, 'Send');

  await tabTo('Mirror1 message');
  await keyboard.press('Enter');
  await visitor.message('I know nothing of you').waitFor();
  assert.match((await focus(page)).name, /^Mirror1 message/);
});

/** What has the focus, and whether that can be seen. */
function focus(page) {
  return page.evaluate(() => {
    const it = document.activeElement;
    if (it === document.body) return { name: '' };
    const label = it.labels?.[0]?.textContent ?? it.getAttribute('aria-label') ?? it.textContent;
    const shown = it.matches('.agents input') ? it.closest('label') : it;
    const { outlineStyle, outlineWidth } = getComputedStyle(shown);
    return { name: label, isVisible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
  });
}
