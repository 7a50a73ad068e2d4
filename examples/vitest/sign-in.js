import { createHash, randomBytes } from 'node:crypto'
import { parse } from 'node-html-parser'

/** Goes through the sign-in page as a browser would; returns the token response. */
export async function signIn(issuer, username, password, { client = ['web', 'web-secret'], scope = 'openid profile' } = {}) {
  const endpoints = `${issuer}/protocol/openid-connect`
  const callback = 'http://localhost/callback' // nothing answers there: the code is read from the redirect
  const verifier = randomBytes(32).toString('base64url')

  const page = await fetch(`${endpoints}/auth?${new URLSearchParams({
    response_type: 'code',
    client_id: client[0],
    redirect_uri: callback,
    scope,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })}`)
  const form = parse(await page.text()).querySelector('#kc-form-login')
  const fields = new URLSearchParams({ username, password })
  for (const input of form.querySelectorAll('input[type=hidden]')) {
    fields.append(input.getAttribute('name'), input.getAttribute('value') ?? '')
  }
  const cookie = page.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const answer = await fetch(new URL(form.getAttribute('action'), page.url), {
    method: 'POST', body: fields, headers: { cookie }, redirect: 'manual',
  })
  const location = answer.headers.get('location')
  if (!location) throw new Error(`${username} was not signed in`)

  const tokens = await fetch(`${endpoints}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(client.join(':'))}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(location).searchParams.get('code'),
      redirect_uri: callback,
      code_verifier: verifier,
    }),
  })
  if (!tokens.ok) throw new Error(`no tokens: ${await tokens.text()}`)
  return tokens.json()
}
