// A person in front of a browser, and the app that sends them to us.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { chromium } from 'playwright-core';

const { BROWSER, SERVER, APP_PORT } = process.env;
// Another site than ours, which is called `localhost`, as passkeys need.
export const APP = `http://127.0.0.1:${APP_PORT}`;

/** Runs a visit; a page that complains has failed, but for what is to be complained of. */
export async function visit(what, expected = []) {
  const app = await anApp();
  // Chromium can't put itself into a sandbox as root.
  const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: BROWSER, args });
  const complaints = [];
  const open = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
    context.on('console', (message) => {
      if (message.type() === 'error' && !/favicon|status of 4\d\d/.test(message.text() + message.location().url)) {
        complaints.push(message.text());
      }
    });
    context.on('weberror', (problem) => complaints.push(String(problem.error())));
    return context;
  };
  try {
    await what({ app, open });
    assert.deepEqual(complaints.filter((it) => !expected.some((text) => it.includes(text))), []);
    for (const text of expected) assert.ok(complaints.some((it) => it.includes(text)), `nobody complained of ${text}`);
  } finally {
    await browser.close();
    app.close();
  }
}

/** An app that keeps what it is sent back with. */
async function anApp() {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const answers = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, APP);
    if (url.pathname !== '/callback') return response.writeHead(404).end();
    let body = '';
    for await (const chunk of request) body += chunk;
    const said = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams;
    answers.push({ method: request.method, referer: request.headers.referer, ...Object.fromEntries(said) });
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>App</title><h1>The app</h1>');
  });
  await new Promise((listening) => server.listen(Number(APP_PORT), '127.0.0.1', listening));
  return {
    answers,
    close: () => server.close(),
    address: (more = {}) => {
      const asked = {
        response_type: 'code', client_id: 'c3', redirect_uri: `${APP}/callback`, scope: 'openid email', state: 's-1',
        code_challenge: challenge, code_challenge_method: 'S256', ...more,
      };
      return `${SERVER}/oauth2/authorize?${new URLSearchParams(asked)}`;
    },
    /** Redeems a code as the app would. */
    redeem: async (code, client = 'c3') => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code', client_id: client, code, redirect_uri: `${APP}/callback`, code_verifier: verifier,
      });
      const answer = await fetch(`${SERVER}/oauth2/token`, { method: 'POST', body });
      return { status: answer.status, ...await answer.json() };
    },
  };
}

const seen = new Set();

/** The one message to an address that came since the last was looked at. Which of two is newer nobody can tell for sure: some come in the same moment. */
export async function mail(to) {
  const fresh = (await messages(to)).filter(({ id }) => !seen.has(id));
  assert.equal(fresh.length, 1, `${fresh.length} new messages to ${to}`);
  seen.add(fresh[0].id);
  return fresh[0];
}

/** What came until now is old. */
export async function readAll(to) {
  for (const { id } of await messages(to)) seen.add(id);
}

/** All messages to an address. */
export async function messages(to) {
  const answer = await fetch(`${SERVER}/dev/outbox?to=${encodeURIComponent(to)}`);
  return (await answer.json()).messages;
}

/** Types an address, and the code that comes. */
export async function signIn(page, email) {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  const { code } = await mail(email);
  await page.getByLabel('Code, 6 digits').fill(code);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
