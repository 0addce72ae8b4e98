// Interactions and messages, in memory. Each user's are apart from everybody else's: whatever is looked up is looked up
// among the caller's own.

import { randomBytes } from 'node:crypto';

import { Problem, notFound } from './problem.mjs';

/** So that nobody fills the memory. The oldest goes; an interaction that is full stays as it is. */
const LIMITS = { users: 10_000, interactionsOfUser: 100, messagesOfInteraction: 1000 };

export class Store {
  #interactionsOf = new Map();
  #limits;
  #now;

  constructor({ now = Date.now, limits = {} } = {}) {
    this.#now = now;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** A user's interactions, newest first. */
  interactions(user) {
    return [...this.#of(user).values()].map(({ interaction }) => interaction).reverse();
  }

  interaction(user, id) {
    return this.#entry(user, id).interaction;
  }

  /** Begins an interaction. An agent that greets has the first turn. */
  begin(user, agent) {
    const now = this.#now();
    const interaction = {
      id: newId('int'),
      object: 'interaction',
      agent_id: agent.id,
      user_id: user,
      name: agent.display_name,
      archived: false,
      initial_turn: 'agent',
      total_message_count: 0,
      created_at: now,
      updated_at: now,
    };
    const entry = { interaction, messages: new Map() };
    keep(this.#mine(user), interaction.id, entry, this.#limits.interactionsOfUser);
    return entry;
  }

  /** Messages of an interaction, newest first. */
  messages(user, interactionId) {
    return [...this.#entry(user, interactionId).messages.values()].reverse();
  }

  message(user, interactionId, id) {
    return this.#entry(user, interactionId).messages.get(id) ?? missing('message');
  }

  /** Adds a message. Without a parent it follows the newest one; a parent of null begins anew. */
  say(user, interactionId, { sentBy, content, parentId }) {
    const { interaction, messages } = this.#entry(user, interactionId);
    if (messages.size >= this.#limits.messagesOfInteraction) {
      throw new Problem(409, 'This interaction is full. Begin another one.');
    }
    const parent = parentOf(messages, parentId);
    const message = {
      id: newId('msg'),
      object: 'message',
      interaction_id: interaction.id,
      parent_id: parent?.id ?? null,
      depth: parent ? parent.depth + 1 : 0,
      sent_by: sentBy,
      content,
      created_at: this.#now(),
    };
    messages.set(message.id, message);
    interaction.total_message_count = messages.size;
    interaction.updated_at = message.created_at;
    return message;
  }

  #entry(user, id) {
    return this.#of(user).get(id) ?? missing('interaction');
  }

  #of(user) {
    return this.#interactionsOf.get(user) ?? new Map();
  }

  #mine(user) {
    const mine = this.#of(user);
    // Whoever is here again goes to the end of those who may be forgotten.
    this.#interactionsOf.delete(user);
    keep(this.#interactionsOf, user, mine, this.#limits.users);
    return mine;
  }
}

function parentOf(messages, parentId) {
  if (parentId === null) return undefined;
  if (parentId === undefined) return [...messages.values()].at(-1);
  return messages.get(parentId) ?? missing('message');
}

function missing(noun) {
  throw notFound(noun);
}

/** A map remembers the order of its entries: the first is the oldest. */
function keep(map, key, value, most) {
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value);
}

function newId(prefix) {
  return `${prefix}_${randomBytes(16).toString('hex')}`;
}
