import type { Attachment, Files } from '../../index.js'
import { plainLine } from '../ui/plain.js'

/** Has the browser save a file. Rejects with a `ChatError` if it is not to be had. */
export async function saveFile(files: Files, attachment: Attachment): Promise<void> {
  const address = await files.url(attachment)
  const link = document.createElement('a')
  link.href = `${address}&download`
  link.download = plainLine(attachment.name ?? '')
  link.click()
}
