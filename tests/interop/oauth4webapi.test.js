// oauth4webapi's device grant (RFC 8628), step by step, against the server named by ISSUER.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { Person } from './person.js'

const issuer = new URL(process.env.ISSUER)
const insecure = { [oauth.allowInsecureRequests]: true }
const tv = { client_id: 'tv' }

let server
before(async () => {
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure })
  server = await oauth.processDiscoveryResponse(issuer, answer)
})

async function ask(scope = 'openid profile email') {
  const parameters = new URLSearchParams({ scope })
  const answer = await oauth.deviceAuthorizationRequest(server, tv, oauth.None(), parameters, insecure)
  return oauth.processDeviceAuthorizationResponse(server, tv, answer)
}

async function poll({ device_code }) {
  const answer = await oauth.deviceCodeGrantRequest(server, tv, oauth.None(), device_code, insecure)
  return oauth.processDeviceCodeResponse(server, tv, answer)
}

test('discovery tells of the grant', () => {
  assert.equal(server.device_authorization_endpoint, `${issuer}/protocol/openid-connect/auth/device`)
  assert.ok(server.grant_types_supported.includes('urn:ietf:params:oauth:grant-type:device_code'))
})

test('the codes are what a device can show', async () => {
  const codes = await ask()
  assert.match(codes.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
  assert.equal(codes.verification_uri, `${issuer}/device`)
  assert.equal(codes.verification_uri_complete, `${issuer}/device?user_code=${codes.user_code}`)
  assert.deepEqual([codes.interval, codes.expires_in], [5, 600])
})

test('a device waits, and gets tokens of who said yes', async () => {
  const codes = await ask()
  await assert.rejects(poll(codes), { error: 'authorization_pending', status: 400 })
  await assert.rejects(poll(codes), { error: 'slow_down', status: 400 })
  await new Person().connect(codes.verification_uri_complete, 'alice')
  const tokens = await poll(codes)
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).preferred_username, 'alice')
  assert.deepEqual(tokens.scope.split(' ').sort(), ['email', 'openid', 'profile'])
  await assert.rejects(poll(codes), { error: 'invalid_grant' })

  const fresh = await oauth.refreshTokenGrantRequest(server, tv, oauth.None(), tokens.refresh_token, insecure)
  const refreshed = await oauth.processRefreshTokenResponse(server, tv, fresh)
  const answer = await oauth.userInfoRequest(server, tv, refreshed.access_token, insecure)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  assert.equal((await oauth.processUserInfoResponse(server, tv, sub, answer)).email, 'alice@example.com')
})

test('the ID token is signed by the key set', async () => {
  const codes = await ask()
  await new Person().connect(codes.verification_uri_complete, 'alice')
  const answer = await oauth.deviceCodeGrantRequest(server, tv, oauth.None(), codes.device_code, insecure)
  await oauth.processDeviceCodeResponse(server, tv, answer)
  await oauth.validateApplicationLevelSignature(server, answer, insecure)
})

test('a code that is typed in lower case without its hyphen is the same code', async () => {
  const codes = await ask('openid')
  const person = new Person()
  let at = await person.open(codes.verification_uri)
  const typed = codes.user_code.toLowerCase().replace('-', '')
  at = await person.submit(at, 'device-user-code', { device_user_code: typed })
  at = await person.submit(at, 'kc-form-login', { username: 'bob', password: 'bob' })
  await person.submit(at, 'kc-login', { accept: 'Yes' })
  assert.ok((await poll(codes)).access_token)
})

test('no is access_denied', async () => {
  const codes = await ask()
  await new Person().connect(codes.verification_uri_complete, 'alice', 'kc-cancel')
  await assert.rejects(poll(codes), { error: 'access_denied', status: 400 })
})

test('a client that may not use the grant is told so', async () => {
  const spa = { client_id: 'spa' }
  const answer = await oauth.deviceAuthorizationRequest(server, spa, oauth.None(), new URLSearchParams(), insecure)
  await assert.rejects(oauth.processDeviceAuthorizationResponse(server, spa, answer), { error: 'unauthorized_client' })
})
