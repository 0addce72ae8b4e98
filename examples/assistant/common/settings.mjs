// What a program is told in its environment.

/** A setting without which it can't run. */
export function needed(name) {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} isn't set. \`npm start\` starts everything with what it needs; README.md says what each part wants.`);
  process.exit(2);
}

/** A setting that has a usual value. */
export function optional(name, usual) {
  return process.env[name] || usual;
}

/** A port to listen on. */
export function portIn(name, usual) {
  const text = optional(name, String(usual));
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  console.error(`${name} is ${text}: a port is a number from 1 to 65535.`);
  process.exit(2);
}
