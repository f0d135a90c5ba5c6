import net from 'node:net'
import { AcceptQueue } from './accept-queue.js'
import type { Accept, ByteStream } from './byte-stream.js'
import { handOver, type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'

/** MQTT over TCP. Until the accept queue reaches a connection, what its client sends stays in the socket. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  const acceptQueue = new AcceptQueue((stream: ByteStream) => {
    if (!stream.destroyed) accept(stream)
  })
  const server = net.createServer(SOCKET_OPTIONS, (socket) => handOver(socket, (stream) => acceptQueue.push(stream)))
  return openListener(server, 'mqtt', options)
}
