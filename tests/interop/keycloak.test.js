// keycloak-js as an app uses it, in a real browser against the demo client `spa`: login-required, check-sso in an iframe,
// tokens that are renewed, the profile, the account's address, and signing out.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { Browsing } from './browsing.js'

const issuer = new URL(process.env.ISSUER)
const keycloakJs = await readFile(new URL('./node_modules/keycloak-js/lib/keycloak.js', import.meta.url), 'utf8')
const pages = {
  '/keycloak.js': ['text/javascript', keycloakJs],
  '/silent.html': ['text/html', '<!doctype html><script src="/silent.js"></script>'],
  '/silent.js': ['text/javascript', 'parent.postMessage(location.href, location.origin)'],
}
const page = ['text/html', '<!doctype html><html lang="en" data-app><title>app</title>']

let browsing
let server
let origin
before(async () => {
  browsing = await Browsing.start(issuer)
  server = createServer((request, response) => {
    const [type, body] = pages[request.url.split('?')[0]] ?? page
    response.writeHead(200, { 'content-type': type })
    response.end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  origin = `http://127.0.0.1:${server.address().port}`
})
after(async () => {
  await browsing?.stop()
  server?.closeAllConnections()
  server?.close()
})

function person(name, body) {
  test(name, async () => {
    const visit = await browsing.open({})
    try {
      await body(visit.page, visit)
      visit.assertClean()
    } finally {
      await visit.close()
    }
  })
}

/** Begins keycloak-js on the app's page; what `init` said. It says nothing when it leaves the page. */
function init(page, options) {
  return page.evaluate(async ([url, options]) => {
    const { default: Keycloak } = await import('/keycloak.js')
    globalThis.keycloak = new Keycloak({ url, realm: 'main', clientId: 'spa' })
    globalThis.keycloak.onActionUpdate = (...told) => { globalThis.told = told }
    return globalThis.keycloak.init({ redirectUri: `${location.origin}/`, ...options })
  }, [issuer.origin, options])
}

async function signIn(page) {
  await page.waitForSelector('#kc-form-login')
  await page.getByRole('textbox', { name: 'Username or email' }).fill('alice')
  await page.getByRole('textbox', { name: 'Password' }).fill('alice')
  await page.getByRole('button', { name: 'Sign In', exact: true }).click()
  await page.waitForURL(`${origin}/*`)
}

const checkSso = () => ({ onLoad: 'check-sso', silentCheckSsoRedirectUri: `${origin}/silent.html` })

person('login-required leads to the form and back, and the tokens serve the app', async (page) => {
  await page.goto(`${origin}/`)
  await init(page, { onLoad: 'login-required' }).catch(() => {})
  await signIn(page)
  assert.equal(await init(page, { onLoad: 'login-required' }), true)
  const told = await page.evaluate(async () => {
    const { keycloak } = globalThis
    const before = keycloak.token
    const refreshed = await keycloak.updateToken(-1)
    const profile = await keycloak.loadUserProfile()
    return {
      refreshed,
      renewed: keycloak.token !== before,
      user: keycloak.hasRealmRole('user'),
      account: keycloak.hasResourceRole('view-profile', 'account'),
      profile,
      sid: keycloak.tokenParsed.sid === keycloak.idTokenParsed.sid && keycloak.sessionId === keycloak.tokenParsed.sid,
      typ: keycloak.refreshTokenParsed.typ,
    }
  })
  const { profile, ...rest } = told
  assert.deepEqual(rest, { refreshed: true, renewed: true, user: true, account: true, sid: true, typ: 'Refresh' })
  assert.equal(profile.username, 'alice')
  assert.equal(profile.email, 'alice@example.com')
  assert.equal(profile.emailVerified, true)

  await page.evaluate(() => void globalThis.keycloak.accountManagement())
  await page.waitForURL(`${issuer}/account*`)
  assert.match(await page.content(), /Alice Adams/)
  await page.click('#referrer')
  await page.waitForURL(`${origin}/*`)
})

person('what the app asks of the person is done or left undone, and the app hears which', async (page) => {
  await page.goto(`${origin}/`)
  await init(page, { onLoad: 'login-required' }).catch(() => {})
  await signIn(page)
  await init(page, {})
  for (const [button, status] of [['Cancel', 'cancelled'], ['Save', 'success']]) {
    await page.evaluate(() => void globalThis.keycloak.login({ action: 'UPDATE_PROFILE' }))
    await page.waitForSelector('#kc-update-profile-form')
    await page.getByRole('button', { name: button, exact: true }).click()
    await page.waitForURL(`${origin}/*`)
    assert.equal(await init(page, {}), true)
    assert.deepEqual(await page.evaluate(() => globalThis.told), [status, 'UPDATE_PROFILE'])
  }
})

person('check-sso sees in a frame who is signed in, and who is not', async (page, visit) => {
  await page.goto(`${origin}/`)
  assert.equal(await init(page, checkSso()), false)
  await page.evaluate(() => void globalThis.keycloak.login())
  await signIn(page)
  const other = await visit.context.newPage()
  await other.goto(`${origin}/`)
  assert.equal(await init(other, checkSso()), true, 'without leaving the page')
  assert.equal(new URL(other.url()).pathname, '/')
  assert.equal(await other.evaluate(() => globalThis.keycloak.tokenParsed.preferred_username), 'alice')
})

person('signing out by keycloak-js comes back without a question, signed out', async (page) => {
  await page.goto(`${origin}/`)
  await init(page, { onLoad: 'login-required' }).catch(() => {})
  await signIn(page)
  await init(page, {})
  await page.evaluate(() => void globalThis.keycloak.logout({ redirectUri: `${location.origin}/bye` }))
  await page.waitForURL(`${origin}/bye*`)
  await page.goto(`${origin}/`)
  assert.equal(await init(page, checkSso()), false)
})
