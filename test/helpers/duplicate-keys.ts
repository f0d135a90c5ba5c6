/** Finds duplicate keys in JSON text, which parsers accept silently. */
export function duplicateKeys(json: string): string[] {
  const found: string[] = []
  const open: (Set<string> | null)[] = []
  // A string before a colon is a key; braces within strings do not count.
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
