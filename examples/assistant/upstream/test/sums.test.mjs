import assert from 'node:assert/strict';
import test from 'node:test';

import { result } from '../sums.mjs';

test('sums are done by the rules of arithmetic', () => {
  const sums = {
    'What is 12 × (3 + 4)?': '12*(3+4) = 84',
    '1+2*3': '1+2*3 = 7',
    '10 - 4 - 3': '10-4-3 = 3',
    '8 / 4 / 2': '8/4/2 = 1',
    '0.1 + 0.2': '0.1+0.2 = 0.3',
    '1,5 + 1': '1.5+1 = 2.5',
    '-3 + 5': '-3+5 = 2',
    '2 * -3': '2*-3 = -6',
    '(1 + 2) * (3 + 4)': '(1+2)*(3+4) = 21',
    'please: 7 − 2.': '7-2 = 5',
  };
  for (const [text, expected] of Object.entries(sums)) assert.equal(result(text), expected, text);
});

test('what is no sum is none', () => {
  for (const text of ['', 'hello', 'I am 42', '()', '+', '1', 'x'.repeat(8000)]) assert.equal(result(text), null, text);
});

test('a sum that can\'t be done is said to be so', () => {
  assert.equal(result('1 / 0'), 'Nothing can be divided by 0.');
  assert.equal(result('0 / (1 - 1)'), 'Nothing can be divided by 0.');
  assert.match(result('(1 + 2'), /bracket/);
  assert.match(result('1 + 2)'), /bracket/);
  assert.match(result('1 + * 2'), /number/);
  assert.match(result(`${'('.repeat(3000)}1+1`), /brackets in mind/);
  assert.match(result(`${'9'.repeat(400)} * 2`), /more than I can say/);
});

test('a long sum takes no long time', () => {
  const begun = Date.now();
  const texts = ['1+'.repeat(4000), '('.repeat(8000), `${'('.repeat(7999)}1`, '1 '.repeat(4000), '-'.repeat(8000), '-('.repeat(4000), `1${' '.repeat(7999)}`];
  for (const text of texts) result(text);
  assert.ok(Date.now() - begun < 1000);
});

test('nothing is run', () => {
  globalThis.ran = false;
  result('1+globalThis.ran=true');
  result('(1+1).constructor.constructor("globalThis.ran=true")()');
  assert.equal(globalThis.ran, false);
});
