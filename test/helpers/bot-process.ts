/**
 * A program that acts on each message of all its rooms, until it is killed: `node bot-process.js URL TOKEN DIRECTORY FILE`. What it did is a line of
 * FILE: the room and the seq. It tells its parent of each.
 */
import { appendFileSync } from 'node:fs'
import { messagesOf } from '../../client/index.js'
import { createChat } from '../../client/node/index.js'

const [url, token, store, file] = process.argv.slice(2) as [string, string, string, string]
const chat = createChat({ url, auth: { token }, user: 'bot', store })
chat.connect().catch(() => {})
for await (const { room, seq } of messagesOf(chat, { name: 'greeter' })) {
  appendFileSync(file, `${room} ${seq}\n`)
  process.send!(seq)
}
