// Ports, and what is said when one of them isn't free.

import { once } from 'node:events';
import { createServer } from 'node:net';

/** What whoever started this can do something about. */
export class Trouble extends Error {}

/** The ports that the environment names, or the usual ones: all of them free. */
export async function portsThatAreFree(usual) {
  const ports = {};
  for (const [name, port] of Object.entries(usual)) {
    ports[name] = portNamed(name, port);
    const other = Object.keys(ports).find((it) => it !== name && ports[it] === ports[name]);
    if (other !== undefined) throw new Trouble(`${name} and ${other} are both ${ports[name]}.`);
  }
  for (const [name, port] of Object.entries(ports)) {
    if (await isTaken(port)) {
      throw new Trouble(`Port ${port} is taken by another program. End that one, or choose another port: ${name}=${port + 1} npm start`);
    }
  }
  return ports;
}

function portNamed(name, usual) {
  const text = process.env[name] || String(usual);
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Trouble(`${name} is ${text}: a port is a number from 1 to 65535.`);
}

/** On either of the two addresses of this machine that a browser tries for `localhost`. */
async function isTaken(port) {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer().listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      if (error.code === 'EADDRINUSE') return true;
      if (error.code === 'EACCES') throw new Trouble(`Port ${port} is one that only root may use.`);
      // A machine without IPv6 has only the one.
    } finally {
      server.close();
    }
  }
  return false;
}
