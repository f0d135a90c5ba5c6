/** A server for a JSON Web Key Set, whose keys change, and which can fail. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWK, SignJWT } from 'jose'
import type { Test } from 'tap'

export class KeyServer {
  /** The keys it serves; null: an error. */
  keys: JWK[] | null = []
  /** Number of requests. */
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

  /** Creates a key with this id and serves it. */
  async add(kid: string, more: JWK = {}): Promise<void> {
    this.keys?.push({ ...(await this.make(kid)), ...more })
  }

  /** Creates a key that is not served yet. */
  async make(kid: string): Promise<JWK> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#private.set(kid, privateKey)
    return { ...(await exportJWK(publicKey)), kid }
  }

  sign(kid: string, claims: object): Promise<string> {
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid }).sign(this.#private.get(kid)!)
  }
}
