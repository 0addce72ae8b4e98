// What the page is served with.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import test from 'node:test';

import { createPage } from '../app.mjs';

const CONFIG = { url: 'http://localhost:7420', apiKey: 'pk_demo', backend: 'http://localhost:8080' };

async function page(t) {
  const server = createServer(await createPage(CONFIG));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return server.address().port;
}

/** `fetch` would tidy the path up. */
async function ask(port, path, method = 'GET') {
  const call = request({ host: '127.0.0.1', port, path, method });
  call.end();
  const [answer] = await once(call, 'response');
  const chunks = await answer.toArray();
  return { status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() };
}

test('the page runs its own scripts only, talks to two servers only, and is framed by nobody', async (t) => {
  const { status, headers } = await ask(await page(t), '/');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  const policy = new Map(headers['content-security-policy'].split('; ').map((rule) => rule.split(/ (.*)/)));
  assert.equal(policy.get('default-src'), "'none'");
  assert.equal(policy.get('script-src'), "'self'");
  assert.equal(policy.get('style-src'), "'self'");
  assert.equal(policy.get('connect-src'), "'self' http://localhost:7420 http://localhost:8080");
  for (const nowhere of ['base-uri', 'form-action', 'frame-ancestors']) assert.equal(policy.get(nowhere), "'none'");
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'no-referrer');
});

test('the page is told what it may know, and no secret', async (t) => {
  const { text, headers } = await ask(await page(t), '/config.json');
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(text), CONFIG);
});

test('nothing but the page can be read', async (t) => {
  const port = await page(t);
  const paths = ['/app.mjs', '/../app.mjs', '/%2e%2e/app.mjs', '/..%2fapp.mjs', '/public/main.mjs', '//main.mjs', '/__proto__', '/main.mjs/', '/main.mjs%00', '/%'];
  for (const path of paths) {
    const { status, headers } = await ask(port, path);
    assert.deepEqual([status, headers['content-type']], [404, 'text/plain; charset=utf-8'], path);
  }
  const { status, headers } = await ask(port, '/main.mjs?version=1');
  assert.deepEqual([status, headers['content-type']], [200, 'text/javascript; charset=utf-8']);
});

test('a page is only read', async (t) => {
  const port = await page(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) assert.equal((await ask(port, '/', method)).status, 405);
  const head = await ask(port, '/', 'HEAD');
  assert.deepEqual([head.status, head.text], [200, '']);
});

test('no file of the page holds a script, a style or a source that the policy refuses', async () => {
  const folder = new URL('../public/', import.meta.url);
  for (const name of await readdir(folder)) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const refused = [/\son[a-z]+\s*=\s*["']/, /\sstyle\s*=\s*"/, /<script>/, /innerHTML|outerHTML|insertAdjacentHTML|document\.write/, /\beval\(/, /https?:\/\/(?!www\.w3\.org)/];
    for (const pattern of refused) assert.doesNotMatch(text, pattern, name);
  }
});
