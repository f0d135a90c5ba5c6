import net from 'node:net'
import type { Accept, ByteStream } from './byte-stream.js'
import { Doorway } from './doorway.js'
import { handOver, type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'

/** MQTT over TCP. What a client sends before it is inside waits in the kernel. */
export function listenTcp(options: ListenOptions, accept: Accept): Promise<Listener> {
  const doorway = new Doorway((stream: ByteStream) => {
    if (stream.destroyed) return
    accept(stream)
    stream.resume()
  })
  const settings = { ...SOCKET_OPTIONS, pauseOnConnect: true }
  const server = net.createServer(settings, (socket) => handOver(socket, (stream) => doorway.arrive(stream)))
  return openListener(server, 'mqtt', options)
}
