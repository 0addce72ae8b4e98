// Sums, read by a grammar. Nothing that a user writes is ever run.
//
//     sum     = product { ("+" | "-") product }
//     product = factor { ("*" | "/") factor }
//     factor  = ["-" | "+"] (number | "(" sum ")")

/** Brackets within brackets: each takes a piece of the stack. */
const DEPTH_LIMIT = 50;

const SIGNS = { '×': '*', '·': '*', '÷': '/', ':': '/', '−': '-', ',': '.' };

/** What the first sum in a text comes to, as a sentence; null if there is none. */
export function result(text) {
  const sum = sumIn(text.replaceAll(/[×·÷:−,]/g, (sign) => SIGNS[sign]));
  if (sum === null) return null;
  try {
    return `${sum} = ${shown(new Reader(sum).all())}`;
  } catch (error) {
    if (error instanceof NoSum) return error.message;
    throw error;
  }
}

/**
 * The first number with all around it that could be of its sum, and without what could only be the sentence's. Letter by
 * letter: a pattern that looks for an end anew from each begin takes a long time with a long row of brackets.
 */
function sumIn(text) {
  const digit = text.search(/\d/);
  if (digit < 0) return null;
  let [from, to] = [digit, digit];
  while (from > 0 && '-+( '.includes(text[from - 1])) from--;
  while (to < text.length && /[\d\s.+\-*/()]/.test(text[to])) to++;
  while ('.+-*/( '.includes(text[to - 1])) to--;
  const sum = text.slice(from, to).replaceAll(/\s/g, '');
  return /[\d)][+\-*/]/.test(sum) ? sum : null;
}

class NoSum extends Error {}

class Reader {
  #signs;
  #at = 0;

  constructor(text) {
    this.#signs = text.match(/\d+(?:\.\d+)?|\S/g) ?? [];
  }

  all() {
    const value = this.#sum(0);
    if (this.#at < this.#signs.length) throw new NoSum("I can't read that sum. Is a bracket missing?");
    return value;
  }

  #sum(depth) {
    let value = this.#product(depth);
    while (this.#sees('+', '-')) {
      const sign = this.#take();
      const other = this.#product(depth);
      value = sign === '+' ? value + other : value - other;
    }
    return value;
  }

  #product(depth) {
    let value = this.#factor(depth);
    while (this.#sees('*', '/')) {
      const sign = this.#take();
      const other = this.#factor(depth);
      if (sign === '/' && other === 0) throw new NoSum("Nothing can be divided by 0.");
      value = sign === '*' ? value * other : value / other;
    }
    return value;
  }

  #factor(depth) {
    const sign = this.#sees('+', '-') ? this.#take() : '+';
    const value = this.#sees('(') ? this.#bracket(depth + 1) : this.#number();
    return sign === '-' ? -value : value;
  }

  #bracket(depth) {
    if (depth > DEPTH_LIMIT) throw new NoSum(`I can keep ${DEPTH_LIMIT} brackets in mind, no more.`);
    this.#take();
    const value = this.#sum(depth);
    if (!this.#sees(')')) throw new NoSum("I can't read that sum. Is a bracket missing?");
    this.#take();
    return value;
  }

  #number() {
    const text = this.#take();
    if (!/^\d/.test(text ?? '')) throw new NoSum("I can't read that sum. Is a number missing?");
    return Number(text);
  }

  #sees(...signs) {
    return signs.includes(this.#signs[this.#at]);
  }

  #take() {
    return this.#signs[this.#at++];
  }
}

/** Without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
function shown(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(12))) : 'more than I can say';
}
