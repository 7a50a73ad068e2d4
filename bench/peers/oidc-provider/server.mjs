// node-oidc-provider with a client, PKCE, rotation, and access tokens as JWT in the three algorithms.
import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'

const port = Number(process.env.PORT)
const key = (alg, kind, options) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg,
})
const resources = { 'urn:bench:RS256': 'RS256', 'urn:bench:ES256': 'ES256', 'urn:bench:EdDSA': 'EdDSA' }

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: {
    keys: [
      key('RS256', 'rsa', { modulusLength: 2048 }),
      key('ES256', 'ec', { namedCurve: 'P-256' }),
      key('EdDSA', 'ed25519', {}),
    ],
  },
  clients: [{
    client_id: 'bench',
    client_secret: 'bench-secret-0123456789abcdef0123456789',
    grant_types: [
      'client_credentials', 'authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code',
    ],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1:9999/callback'],
    scope: 'openid profile email offline_access api',
  }],
  scopes: ['openid', 'profile', 'email', 'offline_access', 'api'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  cookies: { keys: ['bench'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: {
    AccessToken: 3600, ClientCredentials: 3600, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 3600,
    IdToken: 3600, AuthorizationCode: 60,
  },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => false,
      getResourceServerInfo: async (context, resource) => ({
        scope: 'api', audience: resource, accessTokenTTL: 3600, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resources[resource] } },
      }),
    },
  },
})
provider.listen(port, '127.0.0.1')
