/**
 * A program that sends messages to rooms in turn, as fast as they are stored, until it is killed: `node outbox-process.js URL TOKEN DIRECTORY RUN MOST`.
 * It tells its parent of each message that is stored, and, when it has sent as many as it should, and what earlier runs left, `done`.
 */
import { createChat } from '../../client/index.js'
import { directoryStore } from '../../client/node/index.js'
import { OUTBOX_ROOMS, when } from './outbox-app.js'
import { webSocket } from './web-socket.js'

const [url, token, directory, run, most] = process.argv.slice(2) as [string, string, string, string, string]
const store = directoryStore(directory)
const chat = createChat({ url, auth: { token }, user: 'ann', store }, { socket: webSocket })
chat.connect().catch(() => {})
for (let n = 1; n <= Number(most); n++) {
  const text = `${run}-${n}`
  await chat.send(OUTBOX_ROOMS[n % OUTBOX_ROOMS.length]!, text).stored
  process.send!(text)
}
await chat.connect()
await when(chat.outbox, (items) => items.length === 0)
process.send!('done')
await chat.close()
process.disconnect()
