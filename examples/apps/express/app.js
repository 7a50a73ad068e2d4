// Sign in with Express and openid-client.
import { randomBytes } from 'node:crypto'
import express from 'express'
import session from 'express-session'
import * as openid from 'openid-client'

const { ISSUER = 'http://127.0.0.1:8080/realms/main', CLIENT_ID = 'web', CLIENT_SECRET = 'web-secret' } = process.env
const { BASE_URL = 'http://127.0.0.1:3000', SESSION_SECRET = randomBytes(32).toString('hex') } = process.env

// Plain http is for a provider on this machine alone; drop the last argument in production.
const options = ISSUER.startsWith('http:') ? { execute: [openid.allowInsecureRequests] } : {}
const config = await openid.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, options)

const app = express()
app.use(session({
  name: 'app.sid',
  secret: SESSION_SECRET,
  resave: false,
  saveUninitialized: false,
  cookie: { sameSite: 'lax', secure: BASE_URL.startsWith('https:') },
}))

app.get('/', (req, res) => {
  const user = req.session.user
  if (!user) return res.send('<a href="/login">Sign in</a>')
  res.json({ name: user.name, email: user.email })
})

app.get('/login', async (req, res) => {
  const codeVerifier = openid.randomPKCECodeVerifier()
  const state = openid.randomState()
  const nonce = openid.randomNonce()
  req.session.login = { codeVerifier, state, nonce }
  res.redirect(openid.buildAuthorizationUrl(config, {
    redirect_uri: `${BASE_URL}/callback`,
    scope: 'openid profile email',
    code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }).href)
})

app.get('/callback', async (req, res) => {
  const { codeVerifier, state, nonce } = req.session.login ?? {}
  const tokens = await openid.authorizationCodeGrant(config, new URL(req.originalUrl, BASE_URL), {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
    expectedNonce: nonce,
  })
  // A new session id at sign-in: one planted before is worth nothing.
  req.session.regenerate(() => {
    req.session.user = tokens.claims()
    req.session.idToken = tokens.id_token
    res.redirect('/')
  })
})

app.get('/logout', (req, res) => {
  const { idToken } = req.session
  req.session.destroy(() => {
    res.redirect(openid.buildEndSessionUrl(config, {
      post_logout_redirect_uri: `${BASE_URL}/`,
      ...(idToken && { id_token_hint: idToken }),
    }).href)
  })
})

app.use((error, req, res, next) => {
  console.error(error)
  res.status(403).send(`Not signed in: ${error.error ?? `try again at ${BASE_URL}`}`)
})

app.listen(Number(new URL(BASE_URL).port || 80), '127.0.0.1', (error) => {
  if (error) throw error // such as a port that is taken
  console.log(`open ${BASE_URL}`)
})
