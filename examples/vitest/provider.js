// A provider of your tests' own: copy this file and sign-in.js beside them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Starts Vestibule on a free port, with the demo realm; nothing of it stays on disk. */
export default async function ({ provide }) {
  const command = process.env.VESTIBULE ?? 'vestibule'
  const server = spawn(command, ['dev', '--ephemeral', '--port', '0', '--output', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`${command} ended with ${code} before it was ready`)
  }, (cause) => {
    throw new Error(`${command} cannot be started: install it, or say in VESTIBULE where it is`, { cause })
  })
  const [line] = await Promise.race([once(createInterface(server.stdout), 'line'), ended])
  ended.catch(() => {}) // from here on its end is ours
  provide('issuer', `${JSON.parse(line).url}/realms/main`)
  return () => server.kill()
}
