// The application that Hydra sends people to: a form for name and password, both believed, and consent given at once.
//   node login.mjs ADMIN_PORT PORT
import { createServer } from 'node:http'

const [admin, port] = process.argv.slice(2)
const answer = async (kind, challenge, body) => {
  const address = `http://127.0.0.1:${admin}/admin/oauth2/auth/requests/${kind}/accept?${kind}_challenge=${challenge}`
  const options = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await (await fetch(address, options)).json()).redirect_to
}
const request = async (kind, challenge) => {
  const address = `http://127.0.0.1:${admin}/admin/oauth2/auth/requests/${kind}?${kind}_challenge=${challenge}`
  return (await fetch(address)).json()
}

createServer(async (incoming, outgoing) => {
  try {
    const url = new URL(incoming.url, `http://127.0.0.1:${port}`)
    const kind = url.pathname.slice(1)
    const challenge = encodeURIComponent(url.searchParams.get(`${kind}_challenge`) ?? '')
    const asked = await request(kind, challenge)
    let to
    if (kind === 'consent') {
      const grant = { grant_scope: asked.requested_scope, remember: true, remember_for: 0, session: {} }
      to = await answer(kind, challenge, grant)
    } else if (incoming.method === 'POST' || asked.skip) {
      incoming.resume()
      to = await answer(kind, challenge, { subject: 'alice', remember: true, remember_for: 0 })
    }
    if (to) {
      outgoing.writeHead(303, { location: to }).end()
    } else {
      const fields = '<input name="username" type="text"><input name="password" type="password"><button>Sign in</button>'
      outgoing.writeHead(200, { 'content-type': 'text/html' })
      outgoing.end(`<form method="post" action="${url.pathname}?login_challenge=${challenge}">${fields}</form>`)
    }
  } catch (error) {
    outgoing.writeHead(500).end(String(error))
  }
}).listen(Number(port), '127.0.0.1', () => console.log('ready'))
