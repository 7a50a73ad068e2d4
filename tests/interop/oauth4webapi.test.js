// oauth4webapi, step by step, against the server named by ISSUER: the device grant (RFC 8628), and a client that registers
// itself (RFC 7591), signs its assertions (RFC 7523), pushes its requests (RFC 9126) and proves its key (RFC 9449).
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

const callback = 'http://127.0.0.1:9/callback'

/** A client that registered itself with a key of its own: what it is, and how it proves that it is it. */
async function registered(metadata = {}) {
  const { privateKey, publicKey } = await oauth.generateKeyPair('ES256')
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const answer = await oauth.dynamicClientRegistrationRequest(server, {
    client_name: 'Signs for itself',
    redirect_uris: [callback],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ kty, crv, x, y, kid: 'one', alg: 'ES256' }] },
    ...metadata,
  }, insecure)
  const client = await oauth.processDynamicClientRegistrationResponse(answer)
  return { client, privateKey, proof: oauth.PrivateKeyJwt({ key: privateKey, kid: 'one' }) }
}

async function request() {
  const verifier = oauth.generateRandomCodeVerifier()
  const parameters = new URLSearchParams({
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid email',
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  return { parameters, verifier, state: parameters.get('state'), nonce: parameters.get('nonce') }
}

async function push({ client, proof }, parameters, options = insecure) {
  const answer = await oauth.pushedAuthorizationRequest(server, client, proof, parameters, options)
  return oauth.processPushedAuthorizationResponse(server, client, answer)
}

/** The tokens of the person who says yes to a pushed request. */
async function signedIn({ client, proof }, { request_uri }, { verifier, state, nonce }, options = insecure) {
  const address = new URL(server.authorization_endpoint)
  address.search = new URLSearchParams({ client_id: client.client_id, request_uri })
  const person = new Person()
  const at = await person.signIn(address, 'alice', 'alice', callback)
  // A yes is remembered.
  const { url } = at.page ? await person.submit(at, 'kc-login', { accept: 'Yes' }, { stop: callback }) : at
  const query = oauth.validateAuthResponse(server, client, url, state)
  const answer = await oauth.authorizationCodeGrantRequest(server, client, proof, query, callback, verifier, options)
  return oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true })
}

test('a client that registered itself signs, pushes, and gets tokens of who said yes', async () => {
  const app = await registered({ require_pushed_authorization_requests: true })
  assert.equal(app.client.require_pushed_authorization_requests, true)
  const asked = await request()
  const tokens = await signedIn(app, await push(app, asked.parameters), asked)
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).aud, app.client.client_id)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const answer = await oauth.userInfoRequest(server, app.client, tokens.access_token, insecure)
  assert.equal((await oauth.processUserInfoResponse(server, app.client, sub, answer)).email, 'alice@example.com')
})

test('a proof of another key is none of the client', async () => {
  const app = await registered()
  const stranger = { ...app, proof: (await registered()).proof }
  await assert.rejects(push(stranger, (await request()).parameters), { error: 'invalid_client', status: 401 })
})

test('a pushed request that is wrong is refused to the client', async () => {
  const { parameters } = await request()
  parameters.set('code_challenge_method', 'plain')
  await assert.rejects(push(await registered(), parameters), { error: 'invalid_request', status: 400 })
})

test('tokens are bound to the key that was proven when the request was pushed', async () => {
  const app = await registered({ dpop_bound_access_tokens: true })
  const DPoP = oauth.DPoP(app.client, await oauth.generateKeyPair('ES256'))
  const asked = await request()
  const pushed = await push(app, asked.parameters, { ...insecure, DPoP })
  const other = oauth.DPoP(app.client, await oauth.generateKeyPair('ES256'))
  await assert.rejects(signedIn(app, pushed, asked, { ...insecure, DPoP: other }), { error: 'invalid_grant' })

  const again = await request()
  const tokens = await signedIn(app, await push(app, again.parameters, { ...insecure, DPoP }), again, { ...insecure, DPoP })
  assert.equal(tokens.token_type, 'dpop')
  const claims = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url'))
  assert.equal(claims.cnf.jkt, await DPoP.calculateThumbprint())
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const answer = await oauth.userInfoRequest(server, app.client, tokens.access_token, { ...insecure, DPoP })
  assert.equal((await oauth.processUserInfoResponse(server, app.client, sub, answer)).sub, sub)
  const bare = await oauth.userInfoRequest(server, app.client, tokens.access_token, insecure)
  assert.equal(bare.status, 401, 'as a bearer token it is worth nothing')

  const fresh = await oauth.refreshTokenGrantRequest(server, app.client, app.proof, tokens.refresh_token, { ...insecure, DPoP })
  assert.equal((await oauth.processRefreshTokenResponse(server, app.client, fresh)).token_type, 'dpop')
})

test('a device proves a key too', async () => {
  const codes = await ask()
  const DPoP = oauth.DPoP(tv, await oauth.generateKeyPair('ES256'))
  await new Person().connect(codes.verification_uri_complete, 'alice')
  const answer = await oauth.deviceCodeGrantRequest(server, tv, oauth.None(), codes.device_code, { ...insecure, DPoP })
  const tokens = await oauth.processDeviceCodeResponse(server, tv, answer)
  assert.equal(tokens.token_type, 'dpop')
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const known = await oauth.userInfoRequest(server, tv, tokens.access_token, { ...insecure, DPoP })
  assert.equal((await oauth.processUserInfoResponse(server, tv, sub, known)).email, 'alice@example.com')
})
