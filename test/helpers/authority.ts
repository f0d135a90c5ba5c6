/** A certificate authority for tests: makes client certificates and revocation lists (RFC 5280) with node:crypto alone. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { certificateFiles } from './certificate.js'

const DAY = 86_400_000
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'

// --- DER -------------------------------------------------------------------------------------------------------------

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}

const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts)
const set = (...parts: Uint8Array[]) => der(0x31, ...parts)
const text = (value: string) => der(0x0c, Buffer.from(value))
const octets = (value: Uint8Array) => der(0x04, value)
const bits = (value: Uint8Array) => der(0x03, Buffer.from([0]), value)
const TRUE = der(0x01, Buffer.from([0xff]))
const VERSION_2 = der(0x02, Buffer.from([1]))
const VERSION_3 = der(0xa0, der(0x02, Buffer.from([2])))

function oid(name: string): Buffer {
  const [first = 0, second = 0, ...rest] = name.split('.').map(Number)
  const bytes = rest.flatMap((value) => {
    const groups = [value & 127]
    for (let more = value >> 7; more > 0; more >>= 7) groups.unshift((more & 127) | 128)
    return groups
  })
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]))
}

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')
  return der(0x18, Buffer.from(digits))
}

const name = (...commonNames: string[]) => sequence(...commonNames.map((cn) => set(sequence(oid('2.5.4.3'), text(cn)))))
const algorithm = sequence(oid(ECDSA_SHA256))
const extension = (id: string, value: Uint8Array) => sequence(oid(id), octets(value))

function pem(label: string, bytes: Buffer): string {
  // Without an empty line at the end, because some parsers take what follows one as the body.
  const lines = bytes
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

function signed(body: Buffer, key: KeyObject): Buffer {
  return sequence(body, algorithm, bits(sign('sha256', body, key)))
}

// --- the authority ---------------------------------------------------------------------------------------------------

export interface ClientCertificate {
  cert: string
  key: string
  serial: Buffer
}

export interface Subject {
  cn?: string | string[]
  emails?: string[]
  dns?: string[]
  /** Unix ms. */
  notBefore?: number
  notAfter?: number
}

export class Authority {
  readonly certificate: string
  readonly #name: Buffer
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  constructor(commonName = 'Authority of a test') {
    this.#name = name(commonName)
    const basic = sequence(oid('2.5.29.19'), TRUE, octets(sequence(TRUE)))
    this.certificate = this.#certify(this.#name, this.#keys.publicKey, serial(), {}, [basic])
  }

  issue({ cn = [], emails = [], dns = [], ...validity }: Subject): ClientCertificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const names = [
      ...emails.map((one) => der(0x81, Buffer.from(one))),
      ...dns.map((one) => der(0x82, Buffer.from(one))),
    ]
    const extensions = names.length > 0 ? [extension('2.5.29.17', sequence(...names))] : []
    const number = serial()
    return {
      cert: this.#certify(name(...[cn].flat()), publicKey, number, validity, extensions),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      serial: number,
    }
  }

  /** A revocation list with these certificates. */
  revoke(...revoked: ClientCertificate[]): string {
    const now = Date.now()
    const entries = revoked.map((one) => sequence(der(0x02, one.serial), time(now - DAY)))
    const list = entries.length > 0 ? [sequence(...entries)] : []
    const body = sequence(VERSION_2, algorithm, this.#name, time(now - DAY), time(now + DAY), ...list)
    return pem('X509 CRL', signed(body, this.#keys.privateKey))
  }

  #certify(
    subject: Buffer,
    publicKey: KeyObject,
    number: Buffer,
    { notBefore = Date.now() - DAY, notAfter = Date.now() + DAY }: Subject,
    extensions: Buffer[],
  ): string {
    const parts = [
      VERSION_3,
      der(0x02, number),
      algorithm,
      this.#name,
      sequence(time(notBefore), time(notAfter)),
      subject,
    ]
    const key = publicKey.export({ type: 'spki', format: 'der' })
    const more = extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []
    return pem('CERTIFICATE', signed(sequence(...parts, key, ...more), this.#keys.privateKey))
  }

  /** Files for `listen.tls`: the broker's certificate, this authority, and optionally a revocation list. */
  files(t: Test, list?: string): { cert: string; key: string; ca: string; crl?: string } {
    const own = certificateFiles(t, { 'ca.pem': this.certificate, ...(list !== undefined && { 'crl.pem': list }) })
    const beside = (name: string) => join(dirname(own.cert), name)
    return { ...own, ca: beside('ca.pem'), ...(list !== undefined && { crl: beside('crl.pem') }) }
  }
}

/** A positive random serial number. */
function serial(): Buffer {
  return Buffer.concat([Buffer.from([1]), randomBytes(8)])
}
