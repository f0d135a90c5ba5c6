/** Recognises addresses of this machine and of private networks, for `webhookDelivery.privateAddresses: false`. */
import dns from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Addresses that are not globally reachable [IANA special-purpose registries]. */
const SPECIAL = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  SPECIAL.addSubnet(net, prefix, 'ipv4')
/**
 * Within the routed IPv6 space: IETF protocols (with Teredo), documentation, and 6to4, which leads to any IPv4 address.
 */
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  SPECIAL.addSubnet(net, prefix, 'ipv6')

/** The routed IPv6 space. Addresses that embed an IPv4 address (`::a.b.c.d`, NAT64) are outside. */
const ROUTED = new BlockList()
ROUTED.addSubnet('2000::', 3, 'ipv6')

/** `::ffff:a.b.c.d`, in any notation. */
const MAPPED = new BlockList()
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6')

export function isPrivate(address: string): boolean {
  if (isIP(address) !== 6) return SPECIAL.check(address, 'ipv4')
  // A mapped address is judged by its IPv4 address.
  if (MAPPED.check(address, 'ipv6')) return SPECIAL.check(address, 'ipv6')
  return !ROUTED.check(address, 'ipv6') || SPECIAL.check(address, 'ipv6')
}

/** For URLs with a literal address, which is not looked up. */
export function namesPrivate({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) !== 0 && isPrivate(host)
}

/**
 * Looks up a name and fails if any result is private. Used by the connection itself, so that the address checked is the
 * one connected to.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, [])
    if (addresses.some(({ address }) => isPrivate(address)))
      return callback(new Error(`${hostname} is on a private network (webhookDelivery.privateAddresses)`), [])
    if (options.all) return callback(null, addresses)
    callback(null, addresses[0]!.address, addresses[0]!.family)
  })
}
