/**
 * The PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt): a load balancer
 * puts a header in front of each connection that names the client.
 */
import net from 'node:net'
import tls from 'node:tls'

export type ProxyHeader =
  /** `length` in bytes; `address` is null for connections of the proxy itself (health checks). */
  { kind: 'header'; length: number; address: string | null } | { kind: 'incomplete' } | { kind: 'malformed' }

/** Milliseconds after which a connection without a complete header is closed. */
const HEADER_TIMEOUT = 5_000
/** Longest version 1 header, by the specification. */
const V1_MAX = 107
/** Longest version 2 header accepted: the addresses and ample space for TLVs. */
const V2_MAX = 2048
const V2_SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
const V2_FIXED = 16
const V1_SIGNATURE = Buffer.from('PROXY ')
/** Version 2 address blocks in bytes, by address family: unspecified, IPv4, IPv6, Unix. */
const V2_ADDRESS_BYTES = [0, 12, 36, 216] as const

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
const MALFORMED: ProxyHeader = { kind: 'malformed' }

/** Reads the header at the start of `bytes`. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED ? INCOMPLETE : parseV2(bytes)
  if (startsLike(bytes, V1_SIGNATURE)) return parseV1(bytes)
  return MALFORMED
}

/** True when the bytes so far agree with `signature`. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX).indexOf('\r\n')
  if (end === -1) return bytes.length < V1_MAX ? INCOMPLETE : MALFORMED
  const length = end + 2
  const [, protocol, source, target, ...ports] = bytes.toString('latin1', 0, end).split(' ')
  if (protocol === 'UNKNOWN') return { kind: 'header', length, address: null }
  const isAddress = protocol === 'TCP4' ? net.isIPv4 : protocol === 'TCP6' ? net.isIPv6 : () => false
  if (!isAddress(source ?? '') || !isAddress(target ?? '')) return MALFORMED
  if (ports.length !== 2 || !ports.every(isPort)) return MALFORMED
  return { kind: 'header', length, address: source! }
}

function isPort(text: string): boolean {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65535
}

function parseV2(bytes: Buffer): ProxyHeader {
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 0x0f]
  const family = bytes[13]! >> 4
  const block = bytes.readUInt16BE(14)
  const length = V2_FIXED + block
  const addressBytes = V2_ADDRESS_BYTES[family]
  if (version !== 2 || command > 1 || addressBytes === undefined || length > V2_MAX) return MALFORMED
  if (command === 1 && block < addressBytes) return MALFORMED
  if (bytes.length < length) return INCOMPLETE
  return { kind: 'header', length, address: command === 1 ? readAddress(bytes, family) : null }
}

function readAddress(bytes: Buffer, family: number): string | null {
  if (family === 1) return bytes.subarray(V2_FIXED, V2_FIXED + 4).join('.')
  if (family !== 2) return null
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(V2_FIXED + 2 * i).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/**
 * A server to listen in place of `server`: it removes the header of each connection and passes the rest on, with the
 * client's address as `remoteAddress`. Works in front of TCP, TLS and HTTP servers alike.
 */
export function acceptProxied(server: net.Server, options: net.ServerOpts): net.Server {
  const waiting = new Set<net.Socket>()
  const carryAddress = server instanceof tls.Server ? addressCarrier(server) : () => {}
  const front = net.createServer(options, (socket) => {
    waiting.add(socket)
    readHeader(socket, (header) => {
      waiting.delete(socket)
      if (header === null) return
      if (header.address !== null) {
        carryAddress(socket, header.address)
        setAddress(socket, header.address)
      }
      server.emit('connection', socket)
    })
  })
  const close = front.close.bind(front)
  front.close = (done) => {
    for (const socket of waiting) socket.destroy()
    return close(done)
  }
  return front
}

/** Calls `done` once: with the header, or with null when the connection has ended. */
function readHeader(socket: net.Socket, done: (header: { address: string | null } | null) => void): void {
  let seen = Buffer.alloc(0)
  const finish = (header: { address: string | null } | null) => {
    clearTimeout(timer)
    socket.off('readable', read).off('close', giveUp)
    done(header)
    if (header === null) socket.destroy()
  }
  const giveUp = () => finish(null)
  const timer = setTimeout(giveUp, HEADER_TIMEOUT)
  const read = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) seen = Buffer.concat([seen, chunk])
    const header = parseProxyHeader(seen)
    if (header.kind === 'incomplete') return
    if (header.kind === 'malformed') return finish(null)
    if (seen.length > header.length) socket.unshift(seen.subarray(header.length))
    finish(header)
  }
  socket.on('error', () => {})
  socket.on('readable', read).on('close', giveUp)
}

function setAddress(socket: net.Socket, address: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: address })
}

/**
 * A TLSSocket asks the kernel for its peer, which is the proxy; the proxy's own address and port are mapped back to the
 * client's.
 */
function addressCarrier(server: tls.Server): (socket: net.Socket, address: string) => void {
  const clients = new Map<string, string>()
  server.prependListener('secureConnection', (socket) => {
    const address = clients.get(peerOf(socket))
    if (address !== undefined) setAddress(socket, address)
  })
  return (socket, address) => {
    const peer = peerOf(socket)
    clients.set(peer, address)
    socket.once('close', () => clients.delete(peer))
  }
}

function peerOf(socket: net.Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
