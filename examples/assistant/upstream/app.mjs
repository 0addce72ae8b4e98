// The API: agents, interactions and messages.

import { createServer } from 'node:http';

import { agentOf, agents } from './agents.mjs';
import { contentIn, idIn, optionalIdIn, pageIn, pageOf, readObject, single } from './input.mjs';
import { Problem, notFound, problemOf } from './problem.mjs';
import { Streams } from './streams.mjs';

/** What a path that names nothing more, and one that names a thing, may be asked. */
const ROUTES = [
  ['GET', /^\/agents$/, listAgents],
  ['GET', /^\/agents\/([^/]+)$/, showAgent],
  ['GET', /^\/interactions$/, listInteractions],
  ['POST', /^\/interactions$/, beginInteraction],
  ['GET', /^\/interactions\/([^/]+)$/, showInteraction],
  ['GET', /^\/messages$/, listMessages],
  ['POST', /^\/messages$/, sendMessage],
  ['GET', /^\/messages\/([^/]+)$/, showMessage],
  ['POST', /^\/messages\/([^/]+)\/ask$/, ask],
];

/** A server that answers whom `callerOf` knows. */
export function createApi({ callerOf, store, wordPause }) {
  const streams = new Streams(wordPause);
  const server = createServer({ requestTimeout: 30_000 }, async (request, response) => {
    try {
      // First of all: a stranger isn't told which paths there are, and sends no body that anybody reads.
      const caller = await callerOf(request);
      await answer({ request, response, caller, store, streams });
    } catch (error) {
      if (!(error instanceof Problem)) console.error(error);
      sendProblem(response, problemOf(error));
    }
  });
  server.on('clientError', refuseWhatIsNoHttp);
  return server;
}

async function answer(call) {
  const [path, query] = parts(call.request.url);
  const here = ROUTES.filter(([, pattern]) => pattern.test(path));
  if (here.length === 0) throw notFound('path');
  const route = here.find(([method]) => method === call.request.method);
  if (route === undefined) {
    const allow = here.map(([method]) => method).join(', ');
    throw new Problem(405, `This path takes ${allow}.`, { allow });
  }
  const [, pattern, handle] = route;
  const [, id] = pattern.exec(path);
  const body = call.request.method === 'POST' ? await readObject(call.request) : {};
  const value = await handle({ ...call, user: call.caller.user, id, body, query });
  if (value !== undefined) sendJson(call.response, 200, value);
}

/** Cut by hand: a URL has rules of its own about slashes and dots, and this must name what the gateway named. */
function parts(target) {
  const mark = target.indexOf('?');
  const [path, query] = mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
  return [path, new URLSearchParams(query)];
}

function listAgents({ query }) {
  return pageOf(agents(), pageIn(query));
}

function showAgent({ id }) {
  return (agentOf(id) ?? missing('agent')).shown;
}

function listInteractions({ store, user, query }) {
  return pageOf(store.interactions(user), pageIn(query));
}

function beginInteraction({ store, user, caller, body }) {
  const agent = agentOf(idIn(body, 'agent_id')) ?? missing('agent');
  const { interaction } = store.begin(user, agent.shown);
  store.say(user, interaction.id, { sentBy: 'agent', content: agent.greeting(caller), parentId: null });
  return { interaction, messages: store.messages(user, interaction.id) };
}

function showInteraction({ store, user, id }) {
  return store.interaction(user, id);
}

function listMessages({ store, user, query }) {
  return pageOf(store.messages(user, interactionIn(query)), pageIn(query));
}

function showMessage({ store, user, id, query }) {
  return store.message(user, interactionIn(query), id);
}

function sendMessage({ store, user, body }) {
  const said = { sentBy: 'user', content: contentIn(body), parentId: optionalIdIn(body, 'parent_id') };
  return store.say(user, idIn(body, 'interaction_id'), said);
}

/** The agent's reply, at once or word by word as the caller likes. It is kept when it was said to its end. */
async function ask({ store, user, caller, streams, request, response, id, body }) {
  const interactionId = idIn(body, 'interaction_id');
  const question = store.message(user, interactionId, id);
  if (question.sent_by !== 'user') throw new Problem(400, 'Only what a user said can be answered.');
  const { agent_id: agentId } = store.interaction(user, interactionId);
  const content = agentOf(agentId).reply(question.content, caller);
  const keep = () => store.say(user, interactionId, { sentBy: 'agent', content, parentId: question.id });
  if (!wantsStream(request)) return keep();
  await streams.send(response, user, content, keep);
}

function wantsStream(request) {
  const types = (request.headers.accept ?? '').split(',');
  return types.some((type) => type.split(';')[0].trim().toLowerCase() === 'text/event-stream');
}

function interactionIn(query) {
  return single(query, 'interaction_id') ?? wanting('interaction_id');
}

function missing(noun) {
  throw notFound(noun);
}

function wanting(parameter) {
  throw new Problem(400, `${parameter} is missing.`);
}

function sendJson(response, status, value, headers = {}) {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(body);
}

function sendProblem(response, problem) {
  // A stream that has begun can't turn into an error any more.
  if (response.headersSent) return response.destroy();
  sendJson(response, problem.status, problem.body, problem.headers);
}

function refuseWhatIsNoHttp(error, socket) {
  if (!socket.writable) return socket.destroy();
  const { body } = new Problem(400, 'This is no HTTP that can be read here.');
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n`;
  socket.end(`${head}connection: close\r\n\r\n${text}`);
}
