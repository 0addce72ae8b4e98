// Countersign itself: built if need be, started in development mode, and told where the API is.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { Trouble } from './ports.mjs';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

export class Countersign {
  #programs;
  #data;
  #file;

  constructor(programs, data) {
    this.#programs = programs;
    this.#data = data;
  }

  /** Starts it, waits until it is ready, and gives what it wrote down in `dev.json`. */
  async dev(port) {
    this.#file = process.env.COUNTERSIGN || (await this.#built());
    const child = this.#programs.start('countersign', this.#file, ['dev', '--port', String(port), '--data', this.#data]);
    // It greets with its keys, which the page's user needs not see.
    child.stdout.resume();
    await this.#programs.orFailure(ready(`http://127.0.0.1:${port}`));
    const facts = JSON.parse(await readFile(`${this.#data}/dev.json`, 'utf8'));
    for (const fact of ['publishable_key', 'hmac_secret']) {
      if (!facts[fact]) throw new Trouble(`${this.#data}/dev.json has no ${fact}: this Countersign is too old.`);
    }
    return facts;
  }

  /** Changes settings of the project. */
  async set(...settings) {
    const run = promisify(execFile)(this.#file, ['project', 'set', 'p1', ...settings, '--data', this.#data]);
    await run.catch((error) => {
      throw new Trouble(`The project can't be set up: ${error.stderr || error.message}`);
    });
  }

  /** A command on this server, as somebody would type it here. */
  command(...words) {
    const short = (path) => {
      const here = relative(process.cwd(), path);
      return here.length < path.length ? here || '.' : path;
    };
    return [short(this.#file), ...words, '--data', short(this.#data)].join(' ');
  }

  /** The program, built. It isn't left to `cargo run`, which wouldn't hand a signal on. */
  async #built() {
    console.log('Building Countersign. The first time takes minutes.');
    const words = ['build', '--release', '--package', 'countersign-server', '--message-format', 'json-render-diagnostics'];
    const output = await this.#programs.run('cargo', words, PROJECT).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
      throw new Trouble("cargo isn't on the path. Install Rust, or name a program that is built: COUNTERSIGN=… npm start");
    });
    return executableIn(output);
  }
}

/** Cargo names what it built, a line of JSON each. */
function executableIn(output) {
  const messages = output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const built = messages.find((message) => message.executable && message.target.name === 'countersign');
  if (built === undefined) throw new Trouble('Cargo has built no program of the name countersign.');
  return built.executable;
}

async function ready(url) {
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await pause(100);
  }
}
