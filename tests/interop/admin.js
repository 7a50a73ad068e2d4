// What the suites of @keycloak/keycloak-admin-client share: an administrator, sign-ins with what was made, refusals.
import assert from 'node:assert/strict'
import KcAdminClient from '@keycloak/keycloak-admin-client'

export const baseUrl = process.env.VESTIBULE_URL
export const kc = new KcAdminClient({ baseUrl, realmName: 'master' })

/** Signs the administrator of everything in. */
export function administrator() {
  return kc.auth({ grantType: 'password', clientId: 'admin-cli', username: 'admin', password: 'admin' })
}

/** The answer of the token endpoint, which must be 200. */
export async function token(realm, form) {
  const address = `${baseUrl}/realms/${realm}/protocol/openid-connect/token`
  const answer = await fetch(address, { method: 'POST', body: new URLSearchParams(form) })
  const body = await answer.json()
  assert.equal(answer.status, 200, JSON.stringify(body))
  return body
}

/** What a token of ours says. */
export function claims(jwt) {
  return JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
}

/** Signs in by the password grant; the claims of the access token. */
export async function signIn(realm, username, password, more = {}) {
  const form = { grant_type: 'password', client_id: 'tests', username, password, scope: 'openid', ...more }
  return claims((await token(realm, form)).access_token)
}

/** A realm with the public client `tests` and the user `alice`, and what else it is made of. */
export async function makeRealm(realm, more = {}) {
  const tests = { clientId: 'tests', publicClient: true, directAccessGrantsEnabled: true, redirectUris: ['http://localhost/*'] }
  const alice = {
    username: 'alice',
    enabled: true,
    email: 'alice@example.com',
    firstName: 'Alice',
    lastName: 'Liddell',
    credentials: [{ type: 'password', value: 'alice', temporary: false }],
  }
  await kc.realms.create({ realm, enabled: true, clients: [tests], users: [alice], ...more })
}

/** The refusal of what must not succeed. */
export async function refused(promise) {
  try {
    await promise
  } catch (error) {
    return { status: error.response?.status, body: error.responseData }
  }
  throw new Error('it was not refused')
}
