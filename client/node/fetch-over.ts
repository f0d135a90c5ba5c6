/** `fetch` with options of TLS, which that of Node does not take. */
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import type { TlsOptions } from './sockets.js'

/** Answers without a body. */
const EMPTY = new Set([204, 205, 304])

/** Over HTTPS it asks with these options, and follows no redirections; else it is that of the platform. */
export function fetchOver(options: TlsOptions): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { url, method, headers, signal } = request
    if (!url.startsWith('https:')) return fetch(request)
    const body = Buffer.from(await request.arrayBuffer())
    const asked = https.request(url, { ...options, method, headers: Object.fromEntries(headers), signal })
    return new Promise((resolve, reject) => {
      asked.on('error', reject)
      asked.on('response', (answer) => {
        try {
          resolve(responseOf(answer, method))
        } catch (error) {
          // Such as a status above 599, which no `Response` has.
          answer.destroy()
          reject(error)
        }
      })
      asked.end(body)
    })
  }
}

function responseOf(answer: IncomingMessage, method: string): Response {
  const { statusCode: status = 0, headersDistinct } = answer
  const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  )
  const isEmpty = method === 'HEAD' || EMPTY.has(status)
  if (isEmpty) answer.resume()
  const body = isEmpty ? null : (Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>)
  return new Response(body, { status, headers })
}
