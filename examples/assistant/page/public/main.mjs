// Joins what is seen with what is done.

import { Backend } from './backend.mjs';
import * as view from './view.mjs';
import { Visit } from './visit.mjs';
import { explain } from './words.mjs';

const byId = (id) => document.getElementById(id);
const config = await (await fetch('config.json')).json();
const backend = new Backend(config.backend);

/** Who is here, or null. */
let user = null;
let visit = null;

/** The answer to a sign-out clears the cookie: it mustn't come after that to a sign-in. */
let signingOut = Promise.resolve();

async function enter(next) {
  visit?.leave();
  user = next;
  view.showScene(user);
  visit = new Visit({ config, backend, user, sent: document.querySelector('[name=proof]:checked').value });
  await visit.enter();
}

function leave() {
  visit?.leave();
  visit = user = null;
  view.showScene(null);
  byId('content').value = '';
}

/** Shows what goes wrong at the backend, where nobody has a visit yet. */
async function trying(act) {
  try {
    view.showNotice(null);
    await act();
  } catch (error) {
    view.showNotice(explain(error, { sent: 'right', name: user?.shown ?? 'you' }));
  }
}

for (const button of document.querySelectorAll('[data-user]')) {
  button.addEventListener('click', () =>
    trying(async () => {
      await signingOut;
      const next = await backend.signIn(button.dataset.user);
      byId('proofs').querySelector('[value=right]').checked = true;
      const entered = enter(next);
      byId('main').focus();
      await entered;
    }),
  );
}

byId('switch-user').addEventListener('click', () => {
  leave();
  signingOut = trying(() => backend.signOut());
  document.querySelector('[data-user]').focus();
});

byId('proofs').addEventListener('change', () => enter(user));
byId('agents').addEventListener('change', (event) => visit.choose(event.target.value));
byId('begin').addEventListener('click', () => visit.begin());
byId('stop').addEventListener('click', () => visit.stop());

byId('composer').addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = byId('content');
  const content = field.value;
  if (content.trim() === '') return;
  field.value = '';
  const speaking = visit;
  const isSaid = await speaking.say(content);
  // What couldn't be said isn't lost, but it is nobody else's.
  if (!isSaid && visit === speaking && field.value === '') field.value = content;
});

byId('content').addEventListener('keydown', (event) => {
  // Enter that ends the writing of a composed character sends nothing.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId('composer').requestSubmit();
});

await trying(async () => {
  const known = await backend.user();
  if (known === null) leave();
  else await enter(known);
});
