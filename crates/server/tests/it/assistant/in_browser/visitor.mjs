// A person at the page of the example, in a real Chromium.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

/** A second, in which every change of a project or user takes effect, and what a busy machine adds. */
export const A_SECOND = 3000;

const { BROWSER, COUNTERSIGN, DATA, PAGE } = process.env;

/** What `dev.json` says. */
export const FACTS = JSON.parse(readFileSync(`${DATA}/dev.json`, 'utf8'));

const DESK = { viewport: { width: 1280, height: 900 }, colorScheme: 'light' };

/** Opens the page for a person, and for another one when `act` asks for one, and closes it after. Whatever the browser complains of fails. */
export async function visit(act, how = DESK) {
  // Chromium can't put itself into a sandbox as root.
  const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: BROWSER, args });
  try {
    const visitors = [];
    const another = async () => {
      const context = await browser.newContext(how);
      const visitor = new Visitor(context, await context.newPage());
      visitors.push(visitor);
      await visitor.page.goto(PAGE);
      return visitor;
    };
    await act(await another(), another);
    assert.deepEqual(visitors.flatMap(({ complaints }) => complaints), []);
  } finally {
    await browser.close();
  }
}

/** Runs a command on the server. */
export async function countersign(...words) {
  const { stdout } = await promisify(execFile)(COUNTERSIGN, [...words, '--data', DATA]);
  return stdout;
}

/** The HMAC that proves a user. */
export function hmacOf(externalId) {
  return createHmac('sha256', FACTS.hmac_secret).update(externalId).digest('base64');
}

/** What Countersign says to a call for a user at this moment, as a status. */
export async function verdict(path, externalId, hmac) {
  const headers = { 'x-proficient-api-key': FACTS.publishable_key, 'x-proficient-user-external-id': externalId };
  if (hmac !== undefined) headers['x-proficient-user-hmac'] = hmac;
  return (await fetch(`${FACTS.url}${path}`, { headers })).status;
}

/** Waits until something is so, for at most so many milliseconds. */
export async function within(patience, isSo) {
  const end = Date.now() + patience;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `it took longer than ${patience} ms`);
    await pause(20);
  }
}

export class Visitor {
  /** What the browser complains of. A call that failed is for the page to handle. */
  complaints = [];
  /** Calls of the API, as they were sent. */
  calls = [];

  constructor(context, page) {
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => this.#hear(message));
    page.on('request', (request) => this.#see(request));
  }

  async signIn(name) {
    await this.page.getByRole('button', { name }).click();
  }

  async switchTo(name) {
    await this.page.getByRole('button', { name: 'Switch user' }).click();
    await this.signIn(name);
  }

  async talkTo(agent) {
    await this.page.getByRole('radio', { name: agent }).check({ force: true });
    await this.message(agent).first().waitFor();
  }

  /** Chooses what is sent as the proof. */
  async send(choice) {
    await this.page.getByRole('radio', { name: choice }).check();
  }

  async say(text) {
    await this.page.getByLabel('Your message').fill(text);
    await this.page.getByRole('button', { name: 'Send' }).click();
  }

  /** Says something and gives the reply, when it is whole. */
  async ask(text) {
    await this.messages().first().waitFor();
    const before = await this.messages().count();
    await this.say(text);
    await this.page.locator(`#messages > li:nth-child(${before + 2})[data-state=said]`).waitFor();
    await this.page.getByRole('button', { name: 'Send' }).waitFor();
    return this.messages().last().locator('.content').textContent();
  }

  /** Makes calls of a user late whose path matches, as a slow network would. */
  async delay(path, externalId, milliseconds) {
    await this.page.route(path, async (route) => {
      if (route.request().headers()['x-proficient-user-external-id'] === externalId) await pause(milliseconds);
      // The page may have given it up.
      await route.continue().catch(() => {});
    });
  }

  messages() {
    return this.page.getByRole('list', { name: 'Messages' }).getByRole('listitem');
  }

  message(text) {
    return this.messages().filter({ hasText: text });
  }

  /** Waits for what the page says when something went wrong. */
  async notice(title) {
    const notice = this.page.getByRole('alert').filter({ hasText: title });
    await notice.waitFor();
    return notice.innerText();
  }

  async noNotice() {
    await this.page.waitForFunction(() => document.querySelector('[role=alert]').childElementCount === 0);
  }

  /** Waits until the page says so of the proof. */
  async proof(verdict) {
    const section = this.page.getByRole('region', { name: 'What was proved' });
    await section.getByText(verdict).first().waitFor();
    return section.innerText();
  }

  #hear(message) {
    const isOfACall = message.text().startsWith('Failed to load resource: ');
    if (message.type() === 'error' && !isOfACall) this.complaints.push(message.text());
  }

  #see(request) {
    const { origin, pathname } = new URL(request.url());
    if (origin === FACTS.url) this.calls.push({ method: request.method(), pathname, headers: request.headers() });
  }
}
