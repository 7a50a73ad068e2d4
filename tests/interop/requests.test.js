// What openid-client 6 can say in a request beyond the usual, against the server named by ISSUER.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import * as openid from 'openid-client'
import { Person } from './person.js'

const issuer = new URL(process.env.ISSUER)
const callback = 'http://127.0.0.1:9/callback'

let web
beforeEach(async () => {
  const options = { execute: [openid.allowInsecureRequests] }
  web = await openid.discovery(issuer, 'web', 'web-secret', undefined, options)
})

async function parameters(extra) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()]
  const said = {
    redirect_uri: callback,
    scope: 'openid',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...extra,
  }
  return { said, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } }
}

async function answered(address) {
  const { url } = await new Person().signIn(address, 'alice', 'alice', callback)
  return url
}

test('a request is pushed, and the browser carries a reference alone', async () => {
  const { said, checks } = await parameters({})
  const address = await openid.buildAuthorizationUrlWithPAR(web, said)
  assert.deepEqual([...address.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const tokens = await openid.authorizationCodeGrant(web, await answered(address), checks)
  assert.equal(tokens.claims().preferred_username, 'alice')
})

test('a pushed request that is wrong is refused to the client', async () => {
  const { said } = await parameters({ scope: 'openid something-else' })
  await assert.rejects(openid.buildAuthorizationUrlWithPAR(web, said), { error: 'invalid_scope' })
})

test('an answer is signed', async () => {
  openid.useJwtResponseMode(web)
  const { said, checks } = await parameters({})
  const url = await answered(openid.buildAuthorizationUrl(web, said))
  assert.deepEqual([...url.searchParams.keys()], ['response'])
  const tokens = await openid.authorizationCodeGrant(web, url, checks)
  assert.equal(tokens.claims().preferred_username, 'alice')
})

test('a refusal is signed', async () => {
  openid.useJwtResponseMode(web)
  const { said, checks } = await parameters({ prompt: 'none' })
  const url = await answered(openid.buildAuthorizationUrl(web, said))
  assert.deepEqual([...url.searchParams.keys()], ['response'])
  await assert.rejects(openid.authorizationCodeGrant(web, url, checks), { error: 'login_required' })
})

test('claims are asked for one by one', async () => {
  const claims = JSON.stringify({ userinfo: { phone_number: { essential: true } } })
  const { said, checks } = await parameters({ claims })
  const tokens = await openid.authorizationCodeGrant(web, await answered(openid.buildAuthorizationUrl(web, said)), checks)
  const known = await openid.fetchUserInfo(web, tokens.access_token, tokens.claims().sub)
  assert.equal(known.phone_number, '+49 30 123456')
})
