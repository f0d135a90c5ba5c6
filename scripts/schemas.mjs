/** Writes docs/reference.md, docs/sdk-reference.md and schemas/json from the sources; run it when the table of commands or a schema has changed. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { documentFiles } from '../dist/schemas/documents/files.js'
import { sdkReference } from './sdk-reference.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const files = { ...documentFiles(version), 'docs/sdk-reference.md': sdkReference(root) }
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  console.log(path)
}
