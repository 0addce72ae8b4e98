// Checks an access token as an API in Node would, by the keys that the issuer publishes, and prints its claims.
//
//     verify.mjs JWKS_URI ISSUER AUDIENCE TOKEN

import { createRemoteJWKSet, jwtVerify } from 'jose';

const [jwksUri, issuer, audience, token] = process.argv.slice(2);
const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwksUri)), {
  algorithms: ['ES256'],
  audience,
  issuer,
  requiredClaims: ['exp', 'iat', 'sub'],
  typ: 'at+jwt',
});
console.log(JSON.stringify(payload));
