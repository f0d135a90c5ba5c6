/** Reads the YAML file of the configuration: fills in `${ENV}`, and knows the line of each key. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import Value from 'typebox/value'
import { type Document, isScalar, isSeq, isMap as isYamlMap, LineCounter, parse, parseDocument } from 'yaml'
import { ConfigError } from '../../schemas/config.js'
import { isMap, type Path, pathText, type SchemaNode, schemaAt } from './check.js'

export interface ConfigFile {
  value: unknown
  /** `config.yaml:12` for a path, or for its nearest ancestor in the file. */
  where(path: Path): string
  /** Environment variables named by `${…}`. */
  readonly variables: ReadonlySet<string>
  /** Paths (as text) whose value came from the environment. */
  readonly filled: ReadonlySet<string>
}

/** Throws a `ConfigError` if the file cannot be read, is not YAML, or names a variable that is not set. */
export function readConfigFile(file: string, cwd: string, env: NodeJS.ProcessEnv): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(markVariables(readText(file, cwd)), { lineCounter: lines, prettyErrors: false })
  const line = (offset: number): string => `${file}:${lines.linePos(offset).line}`
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0)
    throw new ConfigError(faults.map((fault) => `${line(fault.pos[0])}: ${unquoted(fault.message)}`))
  const where = (path: Path): string => line(offsetOf(document, path))
  const variables = new Set<string>()
  const filled = new Set<string>()
  const value = fill(toValue(file, document), env, where, variables, filled)
  return { value: value ?? {}, where, variables, filled }
}

/** Drops what the parser quotes after a colon, as it may be a secret. */
function unquoted(message: string): string {
  return message.split(': ')[0]!
}

function readText(file: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new ConfigError([`${file}: cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}`])
  }
}

function toValue(file: string, document: Document.Parsed): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    throw new ConfigError([`${file}: ${unquoted((cause as Error).message)}`])
  }
}

// `${NAME}` cannot be used in a flow map (`{ secret: ${NAME} }`) because of its braces, and substitution before parsing
// would let a value change the structure. So the text is parsed with MARK NAME END in its place, which YAML reads as
// plain text.
const MARK = '\uE000'
const LITERAL = '\uE001'
const END = '\uE002'
const MARKED = new RegExp(`([${MARK}${LITERAL}])([^${END}]*)${END}`, 'g')

/** `$${NAME}` stands for the text `${NAME}`. */
function markVariables(text: string): string {
  return text.replace(/(\$?)\$\{([^}\n]*)\}/g, (_, dollar, name) => `${dollar ? LITERAL : MARK}${name}${END}`)
}

function fill(
  value: unknown,
  env: NodeJS.ProcessEnv,
  where: (path: Path) => string,
  variables: Set<string>,
  filled: Set<string>,
): unknown {
  const faults: string[] = []
  const result = visit(value, [])
  if (faults.length > 0) throw new ConfigError(faults)
  return result

  function visit(value: unknown, path: Path): unknown {
    if (Array.isArray(value)) return value.map((item, i) => visit(item, [...path, i]))
    if (isMap(value)) {
      const entries = Object.entries(value).map(([key, item]) => [unmark(key), visit(item, [...path, key])])
      return Object.fromEntries(entries)
    }
    return typeof value === 'string' && value.search(MARKED) !== -1 ? text(value, path) : value
  }

  function text(value: string, path: Path): unknown {
    const whole = value.replace(MARKED, (_, mark: string, name: string) => {
      if (mark === LITERAL) return `\${${name}}`
      variables.add(name)
      const found = env[name]
      if (found === undefined)
        faults.push(`${where(path)}: ${pathText(path)}: the environment variable ${name} is not set`)
      return found ?? ''
    })
    filled.add(pathText(path))
    const schema = schemaAt(path)
    return schema ? fromText(schema, whole) : whole
  }
}

function unmark(key: string): string {
  return key.replace(MARKED, (_, mark: string, name: string) => `${mark === LITERAL ? '$' : ''}\${${name}}`)
}

/**
 * Converts a value given as text (environment, `--set`) to the type in the schema. If a string is allowed it stays a
 * string, so that a secret of digits or with a # in it is kept; anything else is parsed as YAML.
 */
export function fromText(schema: SchemaNode, text: string): unknown {
  if ((text === '' || text === 'null' || text === '~') && Value.Check(schema, null)) return null
  const quoted = /^(["']).*\1$/s.test(text)
  if (!quoted && Value.Check(schema, text)) return text
  try {
    return parse(text)
  } catch {
    return text
  }
}

/** Offset of the key (or list item) at a path, or of its nearest ancestor in the file. */
function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents
  let offset = 0
  for (const step of path) {
    if (isYamlMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && unmark(String(item.key.value)) === step)
      if (!pair) return offset
      offset = (isScalar(pair.key) && pair.key.range?.[0]) || offset
      node = pair.value
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step]
      offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset
    } else return offset
  }
  return offset
}
