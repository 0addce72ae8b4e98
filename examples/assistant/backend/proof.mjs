// The proof of a user: what only somebody who holds the project's HMAC secret can compute.

import { createHmac } from 'node:crypto';

const PREFIX = 'hsec_';

/** A function that proves a user's id. The whole secret is the key, its prefix too. */
export function prover(secret) {
  if (!secret.startsWith(PREFIX)) throw new Error(`an HMAC secret begins with ${PREFIX}`);
  return (externalId) => createHmac('sha256', secret).update(externalId, 'utf8').digest('base64');
}
