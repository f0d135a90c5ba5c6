/** Finds keys that stand twice in an object of a JSON text, which parsers pass over in silence. */
export function duplicateKeys(json: string): string[] {
  const found: string[] = []
  const open: (Set<string> | null)[] = []
  // A string that a colon follows is a key; what is within a string is no brace.
  for (const [token, key] of json.matchAll(/"((?:[^"\\]|\\.)*)"\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (token === '}' || token === ']') open.pop()
    else if (key !== undefined) {
      if (open.at(-1)!.has(key)) found.push(key)
      open.at(-1)!.add(key)
    }
  }
  return found
}
