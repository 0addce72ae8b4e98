// Who calls. The gateway says so in a signed assertion, and nothing else is believed: whoever reaches this port past the
// gateway can write `X-Countersign-User` as well as the gateway can, but can't sign.

import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

import { Problem } from './problem.mjs';

const HEADER = 'x-countersign-assertion';

/** What kind of token it is. The same keys sign access tokens, and one of those isn't an assertion, whatever its audience. */
const TYPE = 'caller-assertion+jwt';

/** An assertion lives for a minute. One that claims more wasn't made for this. */
const MAX_AGE = '60s';

/** Seconds that the clocks of two machines may be apart. */
const LEEWAY = 5;

/** Errors of jose that are no fault of the assertion: the keys can't be had. */
const KEYS_ARE_AWAY = [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code];

/**
 * A function that tells the caller of a request: `{ user, externalId, amr }`.
 *
 * `audience` is this API, as the gateway names it. Without that check an assertion for another API behind the same gateway
 * would open this one.
 */
export function callerReader({ jwksUrl, issuer, audience }) {
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 3000 });
  const rules = {
    algorithms: ['ES256'],
    audience,
    clockTolerance: LEEWAY,
    issuer,
    maxTokenAge: MAX_AGE,
    requiredClaims: ['sub', 'iat', 'exp'],
    typ: TYPE,
  };
  return async (request) => {
    const assertion = onlyAssertion(request);
    const { payload } = await jwtVerify(assertion, keys, rules).catch(refuse);
    return callerIn(payload);
  };
}

function onlyAssertion(request) {
  const all = request.headersDistinct[HEADER] ?? [];
  if (all.length !== 1) throw refusal();
  return all[0];
}

function callerIn({ sub, external_id: externalId = null, amr }) {
  if (!Array.isArray(amr)) throw refusal();
  // A backend that calls with its secret key is proved, too, and is nobody.
  if (!sub.startsWith('u_')) throw new Problem(403, 'Only users have conversations.');
  return { user: sub, externalId, amr };
}

function refuse(error) {
  const isAboutKeys = !(error instanceof errors.JOSEError) || KEYS_ARE_AWAY.includes(error.code);
  if (!isAboutKeys) throw refusal();
  console.error(`The keys of the gateway can't be had: ${error.message}`);
  throw new Problem(503, 'Try again in a moment.', { 'retry-after': '1' });
}

/** One message for every reason: a forger learns nothing. */
function refusal() {
  return new Problem(401, 'Only calls that come through the gateway are answered.');
}
