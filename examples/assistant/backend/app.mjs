// The customer's backend: it knows its users, and holds the secret that proves them.

import express from 'express';

import { USERS } from './users.mjs';

/** Bytes of a body. */
const BODY_LIMIT = '2kb';

/** Answers pages of one origin, and whoever is no browser. */
export function createBackend({ prove, sessions, pageOrigin }) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(onlyFrom(pageOrigin));
  app.use(express.json({ limit: BODY_LIMIT }));
  app.use(onlyObjects);

  app.post('/login', (request, response) => {
    const user = USERS.get(request.body.user);
    if (user === undefined) return refuse(response, 401, 'There is no such demo user.');
    sessions.open(request, response, user);
    response.json(shown(user));
  });

  app.get('/session', (request, response) => {
    const user = sessions.user(request);
    response.json({ user: user === null ? null : shown(user) });
  });

  app.post('/logout', (request, response) => {
    sessions.close(request, response);
    response.status(204).end();
  });

  // Whom it proves is who is signed in. Were it whom the browser asks for, anybody could be anybody.
  app.post('/hmac', (request, response) => {
    const user = sessions.user(request);
    if (user === null) return refuse(response, 401, 'Sign in first.');
    const { userExternalId = user.id } = request.body;
    if (userExternalId !== user.id) return refuse(response, 403, 'Somebody else is signed in.');
    response.json({ hmac: prove(user.id) });
  });

  app.use((request, response) => refuse(response, 404, 'There is nothing here.'));
  app.use(onError);
  return app;
}

/** What pages of other origins ask is neither done nor answered. */
function onlyFrom(pageOrigin) {
  return (request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', Vary: 'Origin' });
    const { origin } = request.headers;
    if (origin !== undefined && origin !== pageOrigin) return refuse(response, 403, 'This page may not call here.');
    if (origin === undefined) return next();
    response.set({ 'Access-Control-Allow-Origin': pageOrigin, 'Access-Control-Allow-Credentials': 'true' });
    if (request.method !== 'OPTIONS') return next();
    response.set({
      'Access-Control-Allow-Methods': 'GET, POST',
      'Access-Control-Allow-Headers': 'Content-Type',
      'Access-Control-Max-Age': '600',
    });
    response.status(204).end();
  };
}

/** A body is JSON, or isn't there: a form of another page could send anything else without asking. */
function onlyObjects(request, response, next) {
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in request.headers;
  const isObject = typeof request.body === 'object' && request.body !== null && !Array.isArray(request.body);
  if (hasBody && !isObject) return refuse(response, 400, 'The body must be an object of JSON.');
  request.body ??= {};
  next();
}

// Express tells a handler of errors by its four parameters.
function onError(error, request, response, next) {
  if (response.headersSent) return next(error);
  // What body-parser refuses has a status. Its message may repeat the body.
  if (error.status === 413) return refuse(response, 413, 'The body is too large.');
  if (error.status >= 400 && error.status < 500) return refuse(response, 400, 'The body must be an object of JSON.');
  console.error(error);
  refuse(response, 500, 'Something went wrong here.');
}

function refuse(response, status, message) {
  response.status(status).json({ message });
}

/** What a page may know of a user. */
function shown({ name, id, shown }) {
  return { name, externalId: id, shown };
}
