// A real browser goes through every page. Chromium is Debian's; CHROMIUM names another.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as openid from 'openid-client'
import { Application, Browsing } from './browsing.js'

const issuer = new URL(process.env.ISSUER)
const insecure = { execute: [openid.allowInsecureRequests] }

let browsing
let app
before(async () => {
  browsing = await Browsing.start(issuer)
  app = await Application.start()
})
after(async () => {
  await browsing?.stop()
  await app?.stop()
})

/** The address that starts a sign-in to a client, and what checks its answer. */
async function start(clientId, secret, extra = {}) {
  const authentication = secret ? undefined : openid.None()
  const config = await openid.discovery(issuer, clientId, secret, authentication, insecure)
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const address = openid.buildAuthorizationUrl(config, {
    redirect_uri: app.callback,
    scope: 'openid profile email',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    ...extra,
  }).href
  const finish = (page) =>
    openid.authorizationCodeGrant(config, new URL(page.url()), { pkceCodeVerifier, expectedState })
  return { address, finish, pkceCodeVerifier }
}

const web = (extra) => start('web', 'web-secret', extra)
const thirdParty = (extra) => start('third-party', 'third-party-secret', extra)

async function signIn(page, username, password = username) {
  await page.fill('#username', username)
  await page.fill('#password', password)
  await page.click('#kc-login')
}

/** A browsing test: a page of a fresh profile, which must have caused no error and no foreign request. */
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

person('signing in leads back to the application', {}, async (page) => {
  const { address, finish } = await web()
  await page.goto(address)
  await signIn(page, 'alice')
  await page.waitForURL(`${app.callback}?*`)
  assert.equal((await finish(page)).claims().preferred_username, 'alice')
})

person('the elements have the names that scripts and screen readers know', {}, async (page) => {
  await page.goto((await web()).address)
  await page.getByRole('textbox', { name: 'Username or email' }).fill('alice')
  await page.getByRole('textbox', { name: 'Password' }).fill('alice')
  await page.getByRole('button', { name: 'Sign In' }).click()
  await page.waitForURL(`${app.callback}?*`)
})

person('no page needs JavaScript', { javaScriptEnabled: false }, async (page) => {
  await page.goto((await web()).address)
  await signIn(page, 'alice')
  await page.waitForURL(`${app.callback}?*`)
})

person('the keyboard alone is enough', {}, async (page) => {
  const focused = () => page.evaluate(() => document.activeElement?.id)
  const tabTo = async (id) => {
    for (let steps = 0; steps < 15 && (await focused()) !== id; steps += 1) await page.keyboard.press('Tab')
    assert.equal(await focused(), id)
  }
  await page.goto((await thirdParty({ prompt: 'consent' })).address)
  await tabTo('username')
  await page.keyboard.type('alice')
  await tabTo('password')
  await page.keyboard.type('alice')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#kc-cancel')
  await tabTo('kc-login')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${app.callback}?*`)
})

person('a wrong password stays on the form and says so', {}, async (page) => {
  await page.goto((await web()).address)
  await signIn(page, 'bob')
  await page.waitForURL(`${app.callback}?*`)
  await page.context().clearCookies()

  await page.goto((await web()).address)
  const answer = page.waitForResponse((response) => response.request().method() === 'POST')
  await signIn(page, 'bob', 'wrong')
  assert.equal((await answer).status(), 200)
  const alert = page.getByRole('alert')
  assert.match(await alert.innerText(), /invalid username or password/i)
  assert.equal(await page.inputValue('#username'), 'bob')
  assert.equal(await page.inputValue('#password'), '')

  const unknown = page.waitForResponse((response) => response.request().method() === 'POST')
  const said = await alert.innerText()
  await signIn(page, 'nobody', 'wrong')
  assert.equal((await unknown).status(), 200)
  assert.equal(await page.getByRole('alert').innerText(), said, 'a name that exists is not told from one that does not')

  await signIn(page, 'bob')
  await page.waitForURL(`${app.callback}?*`)
})

person('markup in a name stays text', {}, async (page) => {
  await page.goto((await web()).address)
  await signIn(page, '"><img src=x onerror=alert(1)>', 'wrong')
  await page.getByRole('alert').waitFor()
  assert.equal(await page.inputValue('#username'), '"><img src=x onerror=alert(1)>')
  assert.equal(await page.locator('img[src=x]').count(), 0)
})

person('consent names the client and its wishes; no means no', {}, async (page) => {
  await page.goto((await thirdParty()).address)
  await signIn(page, 'bob')
  await page.waitForSelector('#kc-cancel')
  assert.match(await page.innerText('body'), /third[- ]party/i)
  await page.click('#kc-cancel')
  await page.waitForURL(`${app.callback}?*`)
  const answer = new URL(page.url()).searchParams
  assert.equal(answer.get('error'), 'access_denied')
  assert.equal(answer.get('iss'), issuer.href)
  assert.equal(answer.get('code'), null)
})

person('consent is remembered', {}, async (page) => {
  const first = await thirdParty()
  await page.goto(first.address)
  await signIn(page, 'bob')
  await page.click('#kc-login[name=accept]')
  await page.waitForURL(`${app.callback}?*`)
  assert.equal((await first.finish(page)).claims().azp, 'third-party')

  await page.context().clearCookies()
  await page.goto((await thirdParty()).address)
  await signIn(page, 'bob')
  await page.waitForURL(`${app.callback}?*`)
  assert.ok(new URL(page.url()).searchParams.get('code'))
})

for (const remembered of [true, false]) {
  person(`a browser that was closed ${remembered ? 'is' : 'is not'} remembered`, {}, async (page, visit) => {
    await page.goto((await web()).address)
    if (remembered) await page.check('#rememberMe')
    await signIn(page, 'alice')
    await page.waitForURL(`${app.callback}?*`)
    await visit.reopen()
    await visit.page.goto((await web()).address)
    assert.equal(visit.page.url().startsWith(app.callback), remembered)
  })
}

person('signing out is confirmed, and final', {}, async (page) => {
  await page.goto((await web()).address)
  await signIn(page, 'alice')
  await page.waitForURL(`${app.callback}?*`)
  await page.goto(`${issuer}/protocol/openid-connect/logout`)
  await page.click('#kc-logout')
  await page.waitForLoadState()
  assert.match(await page.innerText('body'), /signed out|logged out/i)
  await page.goto((await web()).address)
  await page.waitForSelector('#kc-form-login')
})

person('an answer in a form sends itself', {}, async (page) => {
  await page.goto((await web({ response_mode: 'form_post' })).address)
  await signIn(page, 'alice')
  await page.waitForURL(app.callback)
  assert.match(await page.innerText('body'), /POST .*code=/)
})

person('an answer in a form has a button where there is no JavaScript', { javaScriptEnabled: false }, async (page) => {
  await page.goto((await web({ response_mode: 'form_post' })).address)
  await signIn(page, 'alice')
  await page.getByRole('button').click()
  await page.waitForURL(app.callback)
})

person('an application in the browser fetches its own tokens', {}, async (page) => {
  const { address, pkceCodeVerifier } = await start('spa')
  await page.goto(address)
  await signIn(page, 'alice')
  await page.waitForURL(`${app.callback}?*`)
  const claims = await page.evaluate(async ([endpoints, redirect, verifier]) => {
    const tokens = await fetch(`${endpoints}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'spa',
        code: new URL(location.href).searchParams.get('code'),
        redirect_uri: redirect,
        code_verifier: verifier,
      }),
    }).then((answer) => answer.json())
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    return fetch(`${endpoints}/userinfo`, { headers }).then((answer) => answer.json())
  }, [`${issuer}/protocol/openid-connect`, app.callback, pkceCodeVerifier])
  assert.equal(claims.preferred_username, 'alice')
})

person('an unknown client is told to the person, not to an address', { allowed: /status of 400/ }, async (page) => {
  const address = new URL((await web()).address)
  address.searchParams.set('client_id', 'nobody')
  const answer = await page.goto(address.href)
  assert.equal(answer.status(), 400)
  assert.ok(page.url().startsWith(issuer.origin))
})

/** Asks for the codes of a device, as a TV would. */
async function device() {
  const body = new URLSearchParams({ client_id: 'tv', scope: 'openid profile email' })
  const answer = await fetch(`${issuer}/protocol/openid-connect/auth/device`, { method: 'POST', body })
  return answer.json()
}

/** Whether the device gets tokens. */
async function poll({ device_code }) {
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
  const body = new URLSearchParams({ client_id: 'tv', grant_type, device_code })
  return (await fetch(`${issuer}/protocol/openid-connect/token`, { method: 'POST', body })).json()
}

for (const javaScriptEnabled of [true, false]) {
  person(`a device is connected ${javaScriptEnabled ? 'by mouse' : 'without JavaScript'}`, { javaScriptEnabled },
    async (page) => {
      const codes = await device()
      await page.goto(codes.verification_uri)
      await page.getByRole('textbox', { name: 'Code' }).fill(codes.user_code.toLowerCase())
      await page.getByRole('button', { name: 'Continue' }).click()
      await signIn(page, 'alice')
      await page.waitForSelector('#kc-cancel')
      const text = await page.innerText('main')
      for (const part of ['TV App', codes.user_code, 'Alice Adams', '127.0.0.1', 'Did you start this?']) {
        assert.ok(text.includes(part), `${part} in ${text}`)
      }
      assert.equal((await poll(codes)).error, 'authorization_pending')
      await page.click('#kc-login')
      await page.getByText('Your device is connected').waitFor()
      assert.ok((await poll(codes)).id_token)
    })
}

person('the keyboard alone connects a device', {}, async (page) => {
  const codes = await device()
  await page.goto(codes.verification_uri)
  await page.waitForSelector('#device-user-code:focus')
  await page.keyboard.type(codes.user_code)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#username:focus')
  await page.keyboard.type('bob')
  await page.keyboard.press('Tab')
  await page.keyboard.type('bob')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#kc-login[name=accept]')
  for (let steps = 0; steps < 10 && !(await page.$('#kc-login:focus')); steps += 1) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('Your device is connected').waitFor()
  assert.ok((await poll(codes)).access_token)
})

person('a device that somebody else started gets nothing', {}, async (page) => {
  const codes = await device()
  await page.goto(codes.verification_uri_complete)
  await signIn(page, 'bob')
  await page.click('#kc-cancel')
  await page.getByText('Nothing was connected').waitFor()
  assert.equal((await poll(codes)).error, 'access_denied')
})

/** How to come to each page. */
const PAGES = {
  'sign-in': async (page) => page.goto((await web()).address),
  'wrong-password': async (page) => {
    await page.goto((await web()).address)
    await signIn(page, 'alice', 'wrong')
    await page.getByRole('alert').waitFor()
  },
  consent: async (page) => {
    await page.goto((await thirdParty({ prompt: 'consent' })).address)
    await signIn(page, 'alice')
    await page.waitForSelector('#kc-cancel')
  },
  'sign-out': async (page) => {
    await page.goto((await web()).address)
    await signIn(page, 'alice')
    await page.waitForURL(`${app.callback}?*`)
    await page.goto(`${issuer}/protocol/openid-connect/logout`)
    await page.waitForSelector('#kc-logout')
  },
  'signed-out': async (page) => {
    await PAGES['sign-out'](page)
    await page.click('#kc-logout')
    await page.waitForSelector('#kc-logout', { state: 'detached' })
  },
  'device-code': async (page) => page.goto(`${issuer}/device`),
  'device-wrong-code': async (page) => {
    await page.goto(`${issuer}/device`)
    await page.fill('#device-user-code', 'BCDF-GHJ')
    await page.click('main button')
    await page.getByRole('alert').waitFor()
  },
  'device-question': async (page) => {
    await page.goto((await device()).verification_uri_complete)
    await signIn(page, 'alice')
    await page.waitForSelector('#kc-cancel')
  },
  'device-connected': async (page) => {
    await PAGES['device-question'](page)
    await page.click('#kc-login')
    await page.getByText('Your device is connected').waitFor()
  },
  'device-refused': async (page) => {
    await PAGES['device-question'](page)
    await page.click('#kc-cancel')
    await page.getByText('Nothing was connected').waitFor()
  },
  error: async (page) => page.goto(`${issuer}/protocol/openid-connect/auth?client_id=nobody`),
}

for (const [name, reach] of Object.entries(PAGES)) {
  for (const colorScheme of ['light', 'dark']) {
    const allowed = ['error', 'device-wrong-code'].includes(name) ? /status of 400/ : undefined
    person(`the page ${name}, ${colorScheme}, is narrow, light in weight and accessible`, { colorScheme, allowed },
      async (page, visit) => {
        await reach(page)
        await visit.assertPage(`${name}-${colorScheme}`)
      })
  }
}
