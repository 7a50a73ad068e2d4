// keycloak-connect in an Express application, as Keycloak's users protect theirs: sign-in by redirect, roles, a bearer token of
// another program, signing out. It knows no PKCE, so its client is registered without.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import express from 'express'
import session from 'express-session'
import Keycloak from 'keycloak-connect'
import { Person } from './person.js'

const REALM = `
[realm]
name = "shop"
[[realm.roles]]
name = "admin"
[[realm.clients]]
id = "express"
secret = "express-secret"
redirect_uris = ["http://127.0.0.1:*/*"]
post_logout_redirect_uris = ["+"]
pkce = "optional"
[[realm.clients.roles]]
name = "buyer"
[[realm.users]]
username = "alice"
password = "alice"
roles = ["express:buyer"]
[[realm.users]]
username = "root"
password = "root"
roles = ["admin"]
`

let folder
let provider
let web
let base
let url
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keycloak-connect-'))
  const file = join(folder, 'shop.toml')
  await writeFile(file, REALM)
  const options = ['dev', '--ephemeral', '--port', '0', '--output', 'json', '--import-realm', file]
  provider = spawn(process.env.VESTIBULE_BINARY, options, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = await once(createInterface(provider.stdout), 'line')
  url = JSON.parse(line).url

  const store = new session.MemoryStore()
  const app = express()
  app.use(session({ secret: 'x', resave: false, saveUninitialized: true, store }))
  const keycloak = new Keycloak({ store }, {
    realm: 'shop',
    'auth-server-url': url,
    'ssl-required': 'external',
    resource: 'express',
    credentials: { secret: 'express-secret' },
    'confidential-port': 0,
  })
  app.use(keycloak.middleware({ logout: '/logout', admin: '/' }))
  const who = (request, response) => response.json(request.kauth.grant.access_token.content)
  app.get('/', (_, response) => response.send('home'))
  app.get('/me', keycloak.protect(), who)
  app.get('/buy', keycloak.protect('buyer'), who)
  app.get('/admin', keycloak.protect('realm:admin'), who)
  web = app.listen(0, '127.0.0.1')
  await once(web, 'listening')
  base = `http://127.0.0.1:${web.address().port}`
})
after(async () => {
  web?.closeAllConnections()
  web?.close()
  provider?.kill()
  await rm(folder, { recursive: true, force: true })
})

test('a person signs in, is let in by role, and signs out', async () => {
  const person = new Person()
  const me = await person.signIn(`${base}/me`, 'alice', 'alice')
  assert.equal(me.status, 200, me.text)
  assert.equal(JSON.parse(me.text).preferred_username, 'alice')
  assert.equal((await person.open(`${base}/buy`)).status, 200, 'a role of the client')
  assert.equal((await person.open(`${base}/admin`)).status, 403, 'a role of the realm that alice has not')

  const left = await person.open(`${base}/logout`)
  assert.ok(left.url.href.startsWith(`${base}/`), `${left.url}`)
  const again = await person.open(`${base}/me`)
  assert.ok(again.page.querySelector('#kc-form-login'), 'the provider forgot alice too')
})

test('an administrator is let in', async () => {
  const admin = await new Person().signIn(`${base}/admin`, 'root', 'root')
  assert.equal(admin.status, 200, admin.text)
})

test('a program comes with a bearer token', async () => {
  const form = { grant_type: 'password', client_id: 'admin-cli', username: 'root', password: 'root' }
  const answer = await fetch(`${url}/realms/shop/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const { access_token: token } = await answer.json()
  const ask = (authorization) => fetch(`${base}/admin`, { headers: { authorization }, redirect: 'manual' })
  assert.equal((await ask(`Bearer ${token}`)).status, 200)
  const forged = token.replace(/\.[^.]+$/, `.${'A'.repeat(342)}`)
  assert.notEqual((await ask(`Bearer ${forged}`)).status, 200)
})
