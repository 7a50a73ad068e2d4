// How apps hear of a sign-out, in a real browser: frames (Front-Channel Logout), the login status frame (Session
// Management), and keycloak-js, which uses the latter. The apps register themselves, as the demo realm lets them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import * as openid from 'openid-client'
import { Browsing } from './browsing.js'

const issuer = new URL(process.env.ISSUER)
const insecure = { execute: [openid.allowInsecureRequests] }
const protocol = `${issuer}/protocol/openid-connect`
const keycloakJs = await readFile(new URL('./node_modules/keycloak-js/lib/keycloak.js', import.meta.url), 'utf8')

/** An app that shows nothing and notes what it is asked for. */
class App {
  static async start() {
    const app = new App()
    app.requests = []
    app.server = createServer((request, response) => {
      app.requests.push(request.url)
      const script = request.url === '/keycloak.js'
      response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' })
      response.end(script ? keycloakJs : '<!doctype html><html lang="en" data-app><title>app</title>')
    })
    await once(app.server.listen(0, '127.0.0.1'), 'listening')
    app.origin = `http://127.0.0.1:${app.server.address().port}`
    return app
  }

  /** Registers the app (RFC 7591). */
  async register(members = {}) {
    const metadata = {
      client_name: 'Leaving App',
      redirect_uris: [`${this.origin}/callback`, `${this.origin}/`],
      post_logout_redirect_uris: [`${this.origin}/bye`],
      frontchannel_logout_uri: `${this.origin}/out?tenant=1`,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      ...members,
    }
    const config = await openid.dynamicClientRegistration(issuer, metadata, openid.None(), insecure)
    this.clientId = config.clientMetadata().client_id
    this.config = config
  }

  /** Signs alice in; the tokens, and what the authorization response said. */
  async signIn(page) {
    const pkceCodeVerifier = openid.randomPKCECodeVerifier()
    const address = openid.buildAuthorizationUrl(this.config, {
      redirect_uri: `${this.origin}/callback`,
      scope: 'openid profile',
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    await page.goto(address.href)
    await answer(page)
    await page.waitForURL(`${this.origin}/callback?*`)
    const callback = new URL(page.url())
    const tokens = await openid.authorizationCodeGrant(this.config, callback, { pkceCodeVerifier })
    return { tokens, sessionState: callback.searchParams.get('session_state') }
  }

  heard(path) {
    return this.requests.filter((url) => url.startsWith(path))
  }

  stop() {
    this.server.closeAllConnections()
    return new Promise((done) => this.server.close(done))
  }
}

/** Fills in what is asked on the way to the app. */
async function answer(page) {
  await page.waitForSelector('#username')
  await page.fill('#username', 'alice')
  await page.fill('#password', 'alice')
  await page.click('#kc-login')
  // Consent is asked the first time.
  await page.waitForSelector('#kc-cancel, html[data-app]', { state: 'attached' })
  if (await page.locator('#kc-cancel').count()) await page.click('#kc-login')
}

let browsing
let app
let stranger
before(async () => {
  browsing = await Browsing.start(issuer)
  app = await App.start()
  stranger = await App.start()
  await app.register()
})
after(async () => {
  await browsing?.stop()
  await app?.stop()
  await stranger?.stop()
})

function person(name, options, body) {
  test(name, async () => {
    const visit = await browsing.open(options)
    try {
      await body(visit.page, visit)
      visit.assertClean()
    } finally {
      await visit.close()
    }
  })
}

for (const javaScriptEnabled of [true, false]) {
  person(`frames are loaded and the browser goes on ${javaScriptEnabled ? 'at once' : 'without JavaScript'}`, { javaScriptEnabled },
    async (page) => {
      app.requests.length = 0
      const { tokens } = await app.signIn(page)
      const state = 'a b&c="<>'
      const leaving = openid.buildEndSessionUrl(app.config, {
        id_token_hint: tokens.id_token,
        post_logout_redirect_uri: `${app.origin}/bye`,
        state,
      })
      const begun = Date.now()
      await page.goto(leaving.href)
      await page.waitForURL(`${app.origin}/bye?*`)
      if (javaScriptEnabled) assert.ok(Date.now() - begun < 3_500, 'no need to wait when all frames are there')
      assert.equal(new URL(page.url()).searchParams.get('state'), state)
      const [out, ...more] = app.heard('/out')
      assert.deepEqual(more, [])
      const told = new URL(out, app.origin).searchParams
      assert.deepEqual([...told.keys()], ['tenant', 'iss', 'sid'])
      assert.equal(told.get('iss'), issuer.href)
      assert.equal(told.get('sid'), tokens.claims().sid)
    })
}

/** Asks the login status frame from a page of `origin`. */
async function ask(page, origin, question) {
  await page.goto(`${origin}/`)
  return page.evaluate(async ([address, text]) => {
    const frame = document.createElement('iframe')
    frame.src = address
    document.body.append(frame)
    await new Promise((loaded) => frame.addEventListener('load', loaded))
    const told = new Promise((heard) => {
      addEventListener('message', (event) => heard([event.origin, event.data]))
    })
    frame.contentWindow.postMessage(text, new URL(address).origin)
    return told
  }, [`${protocol}/login-status-iframe.html`, question])
}

person('the login status frame tells the app, and nobody else', { allowed: /403 \(Forbidden\)/ }, async (page) => {
  const says = async (origin, question) => {
    const [from, text] = await ask(page, origin, question)
    assert.equal(from, issuer.origin)
    return text
  }
  assert.equal(await says(app.origin, `${app.clientId} `), 'unchanged', 'nobody is signed in, as the app thinks')
  const { sessionState } = await app.signIn(page)
  const question = `${app.clientId} ${sessionState}`
  assert.equal(await says(app.origin, question), 'unchanged')
  assert.equal(await says(app.origin, `${app.clientId} another`), 'changed')
  assert.equal(await says(app.origin, 'nobody x'), 'error')
  assert.equal(await says(app.origin, 'x'), 'error')
  assert.equal(await says(stranger.origin, question), 'error', 'a page of another origin')
  await page.goto(`${protocol}/logout`)
  await page.click('#kc-logout')
  await page.waitForSelector('#kc-info-message')
  assert.equal(await says(app.origin, question), 'changed')
})

person('keycloak-js signs in, watches the session, and notices its end', {}, async (page, visit) => {
  const start = async () => {
    await page.evaluate(async ([url, clientId]) => {
      const { default: Keycloak } = await import('/keycloak.js')
      globalThis.keycloak = new Keycloak({ url, realm: 'main', clientId })
      globalThis.ended = new Promise((heard) => (globalThis.keycloak.onAuthLogout = heard))
      const redirectUri = `${location.origin}/`
      globalThis.signedIn = await globalThis.keycloak.init({ checkLoginIframeInterval: 1, redirectUri })
    }, [issuer.origin, app.clientId])
  }
  await page.goto(`${app.origin}/`)
  await start()
  assert.equal(await page.evaluate(() => globalThis.signedIn), false)
  await page.evaluate(() => void globalThis.keycloak.login({ redirectUri: `${location.origin}/` }))
  await answer(page)
  await page.waitForURL(`${app.origin}/*`)
  await start()
  assert.equal(await page.evaluate(() => globalThis.signedIn), true)
  assert.equal(await page.evaluate(() => globalThis.keycloak.tokenParsed.azp), app.clientId)

  const other = await visit.context.newPage()
  await other.goto(`${protocol}/logout`)
  await other.click('#kc-logout')
  await other.waitForSelector('#kc-info-message')
  await page.evaluate(() => globalThis.ended)
  assert.equal(await page.evaluate(() => globalThis.keycloak.authenticated), false)
})
