/** Whoever signs tokens for others: a key set on a port of its own, whose keys change, and which can be out of order. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWK, SignJWT } from 'jose'
import type { Test } from 'tap'

export class KeyServer {
  /** What it answers; null: an error. */
  keys: JWK[] | null = []
  /** How often it was asked. */
  asked = 0
  url = ''
  readonly #private = new Map<string, KeyObject>()

  static async start(t: Test): Promise<KeyServer> {
    const it = new KeyServer()
    const server = createServer((_request, response) => {
      it.asked++
      response.statusCode = it.keys === null ? 503 : 200
      response.end(JSON.stringify({ keys: it.keys }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => new Promise((resolve) => server.close(resolve).closeAllConnections()))
    it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    return it
  }

  /** A new key of that name; shown from now on. */
  async add(kid: string, more: JWK = {}): Promise<void> {
    this.keys?.push({ ...(await this.make(kid)), ...more })
  }

  /** A new key that is not shown yet. */
  async make(kid: string): Promise<JWK> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#private.set(kid, privateKey)
    return { ...(await exportJWK(publicKey)), kid }
  }

  sign(kid: string, claims: object): Promise<string> {
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid }).sign(this.#private.get(kid)!)
  }
}
