// openid-client 6, as an application would use it, against the server named by ISSUER.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import * as openid from 'openid-client'
import { Person } from './person.js'

const issuer = new URL(process.env.ISSUER)
const callback = 'http://127.0.0.1:9/callback'
const insecure = { execute: [openid.allowInsecureRequests] }

let web
before(async () => {
  web = await openid.discovery(issuer, 'web', 'web-secret', undefined, insecure)
})

/** Starts a sign-in; what the client has to remember, and the address to open. */
async function start(config, extra = {}) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const expectedNonce = openid.randomNonce()
  const address = openid.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid profile email',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...extra,
  })
  return { address, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } }
}

async function signIn(config, { person = new Person(), extra, username = 'alice' } = {}) {
  const { address, checks } = await start(config, extra)
  const landed = await person.signIn(address, username, username, callback)
  return openid.authorizationCodeGrant(config, landed.url, checks)
}

test('discovery tells of PKCE and of the issuer in answers', () => {
  const metadata = web.serverMetadata()
  assert.equal(metadata.issuer, issuer.href)
  assert.equal(metadata.supportsPKCE(), true)
  assert.equal(metadata.authorization_response_iss_parameter_supported, true)
})

test('discovery by RFC 8414 names the same server', async () => {
  const config = await openid.discovery(issuer, 'web', 'web-secret', undefined, { ...insecure, algorithm: 'oauth2' })
  assert.equal(config.serverMetadata().token_endpoint, web.serverMetadata().token_endpoint)
})

test('code with PKCE, state and nonce gives verified claims', async () => {
  const tokens = await signIn(web)
  const claims = tokens.claims()
  assert.equal(claims.preferred_username, 'alice')
  assert.equal(claims.email, 'alice@example.com')
  assert.equal(claims.aud, 'web')
  assert.ok(tokens.expires_in > 0)
  assert.ok(tokens.refresh_expires_in > 0)
})

test('max_age gives auth_time', async () => {
  const { address, checks } = await start(web, { max_age: '60' })
  const landed = await new Person().signIn(address, 'alice', 'alice', callback)
  const tokens = await openid.authorizationCodeGrant(web, landed.url, { ...checks, maxAge: 60 })
  assert.equal(typeof tokens.claims().auth_time, 'number')
})

test('prompt=none finds the session, and says so when there is none', async () => {
  const person = new Person()
  await signIn(web, { person })
  const known = await signIn(web, { person, extra: { prompt: 'none' } })
  assert.equal(known.claims().preferred_username, 'alice')
  await assert.rejects(signIn(web, { extra: { prompt: 'none' } }), { error: 'login_required' })
})

test('prompt=login asks again', async () => {
  const person = new Person()
  await signIn(web, { person })
  const { address } = await start(web, { prompt: 'login' })
  const at = await person.open(address, { stop: callback })
  assert.ok(at.page?.querySelector('#kc-form-login'))
})

test('a refresh token is exchanged for new tokens', async () => {
  const tokens = await signIn(web)
  const fresh = await openid.refreshTokenGrant(web, tokens.refresh_token)
  assert.notEqual(fresh.access_token, tokens.access_token)
  assert.equal(fresh.claims().sub, tokens.claims().sub)
})

test('userinfo speaks of the same person', async () => {
  const tokens = await signIn(web, { username: 'bob' })
  const person = await openid.fetchUserInfo(web, tokens.access_token, tokens.claims().sub)
  assert.equal(person.preferred_username, 'bob')
})

test('client credentials give a token for the service alone', async () => {
  const service = await openid.discovery(issuer, 'service', 'service-secret', undefined, insecure)
  const tokens = await openid.clientCredentialsGrant(service, { scope: 'reports:read' })
  assert.ok(tokens.scope.split(' ').includes('reports:read'))
  assert.ok(!tokens.scope.split(' ').includes('reports:write'))
  assert.equal(tokens.refresh_token, undefined)
})

test('a scope that was never given is refused', async () => {
  const service = await openid.discovery(issuer, 'service', 'service-secret', undefined, insecure)
  await assert.rejects(openid.clientCredentialsGrant(service, { scope: 'reports:burn' }), { error: 'invalid_scope' })
})

for (const [name, authentication] of [
  ['client_secret_post', openid.ClientSecretPost('web-secret')],
  ['client_secret_basic', openid.ClientSecretBasic('web-secret')],
]) {
  test(`a client authenticates by ${name}`, async () => {
    const config = await openid.discovery(issuer, 'web', undefined, authentication, insecure)
    assert.equal((await signIn(config)).token_type, 'bearer')
  })
}

test('a public client has no secret', async () => {
  const spa = await openid.discovery(issuer, 'spa', undefined, openid.None(), insecure)
  assert.equal((await signIn(spa)).claims().azp, 'spa')
})

test('a wrong secret is invalid_client', async () => {
  const config = await openid.discovery(issuer, 'service', 'wrong', undefined, insecure)
  await assert.rejects(openid.clientCredentialsGrant(config), { error: 'invalid_client', status: 401 })
})

test('a wrong verifier is invalid_grant', async () => {
  const { address, checks } = await start(web)
  const landed = await new Person().signIn(address, 'alice', 'alice', callback)
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  await assert.rejects(openid.authorizationCodeGrant(web, landed.url, { ...checks, pkceCodeVerifier }), {
    error: 'invalid_grant',
  })
})

test('a code is good once', async () => {
  const { address, checks } = await start(web)
  const landed = await new Person().signIn(address, 'alice', 'alice', callback)
  await openid.authorizationCodeGrant(web, landed.url, checks)
  await assert.rejects(openid.authorizationCodeGrant(web, landed.url, checks), { error: 'invalid_grant' })
})

test('an answer in the fragment', async () => {
  const { address, checks } = await start(web, { response_mode: 'fragment' })
  const landed = await new Person().signIn(address, 'alice', 'alice', callback)
  assert.equal(landed.url.search, '')
  const query = new URL(`${callback}?${landed.url.hash.slice(1)}`)
  assert.equal((await openid.authorizationCodeGrant(web, query, checks)).claims().azp, 'web')
})

test('an answer in a form', async () => {
  const { address, checks } = await start(web, { response_mode: 'form_post' })
  const at = await new Person().signIn(address, 'alice', 'alice', callback)
  const form = at.page.querySelector('form')
  assert.equal(form.getAttribute('action'), callback)
  const query = new URL(callback)
  for (const input of form.querySelectorAll('input[type=hidden]')) {
    query.searchParams.append(input.getAttribute('name'), input.getAttribute('value'))
  }
  assert.equal((await openid.authorizationCodeGrant(web, query, checks)).claims().azp, 'web')
})

test('a device gets tokens once a person says yes', async () => {
  const tv = await openid.discovery(issuer, 'tv', undefined, openid.None(), insecure)
  const codes = await openid.initiateDeviceAuthorization(tv, { scope: 'openid profile' })
  const polling = openid.pollDeviceAuthorizationGrant(tv, codes)
  await new Person().connect(codes.verification_uri_complete, 'bob')
  assert.equal((await polling).claims().preferred_username, 'bob')
})

test('the end-session address signs out and comes back', async () => {
  const person = new Person()
  const tokens = await signIn(web, { person })
  const address = openid.buildEndSessionUrl(web, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: 'http://127.0.0.1:9/signed-out',
    state: 'kept',
  })
  const landed = await person.open(address, { stop: 'http://127.0.0.1:9/' })
  assert.equal(landed.url.href, 'http://127.0.0.1:9/signed-out?state=kept')
  await assert.rejects(signIn(web, { person, extra: { prompt: 'none' } }), { error: 'login_required' })
  await assert.rejects(openid.refreshTokenGrant(web, tokens.refresh_token), { error: 'invalid_grant' })
})

test('tokens are bound to a key that the client proves to hold', async () => {
  const config = await openid.discovery(issuer, 'spa', undefined, openid.None(), insecure)
  const { address, checks } = await start(config)
  const landed = await new Person().signIn(address, 'alice', 'alice', callback)

  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair())
  const tokens = await openid.authorizationCodeGrant(config, landed.url, checks, undefined, { DPoP })
  const user = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP })

  assert.equal(tokens.token_type, 'dpop')
  assert.equal(user.email, 'alice@example.com')
  await assert.rejects(openid.fetchUserInfo(config, tokens.access_token, user.sub), { status: 401 })
  await assert.rejects(openid.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_dpop_proof' })
  const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  assert.equal(refreshed.token_type, 'dpop')
})
