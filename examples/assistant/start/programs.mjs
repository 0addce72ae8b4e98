// The programs that run, which all end together.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Trouble } from './ports.mjs';

const ROOT = new URL('../', import.meta.url);

/** How long a program may take to end. Countersign finishes what runs, for 10 s. */
const PATIENCE = 15_000;

export class Programs {
  #running = new Map();
  #failed;
  #fail;

  /** They are being ended, by will. */
  areStopping = false;

  constructor() {
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever waits for it hears of it; nobody has to.
    this.#failed.catch(() => {});
  }

  /** Starts a program that goes on. When it ends before the others, so do they. */
  start(name, file, words, { env = {}, ipc = false } = {}) {
    const stdio = ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc'] : [])];
    const child = this.#spawn(name, file, words, { env: { ...inherited(), ...env }, stdio });
    child.once('error', (error) => this.#endAll(`${name} doesn't start: ${error.message}`));
    child.once('exit', (code, signal) => this.#endAll(`${name} ended by itself (${signal ?? code}).`));
    createInterface({ input: child.stderr }).on('line', (line) => console.error(`[${name}] ${line}`));
    return child;
  }

  /** Runs a program to its end, in this environment. Gives what it printed. */
  async run(file, words, cwd) {
    const child = this.#spawn(file, file, words, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (more) => {
      output += more;
    });
    const [code] = await this.orFailure(once(child, 'close'));
    if (code !== 0) throw new Trouble(`${file} has failed: see above.`);
    return output;
  }

  /** Starts a part of this example, and waits until it listens. */
  async node(name, env) {
    const server = fileURLToPath(new URL(`${name}/server.mjs`, ROOT));
    const child = this.start(name, process.execPath, [server], { env, ipc: true });
    const lines = createInterface({ input: child.stdout });
    await this.orFailure(once(lines, 'line'));
  }

  /** Waits for something, but no longer than everything runs. */
  orFailure(what) {
    return Promise.race([what, this.#failed]);
  }

  /** Ends them all. Whoever asks twice doesn't want to wait. */
  async stop() {
    const signal = this.areStopping ? 'SIGKILL' : 'SIGTERM';
    this.areStopping = true;
    const late = setTimeout(() => this.#kill('SIGKILL'), PATIENCE);
    const ends = [...this.#running.values()].map((child) => once(child, 'exit'));
    this.#kill(signal);
    this.#fail(new Trouble('Asked to stop.'));
    await Promise.allSettled(ends);
    clearTimeout(late);
  }

  #spawn(name, file, words, options) {
    const child = spawn(file, words, options);
    this.#running.set(name, child);
    for (const end of ['error', 'exit']) child.once(end, () => this.#running.delete(name));
    return child;
  }

  #kill(signal) {
    for (const child of this.#running.values()) child.kill(signal);
  }

  async #endAll(message) {
    if (this.areStopping) return;
    console.error(message);
    await this.stop();
    process.exit(1);
  }
}

/** Nothing of this environment that is named like a secret, or like a setting of a part, is handed on by accident. */
function inherited() {
  const names = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'CARGO_HOME', 'RUSTUP_HOME', 'WORD_PAUSE'];
  return Object.fromEntries(names.filter((name) => name in process.env).map((name) => [name, process.env[name]]));
}
