// Reading what a caller sends, and refusing what it shouldn't be.

import { Problem } from './problem.mjs';

/** Bytes of a body. */
const BODY_LIMIT = 64 * 1024;

/** Characters of a message. */
const CONTENT_LIMIT = 8000;

const PAGE = { usual: 20, most: 100 };

/** The object of JSON that a request brings. */
export async function readObject(request) {
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (type !== 'application/json') throw new Problem(400, 'The body must be application/json.');
  const value = parse(await readBytes(request));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem(400, 'The body must be an object of JSON.');
  }
  return value;
}

async function readBytes(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw new Problem(413, `The body may have ${BODY_LIMIT} bytes at most.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, 'The body is no JSON.');
  }
}

/** A member of a body that must name something. */
export function idIn(body, member) {
  const value = body[member];
  if (typeof value !== 'string' || value === '') throw new Problem(400, `${member} must be an id.`);
  return value;
}

/** A member that may be left out. Null is a value of its own. */
export function optionalIdIn(body, member) {
  const value = body[member];
  return value === undefined || value === null ? value : idIn(body, member);
}

/** What a user says. */
export function contentIn(body) {
  const value = body.content;
  if (typeof value !== 'string' || value.trim() === '') throw new Problem(400, 'content must be a text.');
  if (value.length > CONTENT_LIMIT) throw new Problem(400, `content may have ${CONTENT_LIMIT} characters at most.`);
  // Half of a surrogate pair is no character, and can't be sent on.
  if (!value.isWellFormed()) throw new Problem(400, 'content must be well-formed Unicode.');
  return value;
}

/** Which part of a list a caller wants to see. */
export function pageIn(query) {
  const limit = single(query, 'limit');
  const isLimit = limit === null || (/^[1-9]\d{0,2}$/.test(limit) && Number(limit) <= PAGE.most);
  if (!isLimit) throw new Problem(400, `limit must be a number from 1 to ${PAGE.most}.`);
  return { limit: limit === null ? PAGE.usual : Number(limit), startingAfter: single(query, 'starting_after') };
}

/** A parameter that mustn't stand there twice: two readers could each take another. */
export function single(query, name) {
  const all = query.getAll(name);
  if (all.length > 1) throw new Problem(400, `${name} stands there more than once.`);
  return all[0] ?? null;
}

/** That part of a list, newest first. */
export function pageOf(newestFirst, { limit, startingAfter }) {
  let from = 0;
  if (startingAfter !== null) {
    from = newestFirst.findIndex((thing) => thing.id === startingAfter) + 1;
    if (from === 0) throw new Problem(400, 'starting_after names nothing in this list.');
  }
  const data = newestFirst.slice(from, from + limit);
  return { data, has_more: from + data.length < newestFirst.length };
}
