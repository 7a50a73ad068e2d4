// The application under test: an API that takes access tokens and looks at their roles.
import { createServer } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

export function createApi(issuer) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`))

  async function respond(request) {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
    let claims
    try {
      claims = (await jwtVerify(token, keys, { issuer, audience: 'api', algorithms: ['RS256'] })).payload
    } catch {
      return [401, { error: 'invalid token' }]
    }
    if (request.method === 'DELETE' && !claims.realm_access.roles.includes('admin')) {
      return [403, { error: 'admins only' }]
    }
    return [200, { username: claims.preferred_username }]
  }

  return createServer(async (request, response) => {
    const [status, body] = await respond(request)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}
