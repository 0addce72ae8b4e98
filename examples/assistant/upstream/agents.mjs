// The agents. They answer by rule; there is no model behind them.

import { result } from './sums.mjs';

/** Words that a reply may have. */
const COUNT_LIMIT = 500;

const MADE = Date.UTC(2026, 0, 1);

const MIRROR = agent('ag_mirror', 'Mirror', 'Tells what the gateway told this API about you.', {
  greeting: () => 'Ask me who you are. I know nothing of you but what the gateway has signed.',
  reply: (content, caller) => whoIs(caller),
});

const RECKONER = agent('ag_reckoner', 'Reckoner', 'Does sums.', {
  greeting: () => 'Give me a sum, such as 12 × (3 + 4).',
  reply: (content) => result(content) ?? 'I find no sum in that. Try 12 × (3 + 4).',
});

const COUNTER = agent('ag_counter', 'Counter', 'Counts as far as you like, and takes its time.', {
  greeting: () => 'How far shall I count? Meanwhile somebody could take your access away, and see what happens.',
  reply: (content) => countTo(Number(/\d+/.exec(content)?.[0] ?? Number.NaN)),
});

const ALL = new Map([MIRROR, RECKONER, COUNTER].map((agent) => [agent.shown.id, agent]));

/** All agents, as callers see them. */
export function agents() {
  return [...ALL.values()].map(({ shown }) => shown);
}

/** An agent with what it says, if there is one of that id. */
export function agentOf(id) {
  return ALL.get(id);
}

function agent(id, displayName, description, speech) {
  const shown = {
    id,
    object: 'agent',
    active: true,
    name: displayName.toLowerCase(),
    display_name: displayName,
    description,
    display_description: description,
    created_at: MADE,
    updated_at: MADE,
  };
  return { shown, ...speech };
}

function whoIs({ user, externalId, amr }) {
  const name = externalId === null ? `You are ${user} to Countersign.` : `You are ${externalId}, and ${user} to Countersign.`;
  if (amr.includes('unproved')) {
    return `${name} But nobody has proved it: this project lets calls through that bring no proof, so anybody could say the same.`;
  }
  return `${name} That was proved by: ${amr.join(', ')}.`;
}

function countTo(last) {
  if (!(last >= 1 && last <= COUNT_LIMIT)) return `Give me a number from 1 to ${COUNT_LIMIT}.`;
  return Array.from({ length: last }, (_, index) => index + 1).join(' ');
}
