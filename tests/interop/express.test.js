// The Express application of examples/, running unchanged.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { Person } from './person.js'

let app
let base

before(async () => {
  const probe = createServer()
  await once(probe.listen(0, '127.0.0.1'), 'listening')
  base = `http://127.0.0.1:${probe.address().port}`
  await new Promise((done) => probe.close(done))
  app = spawn('node', ['app.js'], {
    cwd: new URL('../../examples/apps/express/', import.meta.url),
    env: { ...process.env, BASE_URL: base },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(app, 'exit').then(() => { throw new Error('the application did not start') })
  await Promise.race([once(createInterface(app.stdout), 'line'), ended])
  ended.catch(() => {})
})
after(() => app.kill())

test('sign in, stay signed in, sign out', async () => {
  const person = new Person()
  const home = await person.signIn(`${base}/login`, 'alice', 'alice')
  assert.equal(home.url.href, `${base}/`)
  assert.deepEqual(JSON.parse(home.text), { name: 'Alice Adams', email: 'alice@example.com' })
  assert.equal(JSON.parse((await person.open(base)).text).name, 'Alice Adams')

  const left = await person.open(`${base}/logout`)
  assert.equal(left.url.href, `${base}/`)
  assert.match(left.text, /Sign in/)
  const again = await person.open(`${base}/login`)
  assert.ok(again.page.querySelector('#kc-form-login'), 'the provider forgot alice too')
})

test('a planted answer is refused', async () => {
  const answer = await new Person().open(`${base}/callback?code=planted&state=planted`)
  assert.equal(answer.status, 403)
})
