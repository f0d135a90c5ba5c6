import net from 'node:net'
import type { Accept } from './byte-stream.js'
import { Doorway } from './doorway.js'
import { type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'

/** MQTT over TCP. What a client sends before it is inside waits in its socket. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  const doorway = new Doorway((socket: net.Socket) => {
    if (!socket.destroyed) accept(socket)
  })
  const server = net.createServer(SOCKET_OPTIONS, (socket) => {
    // An error ends in its `close`.
    socket.on('error', () => {})
    doorway.arrive(socket)
  })
  return openListener(server, 'mqtt', options)
}
