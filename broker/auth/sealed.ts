/** Texts that a browser keeps for the broker, and can neither read nor change: JWE, by a key of the broker's. */
import type { KeyObject } from 'node:crypto'
import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose'

export class Seal {
  readonly #key: KeyObject
  readonly #lifetime: number
  readonly #now: () => number

  /** `key` of 256 bits, for this purpose alone; `lifetime` in seconds. */
  constructor(key: KeyObject, lifetime: number, now: () => number = Date.now) {
    this.#key = key
    this.#lifetime = lifetime
    this.#now = now
  }

  close(values: JWTPayload): Promise<string> {
    const seconds = Math.floor(this.#now() / 1000)
    return new EncryptJWT(values)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(seconds + this.#lifetime)
      .encrypt(this.#key)
  }

  /** Null: not sealed here, or too long ago. */
  async open(text: string): Promise<JWTPayload | null> {
    const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
    try {
      const { payload } = await jwtDecrypt(text, this.#key, { ...options, currentDate: new Date(this.#now()) })
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }
}
