// The npm package oidc-provider, for what it costs there: tokens of a client, introspection, rotating refresh. It keeps what it issues in memory, and
// nothing on a disk.
//
//   server.mjs PORT TOKENS
//
// Writes lines to TOKENS, each with an opaque access token and a refresh token, and then listens.

import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

import { Provider } from 'oidc-provider'

const [port, tokens] = process.argv.slice(2)
const API = 'urn:countersign:bench:api'
const OPAQUE = 'urn:countersign:bench:opaque'
const MANY = 20_000

// The adapter that the package brings forgets all but the last thousand.
const kept = new Map()
class Memory {
  constructor(model) {
    this.model = model
  }
  key(id) {
    return `${this.model}:${id}`
  }
  async upsert(id, payload) {
    kept.set(this.key(id), payload)
  }
  async find(id) {
    return kept.get(this.key(id))
  }
  async consume(id) {
    kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000)
  }
  async destroy(id) {
    kept.delete(this.key(id))
  }
  async revokeByGrantId() {}
}

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const provider = new Provider(`http://localhost:${port}`, {
  adapter: Memory,
  jwks: { keys: [{ ...key, use: 'sig', alg: 'ES256', kid: 'k1' }] },
  clients: [
    {
      client_id: 'c4',
      client_secret: 'a secret of the bench, long enough for anything',
      grant_types: ['client_credentials', 'refresh_token', 'authorization_code'],
      redirect_uris: ['http://localhost:5000/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    },
  ],
  scopes: ['openid', 'offline_access', 'read'],
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 86_400, ClientCredentials: 900, RefreshToken: 86_400, Grant: 86_400 },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'read',
        audience: resource,
        ...(resource === API
          ? { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }
          : { accessTokenFormat: 'opaque' }),
      }),
    },
  },
})
provider.on('server_error', (ctx, problem) => console.error(problem))

const client = await provider.Client.find('c4')
const lines = []
for (let number = 0; number < MANY; number += 1) {
  const accountId = `user${number}`
  const grant = new provider.Grant({ clientId: 'c4', accountId })
  grant.addOIDCScope('offline_access')
  grant.addResourceScope(API, 'read')
  const grantId = await grant.save()
  const common = { client, accountId, grantId, gty: 'authorization_code', scope: 'offline_access read' }
  const refresh = new provider.RefreshToken({ ...common, resource: API })
  const access = new provider.AccessToken({ ...common, scope: 'read' })
  access.resourceServer = new provider.ResourceServer(OPAQUE, { scope: 'read', accessTokenFormat: 'opaque' })
  lines.push(`${await access.save()} ${await refresh.save()}\n`)
}
writeFileSync(tokens, lines.join(''))

const callback = provider.callback()
createServer((request, response) => {
  if (request.url === '/health/ready') response.end()
  else callback(request, response)
}).listen(Number(port), '127.0.0.1')
