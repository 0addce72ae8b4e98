// Starting, where it can't.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const START = fileURLToPath(new URL('../../start.mjs', import.meta.url));

/** Runs it to its end. It is told of no program that it could start. */
async function start(env) {
  const child = spawn(process.execPath, [START], { env: { PATH: process.env.PATH, COUNTERSIGN: '/no/such/program', ...env } });
  let said = '';
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (more) => (said += more));
  const [code] = await once(child, 'close');
  return { code, said };
}

/** Listens on a port that is free, on this address. */
async function taken(t, host) {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return server.address().port;
}

test('a port that is taken is named, and what to do', async (t) => {
  // A browser tries both addresses that `localhost` has, where a machine has both.
  const addresses = Object.values(networkInterfaces()).flat().map(({ address }) => address);
  for (const host of ['127.0.0.1', '::1'].filter((address) => addresses.includes(address))) {
    const port = await taken(t, host);
    const { code, said } = await start({ ...(await freePorts()), BACKEND_PORT: String(port) });
    assert.equal(code, 1);
    assert.match(said, new RegExp(`Port ${port} is taken by another program\\..* BACKEND_PORT=${port + 1} npm start`));
    assert.doesNotMatch(said, / at /, 'nobody wants to see a stack');
  }
});

test('a port that is none is said to be so', async () => {
  for (const port of ['0', '65536', '-1', '80a', '1e3', ' 80']) {
    const { code, said } = await start({ PAGE_PORT: port });
    assert.equal(code, 1);
    assert.match(said, /PAGE_PORT is .*: a port is a number from 1 to 65535\./);
  }
});

test('two parts can\'t have one port', async () => {
  const { code, said } = await start({ PAGE_PORT: '23456', BACKEND_PORT: '23456' });
  assert.equal(code, 1);
  assert.match(said, /PAGE_PORT and BACKEND_PORT are both 23456\./);
});

test('what the project may demand is one of three', async () => {
  const { code, said } = await start({ HMAC: 'of' });
  assert.equal(code, 1);
  assert.match(said, /HMAC is of\. It may be required, observe, off\./);
});

test('a program that doesn\'t start ends it, with a word', async () => {
  const { code, said } = await start(await freePorts());
  assert.equal(code, 1);
  assert.match(said, /countersign doesn't start: .*ENOENT/);
});

/** Held together, so that no two are the same. */
async function freePorts() {
  const names = ['COUNTERSIGN_PORT', 'UPSTREAM_PORT', 'BACKEND_PORT', 'PAGE_PORT'];
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return Object.fromEntries(names.map((name, index) => [name, ports[index]]));
}
