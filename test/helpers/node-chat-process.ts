/**
 * A program that ends when its client leaves nothing behind: `node node-chat-process.js URL TOKEN DIRECTORY`. With `wait` in place of a token it
 * closes the client while that waits for its next attempt.
 */
import { readFileSync } from 'node:fs'
import { createChat } from '../../client/node/index.js'

const [url, token, store, ca] = process.argv.slice(2) as [string, string, string, string]

const chat = createChat({ url, auth: { token }, user: 'ann', store, tls: { ca: readFileSync(ca) } })
if (token === 'wait') {
  chat.connect().catch(() => {})
  for await (const { state } of chat.status) if (state === 'waiting') break
} else {
  await chat.connect()
  await chat.send('tea', url.split(':')[0]!).sent
}
await chat.close()
