/** The `acl.rules` of the test, and the same rules as functions: who may receive and publish on plain and device topics. */

export interface PlainRights {
  user: string
  roles: string[]
  clientId: string
}

export const RULES = [
  { deny: 'all', who: 'user:dan', topics: ['open/vault/#'] },
  { allow: 'all', who: 'any', topics: ['open/#', 'own/{user}/#', 'mine/{client}/#'] },
  { allow: 'all', who: 'role:red', topics: ['red/#'] },
  { allow: 'publish', who: 'any', topics: ['drop/#'] },
  { allow: 'subscribe', who: 'role:blue', topics: ['drop/#'] },
  { allow: 'subscribe', who: 'user:ann', topics: ['devices/bob/#'] },
  { allow: 'publish', who: 'user:bob', topics: ['devices/ann/command'] },
  { allow: 'subscribe', who: 'any', topics: ['tick'] },
  { allow: 'all', who: 'user:root', topics: ['#', 'devices/#'] },
] as const

/** All plain topics on which programs publish. */
export const PLAIN_TOPICS = [
  ...['open/news', 'open/plan', 'open/vault/code', 'red/plan', 'red/vault/code', 'drop/box', 'drop/vault/code'],
  ...['mine/phone/x', 'mine/tablet/x', 'mine/guest/x'],
  ...['own/ann/x', 'own/bob/x', 'own/cat/x', 'own/dan/x', 'own/anonymous/x'],
  ...['devices/ann/command', 'devices/bob/heat', 'devices/cat/heat'],
]

export function hears({ user, roles, clientId }: PlainRights, topic: string): boolean {
  const [first, second] = topic.split('/')
  if (user === 'root' || first === 'tick') return true
  if (first === 'open') return user !== 'dan' || second !== 'vault'
  if (first === 'own') return second === user
  if (first === 'mine') return second === clientId
  if (first === 'red') return roles.includes('red')
  if (first === 'drop') return roles.includes('blue')
  return first === 'devices' && second === 'bob' && user === 'ann'
}

export function says(rights: PlainRights, topic: string): boolean {
  const { user } = rights
  if (topic === 'tick') return user === 'root'
  if (topic.startsWith('drop/')) return true
  if (topic.startsWith('devices/')) return user === 'root' || (user === 'bob' && topic === 'devices/ann/command')
  return hears(rights, topic)
}
