/** A proxy for HTTP that lets no WebSocket pass, as in some companies and hotels. */
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import type { Test } from 'tap'

export class UpgradeBlocker {
  /** Upgrades that were refused, or passed. */
  refused = 0
  passed = 0
  readonly #server: http.Server
  readonly #target: () => number
  #passes = false

  /** `target`: the port at present. Closed with the test. */
  static async start(t: Test, target: () => number): Promise<UpgradeBlocker> {
    const server = http.createServer()
    const blocker = new UpgradeBlocker(server, target)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    })
    return blocker
  }

  private constructor(server: http.Server, target: () => number) {
    this.#server = server
    this.#target = target
    server.on('request', (request, response) => this.#pass(request, response))
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as net.Socket, head))
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  /** From now on WebSockets pass, too. */
  allow(): void {
    this.#passes = true
  }

  #pass(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { method, url, headers } = request
    const onward = http.request({ host: '127.0.0.1', port: this.#target(), method, path: url, headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
      answer.on('error', () => response.destroy())
    })
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end('Bad Gateway')))
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  }

  #upgrade({ url, rawHeaders }: http.IncomingMessage, socket: net.Socket, head: Buffer): void {
    socket.on('error', () => {})
    if (!this.#passes) {
      this.refused++
      return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    }
    this.passed++
    const onward = net.connect(this.#target(), '127.0.0.1')
    const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`))
    onward.write(`GET ${url} HTTP/1.1\r\n${lines.join('')}\r\n`)
    onward.write(head)
    onward.on('error', () => socket.destroy())
    onward.on('close', () => socket.destroy())
    socket.on('close', () => onward.destroy())
    socket.pipe(onward).pipe(socket)
  }
}
