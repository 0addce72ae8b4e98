// The files of the page, each of which is known before anybody asks: no path leads anywhere else.

import { readFile, readdir } from 'node:fs/promises';

const FOLDER = new URL('public/', import.meta.url);

const TYPES = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  mjs: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** A listener that serves the page. `config` is what the page may know: no secret. */
export async function createPage(config) {
  const files = await readFiles();
  files.set('/config.json', { type: TYPES.json, bytes: Buffer.from(JSON.stringify(config)) });
  files.set('/', files.get('/index.html'));
  const headers = headersOf(config);
  return (request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const file = files.get(request.url.split('?')[0]);
    if (!isRead) return send(response, 405, headers, plain('Only GET and HEAD.'), { allow: 'GET, HEAD' });
    if (file === undefined) return send(response, 404, headers, plain('There is no such page.'));
    send(response, 200, headers, file);
  };
}

async function readFiles() {
  const names = await readdir(FOLDER);
  const read = async (name) => {
    const bytes = await readFile(new URL(name, FOLDER));
    return [`/${name}`, { type: TYPES[name.split('.').at(-1)], bytes }];
  };
  return new Map(await Promise.all(names.map(read)));
}

/** The page runs its own scripts and nothing else, and talks to two servers and nobody else. */
function headersOf({ url, backend }) {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${new URL(url).origin} ${new URL(backend).origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    'cache-control': 'no-cache',
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

function plain(text) {
  return { type: 'text/plain; charset=utf-8', bytes: Buffer.from(`${text}\n`) };
}

function send(response, status, headers, { type, bytes }, more = {}) {
  response.writeHead(status, { ...headers, 'content-type': type, 'content-length': bytes.length, ...more });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}
