// A person at a browser without JavaScript: follows redirects, keeps cookies, fills in forms.
import { parse } from 'node-html-parser'

export class Person {
  #cookies = new Map() // by host name, as browsers keep them: ports share cookies

  /** Opens an address and follows redirects until a page, or until one goes to an address beginning with `stop`. */
  async open(address, { method = 'GET', body, stop } = {}) {
    let url = new URL(address)
    for (let hops = 0; hops < 20; hops += 1) {
      if (stop && url.href.startsWith(stop)) return { url, status: 302, page: null }
      const headers = { cookie: [...this.#jar(url)].map((pair) => pair.join('=')).join('; ') }
      if (body) headers.origin = url.origin
      const answer = await fetch(url, { method, body, headers, redirect: 'manual' })
      this.#keep(url, answer)
      const location = answer.headers.get('location')
      if (!location) {
        const text = await answer.text()
        return { url, status: answer.status, text, page: parse(text) }
      }
      url = new URL(location, url)
      method = 'GET'
      body = undefined
    }
    throw new Error(`too many redirects, the last to ${url}`)
  }

  /** Fills in the form that has an element with this id, and sends it. */
  async submit(at, id, values, options) {
    const found = at.page.querySelector(`#${id}`)
    if (!found) throw new Error(`no #${id} at ${at.url}: ${at.text}`)
    const form = found.closest('form')
    const body = new URLSearchParams(values)
    for (const input of form.querySelectorAll('input[type=hidden]')) {
      body.append(input.getAttribute('name'), input.getAttribute('value') ?? '')
    }
    return this.open(new URL(form.getAttribute('action') ?? '', at.url), { method: 'POST', body, ...options })
  }

  async signIn(address, username, password, stop) {
    const at = await this.open(address, { stop })
    return at.page ? this.submit(at, 'kc-form-login', { username, password }, { stop }) : at
  }

  /** Connects the device whose code is in the address: signs in if need be, then presses the button with this id. */
  async connect(address, username, button = 'kc-login') {
    let at = await this.open(address)
    if (at.page.querySelector('#kc-form-login')) {
      at = await this.submit(at, 'kc-form-login', { username, password: username })
    }
    return this.submit(at, button, { [at.page.querySelector(`#${button}`).getAttribute('name')]: 'x' })
  }

  #jar(url) {
    if (!this.#cookies.has(url.hostname)) this.#cookies.set(url.hostname, new Map())
    return this.#cookies.get(url.hostname)
  }

  #keep(url, answer) {
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(/; */)
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute))
      if (gone) this.#jar(url).delete(name)
      else this.#jar(url).set(name, value)
    }
  }
}
