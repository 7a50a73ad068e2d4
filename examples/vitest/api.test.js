// Tests of an API with real tokens.
import { once } from 'node:events'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApi } from './api.js'
import { signIn } from './sign-in.js'

const issuer = inject('issuer')
const api = createApi(issuer)
let address

beforeAll(async () => {
  await once(api.listen(0, '127.0.0.1'), 'listening')
  address = `http://127.0.0.1:${api.address().port}`
})
afterAll(() => api.close())

async function call(method, token) {
  return fetch(address, { method, headers: token ? { authorization: `Bearer ${token}` } : {} })
}

async function tokenOf(username) {
  return (await signIn(issuer, username, username)).access_token
}

test('the API knows who calls', async () => {
  const answer = await call('GET', await tokenOf('alice'))
  expect(await answer.json()).toEqual({ username: 'alice' })
})

test('an admin may delete', async () => {
  expect((await call('DELETE', await tokenOf('alice'))).status).toBe(200)
})

test('a user may not delete', async () => {
  expect((await call('DELETE', await tokenOf('bob'))).status).toBe(403)
})

test('a token that was changed is refused', async () => {
  const changed = (await tokenOf('alice')).slice(0, -8) + 'AAAAAAAA'
  expect((await call('GET', changed)).status).toBe(401)
})

test('nobody calls without a token', async () => {
  expect((await call('GET')).status).toBe(401)
})

test('a wrong password signs nobody in', async () => {
  await expect(signIn(issuer, 'alice', 'wrong')).rejects.toThrow('alice was not signed in')
})
