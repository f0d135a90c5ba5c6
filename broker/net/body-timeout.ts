/** How long the body of a request may take to arrive: Node's own limit is one for all requests, and uploads take as long as they take. */
import type http from 'node:http'

const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

export class BodyTimeout {
  readonly #ms: number
  readonly #takesLong: (request: http.IncomingMessage) => boolean

  /** @param takesLong Requests whose handler bounds the time; once it has answered, the limit counts for what is left of the body */
  constructor(ms: number, takesLong: (request: http.IncomingMessage) => boolean) {
    this.#ms = ms
    this.#takesLong = takesLong
  }

  watch(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (!hasBody(request)) return
    let timer: NodeJS.Timeout | undefined
    const begin = (): void => {
      if (!request.complete) timer = setTimeout(() => end(request, response), this.#ms).unref()
    }
    if (this.#takesLong(request)) response.once('finish', begin)
    else begin()
    request.once('close', () => clearTimeout(timer))
  }
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function end({ socket, complete }: http.IncomingMessage, { headersSent }: http.ServerResponse): void {
  if (complete) return
  if (!headersSent && socket.writable) socket.write(TIMED_OUT)
  socket.destroySoon()
}
