import { useState } from 'preact/hooks'

/** The address of what is made: it follows `name` until somebody writes one. With what sets it. @param kind What addresses of names in other letters begin with */
export function useAddress(name: string, kind: string): readonly [address: string, write: (address: string) => void] {
  const [written, write] = useState<string | null>(null)
  const [any] = useState(() => anyAddress(kind))
  return [written ?? (name.trim() && (addressOf(name) || any)), write]
}

/** In letters that addresses have; '': the name has others. */
export function addressOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
  if (/(?![a-z])\p{L}/u.test(plain)) return ''
  const address = plain.replace(/[^a-z0-9_]+/g, '-').slice(0, 64)
  return address.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
}

function anyAddress(kind: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8))
  return `${kind}-${Array.from(bytes, (byte) => (byte % 36).toString(36)).join('')}`
}
