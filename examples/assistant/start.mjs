// Starts it all: Countersign in development mode, the API behind its gateway, the customer's backend, and the page.
//
//     npm start
//
// Each part is a program of its own, and is told in its environment what it must know, and no more: only the backend gets
// the HMAC secret.

import { fileURLToPath } from 'node:url';

import { Countersign } from './start/countersign.mjs';
import { Programs } from './start/programs.mjs';
import { Trouble, portsThatAreFree } from './start/ports.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));

const USUAL_PORTS = { COUNTERSIGN_PORT: 7420, UPSTREAM_PORT: 9000, BACKEND_PORT: 8080, PAGE_PORT: 3000 };
const CHOICES = ['required', 'observe', 'off'];

const programs = new Programs();

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await programs.stop();
    process.exit(0);
  });
}

try {
  await start();
} catch (error) {
  if (!(error instanceof Trouble)) console.error(error);
  else if (!programs.areStopping) console.error(`\n${error.message}`);
  const wasAsked = programs.areStopping;
  await programs.stop();
  process.exit(wasAsked ? 0 : 1);
}

async function start() {
  const hmac = process.env.HMAC || CHOICES[0];
  if (!CHOICES.includes(hmac)) throw new Trouble(`HMAC is ${hmac}. It may be ${CHOICES.join(', ')}.`);
  const ports = await portsThatAreFree(USUAL_PORTS);
  const countersign = new Countersign(programs, process.env.DATA || `${HERE}.countersign`);
  const facts = await countersign.dev(ports.COUNTERSIGN_PORT);
  const upstream = `http://127.0.0.1:${ports.UPSTREAM_PORT}`;
  const backend = `http://localhost:${ports.BACKEND_PORT}`;
  const page = `http://localhost:${ports.PAGE_PORT}`;
  await countersign.set(`gateway.upstream=${upstream}`, `hmac=${hmac}`, `origins=${page}`);
  await Promise.all([
    programs.node('upstream', {
      PORT: ports.UPSTREAM_PORT,
      AUDIENCE: upstream,
      JWKS_URL: facts.oauth.jwks_uri,
      OAUTH_ISSUER: facts.oauth.issuer,
    }),
    programs.node('backend', { PORT: ports.BACKEND_PORT, PAGE_ORIGIN: page, HMAC_SECRET: facts.hmac_secret }),
    programs.node('page', {
      PORT: ports.PAGE_PORT,
      COUNTERSIGN_URL: facts.url,
      PROFICIENT_API_KEY: facts.publishable_key,
      BACKEND_URL: backend,
    }),
  ]);
  greet(page, hmac, countersign);
}

function greet(page, hmac, countersign) {
  console.log(`
Open ${page}

The project says hmac=${hmac}. While it runs, in another terminal:

    ${countersign.command('project', 'set', 'p1', 'hmac=off')}
    ${countersign.command('user', 'disable', 'customer-1')}
    ${countersign.command('user', 'enable', 'customer-1')}

Ctrl-C ends everything.`);
}
