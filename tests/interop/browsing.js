// Chromium, an application for it to come back to, and what every page has to keep.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SCREENSHOTS = new URL('../.cache/screenshots/', import.meta.url).pathname
const WIDTHS = [360, 1280] // CSS pixels
const HEAVIEST = 30 * 1024 // bytes of a page with all that it loads
const FLAGS = [
  '--no-sandbox', // root may not have one
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A client's side: shows the request that came to its callback. */
export class Application {
  static async start() {
    const app = new Application()
    app.server = createServer(async (request, response) => {
      if (request.url === '/favicon.ico') return response.writeHead(204).end()
      let body = ''
      for await (const piece of request) body += piece
      const shown = `${request.method} ${request.url} ${body}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>app</title>${shown}`)
    })
    await once(app.server.listen(0, '127.0.0.1'), 'listening')
    app.origin = `http://127.0.0.1:${app.server.address().port}`
    app.callback = `${app.origin}/callback`
    return app
  }

  stop() {
    this.server.closeAllConnections()
    return new Promise((done) => this.server.close(done))
  }
}

/** One Chromium; a profile for each test. */
export class Browsing {
  static async start(issuer) {
    await mkdir(SCREENSHOTS, { recursive: true })
    const browsing = new Browsing()
    browsing.server = issuer.origin
    browsing.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: FLAGS,
    })
    return browsing
  }

  async open(options) {
    const visit = new Visit(this, options)
    await visit.begin()
    return visit
  }

  stop() {
    return this.browser.close()
  }
}

/** One profile with one page, and what went wrong in it. */
class Visit {
  constructor(browsing, { allowed, ...options }) {
    this.browsing = browsing
    this.options = { locale: 'en-US', ...options }
    this.allowed = allowed
    this.faults = []
    this.responses = []
  }

  async begin(cookies = []) {
    this.context = await this.browsing.browser.newContext(this.options)
    await this.context.addCookies(cookies)
    this.page = await this.context.newPage()
    this.page.setDefaultTimeout(10_000)
    this.page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`))
    this.page.on('console', (message) => {
      const fault = message.type() === 'error' || message.type() === 'warning'
      if (fault && !this.allowed?.test(message.text())) this.faults.push(`console: ${message.text()}`)
    })
    this.page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url())
      const own = hostname === '127.0.0.1' || protocol === 'data:'
      if (!own) this.faults.push(`request to ${request.url()}`)
    })
    this.page.on('response', (response) => this.responses.push(response))
  }

  /** Closes the browser and opens it again: cookies without an age are gone. */
  async reopen() {
    const cookies = (await this.context.cookies()).filter((cookie) => cookie.expires > 0)
    await this.context.close()
    await this.begin(cookies)
  }

  assertClean() {
    assert.deepEqual(this.faults, [])
  }

  /** Pictures at each width; nothing cut off, not too heavy, no fault that axe can find. */
  async assertPage(name) {
    for (const width of WIDTHS) {
      await this.page.setViewportSize({ width, height: 800 })
      await this.page.screenshot({ path: `${SCREENSHOTS}${name}-${width}.png`, fullPage: true })
      const wide = await this.page.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(wide <= width, `${name} is ${wide} px wide on a screen of ${width}`)
    }
    assert.ok((await this.weight()) <= HEAVIEST, `${name} weighs ${await this.weight()} bytes`)
    await this.page.evaluate(AXE)
    const { violations } = await this.page.evaluate(() => globalThis.axe.run())
    const found = violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(' | ')}`)
    assert.deepEqual(found, [])
  }

  /** Bytes of the page that is shown and of all that it loads, when nothing is in the browser's cache. */
  async weight() {
    const names = await this.page.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.name))
    const wanted = new Set([...names, this.page.url().split('#')[0]])
    const bodies = new Map()
    for (const response of this.responses) {
      if (wanted.has(response.url()) && response.status() === 200) {
        bodies.set(response.url(), await response.body().then((body) => body.length, () => 0))
      }
    }
    return [...bodies.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  close() {
    return this.context.close()
  }
}
