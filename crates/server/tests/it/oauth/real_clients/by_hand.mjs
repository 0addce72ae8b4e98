// A client on oauth4webapi, which does each step by itself and checks every answer: discovery, a code, what the tokens say to an API, userinfo, a
// refresh, introspection, a token of its own, a token given back, and a code used twice. With DPoP where it is told so.

import * as oauth from 'oauth4webapi'

const told = JSON.parse(process.argv[2])
const plain = { [oauth.allowInsecureRequests]: true }
const client = { client_id: told.client_id, id_token_signed_response_alg: told.alg }

async function authentication() {
  switch (told.method) {
    case 'none':
      return oauth.None()
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(told.secret)
    case 'client_secret_post':
      return oauth.ClientSecretPost(told.secret)
    case 'private_key_jwt': {
      const pkcs8 = Buffer.from(told.pkcs8, 'base64')
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      return oauth.PrivateKeyJwt(await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']))
    }
  }
}

const issuer = new URL(told.issuer)
const discovered = async (algorithm) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...plain }))
const server = await discovered('oidc')
const sameServer = await discovered('oauth2')
if (JSON.stringify(server) !== JSON.stringify(sameServer)) throw new Error('two documents that differ')

const proves = await authentication()
const dpop = told.dpop ? oauth.DPoP(client, await oauth.generateKeyPair(told.dpop)) : undefined
const options = { DPoP: dpop, ...plain }

// Once more with the nonce, if that is what was missing.
let asked = 0
async function call(request, process) {
  const once = async () => process(await request())
  return once().catch((problem) => {
    if (!dpop || !oauth.isDPoPNonceError(problem)) throw problem
    asked += 1
    return once()
  })
}

// What an API that knows nothing but the issuer's keys reads in the call of an access token.
async function read(accessToken) {
  let seen
  const watched = async (url, init) => {
    seen = new Request(url, { method: init.method, headers: init.headers })
    return fetch(url, init)
  }
  const request = () => oauth.userInfoRequest(server, client, accessToken, { ...options, [oauth.customFetch]: watched })
  const claims = await call(request, async (response) => {
    if (response.status !== 200) await oauth.processUserInfoResponse(server, client, oauth.skipSubjectCheck, response)
    return oauth.validateJwtAccessToken(server, seen, told.issuer, { requireDPoP: Boolean(dpop), ...plain })
  })
  return { claims, scheme: seen.headers.get('authorization').split(' ')[0] }
}

function exchange(number) {
  const parameters = oauth.validateAuthResponse(server, client, new URL(told.callbacks[number]), 'a state')
  return call(
    () =>
      oauth.authorizationCodeGrantRequest(server, client, proves, parameters, told.redirect_uri, told.verifier, options),
    async (response) => {
      const kept = response.clone()
      const checks = { expectedNonce: 'n-1', requireIdToken: true }
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, checks)
      await oauth.validateApplicationLevelSignature(server, response, plain)
      if (kept.headers.get('cache-control') !== 'no-store') throw new Error('this may be cached')
      return tokens
    },
  )
}

const tokens = await exchange(0)
const claims = oauth.getValidatedIdTokenClaims(tokens)
const api = await read(tokens.access_token)
const userinfo = await call(
  () => oauth.userInfoRequest(server, client, tokens.access_token, options),
  (response) => oauth.processUserInfoResponse(server, client, claims.sub, response),
)
const refreshed = await call(
  () => oauth.refreshTokenGrantRequest(server, client, proves, tokens.refresh_token, options),
  (response) => oauth.processRefreshTokenResponse(server, client, response),
)
const introspect = async (token) => {
  const response = await oauth.introspectionRequest(server, client, proves, token, plain)
  return oauth.processIntrospectionResponse(server, client, response)
}
const giveBack = async (token) => {
  const response = await oauth.revocationRequest(server, client, proves, token, plain)
  return oauth.processRevocationResponse(response)
}

let own, before, after
if (told.method !== 'none') {
  before = await introspect(refreshed.access_token)
  own = await call(
    () => oauth.clientCredentialsGrantRequest(server, client, proves, { scope: 'read' }, options),
    (response) => oauth.processClientCredentialsResponse(server, client, response),
  )
  own.introspected = await introspect(own.access_token)
}
const givenBack = await giveBack(refreshed.refresh_token ?? tokens.refresh_token).then(
  () => 'done',
  (problem) => problem.error,
)
if (told.method !== 'none') after = await introspect(refreshed.access_token)

await exchange(1)
const replayed = await exchange(1).then(
  () => 'taken',
  (problem) => problem.error,
)
console.log(
  JSON.stringify({ tokens, claims, api, userinfo, refreshed, own, before, after, givenBack, replayed, asked }),
)
