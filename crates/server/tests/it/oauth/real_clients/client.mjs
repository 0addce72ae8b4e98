// A client on openid-client: discovery, a code, userinfo, a refresh, introspection, revocation, and a code used twice.

import * as client from 'openid-client'

const told = JSON.parse(process.argv[2])

async function authentication() {
  switch (told.method) {
    case 'none':
      return client.None()
    case 'client_secret_basic':
      return client.ClientSecretBasic(told.secret)
    case 'client_secret_post':
      return client.ClientSecretPost(told.secret)
    case 'private_key_jwt': {
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      const pkcs8 = Buffer.from(told.pkcs8, 'base64')
      const key = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
      return client.PrivateKeyJwt({ key, kid: 'k1' })
    }
  }
}

const metadata = { id_token_signed_response_alg: told.alg }
const options = { execute: [client.allowInsecureRequests] }
const config = await client.discovery(new URL(told.issuer), told.client_id, metadata, await authentication(), options)
client.enableNonRepudiationChecks(config)

const checks = { pkceCodeVerifier: told.verifier, expectedState: 'a state', expectedNonce: 'n-1', idTokenExpected: true }
const callback = (number) => new URL(told.callbacks[number])
const tokens = await client.authorizationCodeGrant(config, callback(0), checks)
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
if (told.method !== 'none') {
  const live = await client.tokenIntrospection(config, refreshed.access_token)
  if (!live.active || live.sub !== claims.sub) throw new Error(`not active: ${JSON.stringify(live)}`)
  const own = await client.clientCredentialsGrant(config, { scope: 'read' })
  if (own.scope !== 'read') throw new Error(`another scope: ${own.scope}`)
}
await client.tokenRevocation(config, refreshed.refresh_token)
if (told.method !== 'none') {
  const dead = await client.tokenIntrospection(config, refreshed.access_token)
  if (dead.active) throw new Error('still active')
}

await client.authorizationCodeGrant(config, callback(1), checks)
const replayed = await client.authorizationCodeGrant(config, callback(1), checks).then(
  () => 'taken',
  (problem) => problem.error,
)
console.log(JSON.stringify({ claims, userinfo, refreshed, replayed }))
