/**
 * Says in the output of a failed test where its positions in bundles are in the sources. `node --enable-source-maps` would do it too, but it
 * reads the maps of all that a process loads, though most tests pass.
 */
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** `FILE.js:LINE:COLUMN`, as in stacks. */
const IN_STACK = /(?:file:\/\/)?([\w./@-]+\.js):(\d+):(\d+)/g
/** Where a check failed, as tap says it. */
const AT = /^( *fileName: )(\S+\.js)(\n *lineNumber: )(\d+)(\n *columnNumber: )(\d+)/gm

/** @param folder That of the bundles; positions elsewhere stay as they are. */
export function withSources(output, folder) {
  const maps = new Map()
  const sourceOf = (file, line, column) => {
    const path = resolve(file)
    if (!path.startsWith(resolve(folder) + sep)) return null
    if (!maps.has(path)) maps.set(path, readMap(`${path}.map`))
    // SourceMap counts from 0, stacks from 1.
    const entry = maps.get(path)?.findEntry(line - 1, column - 1)
    if (entry?.originalSource === undefined) return null
    const source = join(dirname(path), entry.originalSource)
    return { file: relative('.', source), line: entry.originalLine + 1, column: entry.originalColumn + 1 }
  }
  return output
    .replace(IN_STACK, (text, file, line, column) => {
      const source = sourceOf(file, line, column)
      return source ? `${source.file}:${source.line}:${source.column}` : text
    })
    .replace(AT, (text, name, file, beforeLine, line, beforeColumn, column) => {
      const source = sourceOf(file, line, column)
      return source ? `${name}${source.file}${beforeLine}${source.line}${beforeColumn}${source.column}` : text
    })
}

function readMap(file) {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}
