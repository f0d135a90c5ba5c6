/** `Content-Disposition` with the name of a file in any script (RFC 6266, RFC 8187). */

/** @param name Null: there is none */
export function dispositionOf(inline: boolean, name: string | null): string {
  const kind = inline ? 'inline' : 'attachment'
  if (name === null) return kind
  // For clients that do not read the extended form; without quotes, escapes, and % that some of them decode.
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded(name)}`
}

/** As `encodeURIComponent`, and what RFC 8187 does not allow of the rest. */
function encoded(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
