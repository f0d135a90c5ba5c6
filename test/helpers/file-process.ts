/**
 * A program that sends files to the room tea, until it is killed: `node file-process.js URL TOKEN DIRECTORY RUN MOST`. It tells its parent of each
 * message that is stored, and, when it has sent as many as it should, and what earlier runs left, `done`.
 */
import { createChat, fileTransfers } from '../../client/index.js'
import { directoryStore } from '../../client/node/index.js'
import { when } from './outbox-app.js'
import { aFile, numberedBytes } from './sdk-files.js'
import { webSocket } from './web-socket.js'

const [url, token, directory, run, most] = process.argv.slice(2) as [string, string, string, string, string]
const store = directoryStore(directory)
const chat = createChat({ url, auth: { token }, user: 'ann', store, files: fileTransfers() }, { socket: webSocket })
chat.connect().catch(() => {})
for (let n = 1; n <= Number(most); n++) {
  const text = `${run}-${n}`
  await chat.send('tea', text, { attach: [aFile(numberedBytes(text, 200_000 + n), `${text}.ogg`)] }).stored
  process.send!(text)
}
await chat.connect()
await when(chat.outbox, (items) => items.length === 0)
process.send!('done')
await chat.close()
process.disconnect()
