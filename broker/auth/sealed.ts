/** Texts that a browser keeps for the broker, and can neither read nor change: JWE, by a key from the broker's secret. */
import { hkdfSync } from 'node:crypto'
import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose'

export class Seal {
  readonly #key: Uint8Array
  readonly #lifetime: number
  readonly #now: () => number

  /** `purpose` keeps what is sealed for one thing from being taken for another; `lifetime` in seconds. */
  constructor(secret: Uint8Array, purpose: string, lifetime: number, now: () => number = Date.now) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32))
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
