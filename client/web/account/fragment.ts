/** The secret in the fragment of a link, which browsers send to no server: so it is in no log. A text that is no link is the secret. */
export function secretOf(given: string): string {
  const text = given.trim()
  const at = text.indexOf('#')
  if (at >= 0) return text.slice(at + 1)
  return /^https?:/.test(text) ? '' : text
}
