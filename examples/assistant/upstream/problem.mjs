// What goes wrong, in the only shape that clients of this door can read: `{"error": {"code", "message"}}`.

const CODES = {
  400: 'invalid_request',
  401: 'invalid_credentials',
  403: 'forbidden',
  404: 'resource_not_found',
  405: 'invalid_request',
  409: 'conflict',
  413: 'invalid_request',
  429: 'rate_limited',
  500: 'unknown',
  503: 'unavailable',
};

/** A refusal whose message the caller may read. */
export class Problem extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }

  get body() {
    return { error: { code: CODES[this.status], message: this.message } };
  }
}

/** The same for what isn't there and for what is somebody else's, so that nobody learns which ids exist. */
export function notFound(noun) {
  return new Problem(404, `There is no such ${noun}.`);
}

/** What the caller is told of any error. Of those that nobody foresaw: nothing but that it happened. */
export function problemOf(error) {
  return error instanceof Problem ? error : new Problem(500, 'Something went wrong here.');
}
