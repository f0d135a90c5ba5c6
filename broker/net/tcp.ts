import net from 'node:net'
import type { Accept } from './byte-stream.js'
import { handOver, type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'

/** MQTT over TCP. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  const server = net.createServer(SOCKET_OPTIONS, (socket) => handOver(socket, accept))
  return openListener(server, 'mqtt', options)
}
