// One user at this page, from signing in to leaving: whom they talk to, and what was said. What is still under way when
// they leave ends, and nothing of it is shown to the next one.

import { Client, Cut, Refusal } from './client.mjs';
import { userHmac } from './proofs.mjs';
import * as view from './view.mjs';
import { explain } from './words.mjs';

/** What may be said to an agent, to begin with. */
const TRIES = {
  ag_mirror: ['Who am I?'],
  ag_reckoner: ['What is 12 × (3 + 4)?', '0.1 + 0.2'],
  ag_counter: ['Count to 10', 'Count to 300'],
};

export class Visit {
  #leaving = new AbortController();
  #stopping = new AbortController();
  #client;
  #context;
  #agents = [];
  #agentId = null;
  #interaction = null;
  #turn = 0;
  #isBusy = false;
  #isGoing = false;
  #ready = Promise.resolve();

  constructor({ config, backend, user, sent }) {
    this.#context = { sent, name: user.shown };
    this.#client = new Client({
      url: config.url,
      apiKey: config.apiKey,
      userExternalId: user.externalId,
      userHmac: userHmac(sent, backend, user.externalId),
      signal: this.#leaving.signal,
    });
  }

  /** Ends everything that is under way. */
  leave() {
    this.#leaving.abort();
    view.showNotice(null);
    view.showBusy(false);
    view.announce('');
  }

  /** Shows everything. */
  async enter() {
    view.showProof(undefined);
    view.showAgents([]);
    view.showMessages([]);
    view.showTries([]);
    view.showPast([], null);
    view.showTalk(true);
    const isIn = await this.#trying(async () => {
      await this.prove();
      this.#agents = this.#still(await this.#client.agents());
      view.showAgents(this.#agents);
    });
    if (isIn) await this.choose(this.#agents[0].id);
    else if (!this.#isOver) view.showTalk(false);
  }

  /** Asks Countersign who this is. */
  async prove() {
    view.showProof(this.#still(await this.#client.me()));
  }

  /** Goes on talking to an agent, or begins. */
  choose(agentId) {
    // Chosen while the page went there by itself: twice would begin two conversations.
    if (this.#isGoing && agentId === this.#agentId) return this.#ready;
    this.#agentId = agentId;
    return this.#go(async () => {
      const all = await this.#client.interactions();
      const known = all.find((interaction) => interaction.agent_id === agentId);
      return known === undefined ? this.#client.begin(agentId) : this.#known(known);
    });
  }

  /** Begins a new conversation with the same agent. */
  begin() {
    return this.#go(() => this.#client.begin(this.#agentId));
  }

  /** Says something and shows the reply as it comes. True if it was said. */
  async say(content) {
    // Whoever is quick has written it before there is anybody to say it to.
    await this.#ready;
    if (this.#isBusy || this.#interaction === null) return false;
    const { id, agent_id: agentId } = this.#interaction;
    const turn = this.#turn;
    const isSaid = await this.#busy(async () => {
      const said = this.#still(await this.#client.say(id, content));
      // Another conversation is seen by now.
      if (turn !== this.#turn) return;
      view.addMessage(said);
      await this.#listen(said, this.#nameOf(agentId));
    });
    if (isSaid && !this.#isOver) await this.#trying(() => this.#showPast());
    return isSaid;
  }

  /** Hears no more of the reply that is coming. */
  stop() {
    this.#stopping.abort();
  }

  async #listen(said, agentName) {
    const reply = view.addReply(agentName);
    this.#stopping = new AbortController();
    try {
      await this.#client.ask(said, (word) => this.#isOver || reply.say(word), this.#stopping.signal);
      reply.done();
    } catch (error) {
      if (this.#isOver) throw error;
      if (this.#stopping.signal.aborted) return reply.cut('You stopped it here.');
      reply.cut('It was cut here.');
      throw await this.#reasonOf(error);
    }
  }

  /** A stream that is cut says nothing about why. Who asks again is told whether the access is gone. */
  async #reasonOf(error) {
    if (!(error instanceof Cut)) return error;
    return this.prove().then(() => error, (why) => (isRefusedProof(why) ? why : error));
  }

  async #known(interaction) {
    return { interaction, messages: await this.#client.messages(interaction.id) };
  }

  /** Goes to the conversation that `find` gives; who changes their mind meanwhile goes where they wanted to go last. */
  #go(find) {
    this.stop();
    this.#interaction = null;
    view.showMessages([]);
    const turn = ++this.#turn;
    this.#isGoing = true;
    this.#ready = this.#trying(async () => {
      const { interaction, messages } = this.#still(await find());
      if (turn !== this.#turn) return;
      this.#interaction = interaction;
      this.#agentId = interaction.agent_id;
      view.markAgent(this.#agentId);
      view.showMessages(messages, this.#nameOf(this.#agentId));
      view.showTries(TRIES[this.#agentId] ?? [], (text) => this.say(text));
      await this.#showPast();
    }).finally(() => {
      if (turn === this.#turn) this.#isGoing = false;
    });
    return this.#ready;
  }

  async #showPast() {
    const all = this.#still(await this.#client.interactions());
    view.showPast(all, this.#interaction?.id, (interaction) => this.#go(() => this.#known(interaction)));
  }

  #nameOf(agentId) {
    return this.#agents.find((agent) => agent.id === agentId)?.display_name ?? 'Agent';
  }

  async #busy(act) {
    this.#isBusy = true;
    view.showBusy(true);
    try {
      return await this.#trying(act);
    } finally {
      this.#isBusy = false;
      if (!this.#isOver) view.showBusy(false);
    }
  }

  /** Shows what goes wrong, in words. True if nothing did. */
  async #trying(act) {
    try {
      view.showNotice(null);
      await act();
      return true;
    } catch (error) {
      if (this.#isOver) return false;
      if (isRefusedProof(error)) view.showProof(null);
      view.showNotice(explain(error, this.#context));
      return false;
    }
  }

  get #isOver() {
    return this.#leaving.signal.aborted;
  }

  /** What came for a user who has left is for nobody. */
  #still(value) {
    this.#leaving.signal.throwIfAborted();
    return value;
  }
}

function isRefusedProof(error) {
  return error instanceof Refusal && error.status === 401;
}
