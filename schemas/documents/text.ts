/** How documents are written: a line is about one operation, definition or key, so that a new request is a few lines of a diff. */

/** `paths`, a path, its methods. */
const LEVELS = 3
/** What is no longer than this stands on one line in any case. */
const SHORT = 100

/** JSON. `levels`: how many levels of objects and arrays have a line for each member. */
export function documentText(document: object, levels = LEVELS): string {
  return `${lines(document, levels, '')}\n`
}

function lines(value: unknown, levels: number, indent: string): string {
  const text = JSON.stringify(value)
  if (levels === 0 || text.length <= SHORT || typeof value !== 'object' || value === null) return text
  const inner = `${indent}  `
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const members = Array.isArray(value)
    ? value.map((item) => lines(item, levels - 1, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${JSON.stringify(key)}: ${lines(item, levels - 1, inner)}`)
  return `${open}\n${members.map((member) => inner + member).join(',\n')}\n${indent}${close}`
}
