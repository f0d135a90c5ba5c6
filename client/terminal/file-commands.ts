/** Files that are sent, and saved. */
import { stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileAt } from '../node/index.js'
import { type Commands, find } from './command.js'
import { type Desk, withMentions } from './desk.js'
import { parseTarget } from './input.js'
import type { Message } from './lines.js'
import { atHome } from './paths.js'
import { excerpt, printable } from './printable.js'

export const FILE_COMMANDS: Commands = {
  upload: { takes: 'PATH [TEXT]', help: 'sends a file', completes: 'path', run: upload },
  download: { takes: '[#N] [PATH]', help: 'saves the files of a message', completes: 'path', run: download },
}

type Attachment = NonNullable<Message['attachments']>[number]

/** `PATH [TEXT]`. A path with spaces stands between double quotes. */
async function upload(desk: Desk, rest: string): Promise<void> {
  const [, quoted, plain, text = ''] = /^(?:"([^"]+)"|(\S+))\s*(.*)$/s.exec(rest) ?? []
  const path = quoted ?? plain
  if (path === undefined) throw new Error('which file? /upload PATH')
  requireFiles(desk)
  const { room, thread } = desk
  const attach = [await fileAt(atHome(path))]
  room.send({ ...(text && withMentions(room, text)), ...(thread !== null && { thread }) }, { attach })
}

/** `[#N] [PATH]`: a folder, or the name of the file; between double quotes, as Tab writes it, or not. What is there already is not written over. */
async function download(desk: Desk, rest: string): Promise<void> {
  requireFiles(desk)
  const { seq, text } = parseTarget(rest)
  const path = /^"([^"]*)"?$/.exec(text)?.[1] ?? text
  const files = filesOf(await find(desk, seq, (message) => filesOf(message).length > 0, 'there is no file here'))
  if (files.length === 0) throw new Error(`#${seq} has no file here`)
  for (const file of files) desk.say(`saved ${printable(await save(desk, file, atHome(path)))}`)
}

function filesOf({ attachments = [] }: Message): Attachment[] {
  return attachments.filter(({ file }) => file !== undefined)
}

function requireFiles({ filesHindrance }: Desk): void {
  if (filesHindrance !== null) throw new Error(filesHindrance)
}

async function save(desk: Desk, attachment: Attachment, path: string): Promise<string> {
  const { chat } = desk
  const { size: total = 0 } = attachment
  const target = await freeTarget(attachment, path)
  const what = `saving ${nameIn(attachment)}`
  const progress = (done: number): void => desk.progress({ what, done, total })
  const blob = await chat.files.blob(attachment, { progress }).finally(() => desk.progress(null))
  await writeFile(target, Buffer.from(await blob.arrayBuffer()), { flag: 'wx' })
  return target
}

/** Where it is written. Rejects with an error that says why it cannot be. */
async function freeTarget(attachment: Attachment, path: string): Promise<string> {
  const target = path === '' || (await isFolder(path)) ? join(path || '.', safeName(attachment)) : path
  if (await stat(target).catch(() => null)) throw new Error(`${target} is there already`)
  const folder = dirname(target)
  if (!(await isFolder(folder))) throw new Error(`there is no folder ${folder}`)
  return target
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true
}

function nameIn({ name, file }: Attachment): string {
  return excerpt(name ?? file ?? '')
}

/** Nobody else says where it is written. */
function safeName({ name, file }: Attachment): string {
  const base = basename((name ?? '').replaceAll('\\', '/')).replace(/[\p{C}]/gu, '_')
  return base === '' || base.startsWith('.') ? `file-${file}` : base
}
