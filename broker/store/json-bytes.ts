/** Bytes in JSON, for JSON.stringify and JSON.parse. */

export function bytesAsText(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  return Buffer.isBuffer(original) ? { $base64: original.toString('base64') } : value
}

export function bytesFromText(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$base64' in value)) return value
  return Buffer.from(String(value.$base64), 'base64')
}
