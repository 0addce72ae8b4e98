// What went wrong, in words for people: what happened, and what to do.

import { BackendRefusal } from './backend.mjs';
import { Cut, Refusal, Unreachable } from './client.mjs';

/** `{ title, what, todo, code }`. `sent` is which proof was chosen, `name` who is signed in. */
export function explain(error, { sent, name }) {
  if (error instanceof Refusal) return { ...refusal(error, sent, name), code: `${error.status} ${error.code}` };
  if (error instanceof BackendRefusal) return { ...backendRefusal(error, name), code: `backend: ${error.status}` };
  if (error instanceof Unreachable) {
    return words('Nobody answers', 'Countersign or the backend can’t be reached.', 'See in the terminal whether everything runs, then try again.');
  }
  if (error instanceof Cut) return words('The reply broke off', 'The connection ended in the middle of it.', 'Send your message again.');
  console.error(error);
  return words('Something went wrong', 'This page has a fault.', 'Load it again. The browser’s console says more.');
}

function refusal(error, sent, name) {
  switch (error.status) {
    case 401:
      return notBelieved(sent, name);
    case 403:
      return words('This isn’t allowed', 'Countersign knows who you are, and you may not do this.', 'Ask whoever runs the project.');
    case 404:
      return words('This isn’t there', 'It may have been removed, or it belongs to somebody else.', 'Begin a new conversation.');
    case 409:
      return words('This conversation is full', 'It takes no more messages.', 'Begin a new conversation.');
    case 429:
      return words('Too much at once', 'Countersign asks for a pause.', `Wait ${error.retryAfter ?? 'a few'} seconds, then try again.`);
    case 502:
    case 503:
    case 504:
      return words('The assistant is away', 'Countersign has let you in, but the assistant behind it doesn’t answer.', 'Try again in a moment.');
    default:
      return words('The assistant didn’t take this', error.message, 'Change it, then try again.');
  }
}

/** Countersign tells a caller nothing about why. What the page has sent tells the rest. */
function notBelieved(sent, name) {
  if (sent === 'wrong') {
    return words(
      'Countersign doesn’t believe this is ' + name,
      'The page sent an HMAC that wasn’t made with the project’s secret, as a stranger would. Nothing was shown and nothing was done.',
      'Choose “The right HMAC” to go on. If this happens in your own app, the command “countersign explain” names the mistake.',
    );
  }
  if (sent === 'none') {
    return words(
      'Countersign wants a proof that this is ' + name,
      'The page only said who you are. Anybody can say that, so it was refused.',
      'Choose “The right HMAC” to go on.',
    );
  }
  return words(
    name + ' is no longer let in',
    'The proof is right as far as the backend knows, and Countersign refuses it: the user was disabled, or a key or secret was replaced.',
    'Ask whoever runs the project, or sign in as somebody else.',
  );
}

function backendRefusal(error, name) {
  if (error.status === 403) {
    return words('Somebody else is signed in', `In another window the user was switched, so ${name} can’t be proved here.`, 'Load this page again.');
  }
  if (error.status === 401) return words('You are signed out', 'The backend doesn’t know you any more.', 'Sign in again.');
  return words('The backend has a fault', 'It couldn’t prove who you are.', 'See in the terminal what it says, then try again.');
}

function words(title, what, todo) {
  return { title, what, todo, code: null };
}
