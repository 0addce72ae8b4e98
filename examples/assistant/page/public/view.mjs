// What is seen. Text from elsewhere goes in as text, never as HTML.

const byId = (id) => document.getElementById(id);

/** Shows one of the two scenes. */
export function showScene(user) {
  byId('sign-in').hidden = user !== null;
  byId('room').hidden = user === null;
  byId('account').hidden = user === null;
  byId('user-name').textContent = user?.shown ?? '';
  document.title = user === null ? 'Sign in · Assistant · Countersign' : `${user.shown} · Assistant · Countersign`;
}

/** Says something to those who don't see the page. */
export function announce(text) {
  byId('status').textContent = text;
}

/** An error: what happened, and what to do. Null takes it away. */
export function showNotice(words) {
  const notice = byId('notice');
  if (words === null) return notice.replaceChildren();
  const parts = [element('h2', words.title), element('p', words.what), element('p', words.todo)];
  if (words.code !== null) parts.push(element('p', words.code, 'code'));
  notice.replaceChildren(...parts);
  notice.scrollIntoView({ block: 'nearest' });
}

/** What `/v1/me` said; null where it refused, undefined while it is asked. */
export function showProof(me) {
  const { tone, short, long } = verdict(me);
  for (const [id, text] of [['badge', short], ['verdict', long]]) {
    byId(id).textContent = text;
    byId(id).dataset.tone = tone;
  }
  const facts = me ? factsOf(me) : [];
  byId('facts').replaceChildren(...facts.flatMap(([name, value]) => [element('dt', name), element('dd', value)]));
  byId('me').textContent = me ? JSON.stringify(me, null, 2) : me === null ? 'It was refused.' : 'It isn’t there yet.';
}

function verdict(me) {
  if (me === undefined) return { tone: 'none', short: 'Asking', long: 'Countersign is being asked.' };
  if (me === null) return { tone: 'bad', short: 'Refused', long: 'Nothing. Countersign refused the call.' };
  if (!isProved(me)) return { tone: 'warn', short: 'Not proved', long: 'Nothing. You were let in all the same, for the project doesn’t demand a proof.' };
  return { tone: 'good', short: `Proved by ${methods(me)}`, long: 'You are who this page says. Your backend has proved it.' };
}

function isProved({ amr = [] }) {
  return amr.length > 0 && !amr.includes('unproved');
}

/** Methods for people; those that nobody has told this page about, as they are. */
function methods({ amr }) {
  const names = { hmac: 'HMAC', hmac_v2: 'HMAC that expires', vouch: 'a vouch of your backend' };
  return amr.map((method) => names[method] ?? method).join(', ');
}

function factsOf(me) {
  const facts = [
    ['Your id', me.external_id],
    ['Countersign’s id', me.uid],
    ['Project', me.project],
    ['Proved by', isProved(me) ? methods(me) : 'nothing'],
    ['Under the key', me.vouched_by],
  ];
  return facts.filter(([, value]) => value !== undefined);
}

/** Whether there is anybody to talk to. */
export function showTalk(isOpen) {
  byId('talk-body').hidden = !isOpen;
  byId('past-card').hidden = !isOpen;
  byId('closed').hidden = isOpen;
}

/** The agents to talk to. */
export function showAgents(agents) {
  const labels = agents.map((agent) => {
    const input = element('input');
    Object.assign(input, { type: 'radio', name: 'agent', value: agent.id });
    const label = element('label');
    label.append(input, element('strong', agent.display_name), element('small', agent.display_description));
    return label;
  });
  const fieldset = byId('agents');
  fieldset.replaceChildren(fieldset.querySelector('legend'), ...labels);
}

/** The one who is talked to. */
export function markAgent(id) {
  for (const input of byId('agents').querySelectorAll('input')) input.checked = input.value === id;
}

/** Things to say, to begin with. `onTry` is called with the one that was chosen. */
export function showTries(tries, onTry) {
  const buttons = tries.map((text) => {
    const button = element('button', text);
    button.type = 'button';
    button.addEventListener('click', () => onTry(text));
    return button;
  });
  byId('tries').replaceChildren(...buttons);
}

/** The user's conversations. `onOpen` is called with the id of the one that was chosen. */
export function showPast(interactions, current, onOpen) {
  const items = interactions.map((interaction) => {
    const button = element('button');
    button.type = 'button';
    button.append(element('span', interaction.name), element('small', saidIn(interaction)));
    if (interaction.id === current) button.setAttribute('aria-current', 'true');
    button.addEventListener('click', () => onOpen(interaction));
    return wrapped('li', button);
  });
  const list = byId('past');
  const hadFocus = list.contains(document.activeElement);
  list.replaceChildren(...(items.length > 0 ? items : [element('li', 'None yet.', 'none')]));
  if (hadFocus) list.querySelector('[aria-current]')?.focus();
}

function saidIn({ total_message_count: count, created_at: at }) {
  const time = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return `${count} ${count === 1 ? 'message' : 'messages'}, ${time}`;
}

/** The messages of a conversation; the agents have names. */
export function showMessages(messages, agentName) {
  byId('messages').replaceChildren();
  for (const message of messages) addMessage(message, agentName);
}

/** Adds a message. */
export function addMessage({ sent_by: by, content }, agentName) {
  const item = byId('message-template').content.cloneNode(true).firstElementChild;
  item.dataset.by = by;
  item.querySelector('.author').textContent = by === 'user' ? 'You' : agentName;
  item.querySelector('.content').textContent = content;
  byId('messages').append(item);
  keepInSight();
  return item;
}

/** A reply that is being said. Readers of the screen hear it when it is whole, not word by word. */
export function addReply(agentName) {
  const item = addMessage({ sent_by: 'agent', content: '' }, agentName);
  item.dataset.state = 'speaking';
  item.setAttribute('aria-busy', 'true');
  const finish = (state) => {
    item.dataset.state = state;
    item.removeAttribute('aria-busy');
  };
  return {
    say(word) {
      item.querySelector('.content').textContent += word;
      keepInSight();
    },
    done() {
      finish('said');
      announce(`${agentName}: ${item.querySelector('.content').textContent}`);
    },
    cut(why) {
      finish('cut');
      item.append(element('span', why, 'cut'));
      keepInSight();
    },
    remove() {
      item.remove();
    },
  };
}

function keepInSight() {
  const messages = byId('messages');
  messages.scrollTop = messages.scrollHeight;
}

/** While a reply comes there is something to stop, and nothing to send. */
export function showBusy(isBusy) {
  const [shown, gone] = isBusy ? [byId('stop'), byId('send')] : [byId('send'), byId('stop')];
  const hadFocus = document.activeElement === gone;
  shown.hidden = false;
  gone.hidden = true;
  if (hadFocus) shown.focus();
}

function element(name, text = '', kind = '') {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind !== '') made.className = kind;
  return made;
}

function wrapped(name, child) {
  const made = element(name);
  made.append(child);
  return made;
}
