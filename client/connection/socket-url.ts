import { ChatError } from '../base/chat-error.js'

/** Where the broker takes MQTT over WebSocket, unless `listen.wsPath` says otherwise. */
const PATH = '/mqtt'

const URL_PARTS = /^(http|ws)(s?):\/\/([^/?#\s]+)(\/[^?#\s]*)?$/i

/**
 * The WebSocket of the broker at `url`: `https://host` is `wss://host/mqtt`. A path is kept.
 * @throws ChatError `bad_request`
 */
export function socketUrl(url: string): string {
  const parts = URL_PARTS.exec(url)
  if (!parts)
    throw new ChatError('bad_request', `url: ${JSON.stringify(url)} is not like https://host or wss://host/mqtt`, {
      field: 'url',
    })
  const [, , secure, host, path = '/'] = parts
  return `ws${secure!.toLowerCase()}://${host}${path === '/' ? PATH : path}`
}

/** Names the broker at an address, such as `socketUrl` returns: host and port, and the path if it has one of its own. */
export function brokerOf(address: string): string {
  const [, , host, ...path] = address.split('/')
  const own = `/${path.join('/')}`
  return host!.toLowerCase() + (own === PATH || own === '/' ? '' : own)
}

/** HTTP at the host of what `socketUrl` returned. */
export function httpUrl(socketUrl: string): string {
  const [scheme, , host] = socketUrl.split('/')
  return `${scheme!.replace('ws', 'http')}//${host}`
}
