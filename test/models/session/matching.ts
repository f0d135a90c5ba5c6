/** Topic filters as regular expressions: another way than the broker's, so that both do not share a mistake [MQTT-4.7]. */
export function matches(filter: string, topic: string): boolean {
  // Neither topics that begin with $ nor rooms, users, devices, broadcast are found by a wildcard in the first level [MQTT-4.7.2-1].
  if (/^[+#]/.test(filter) && /^(\$|(rooms|users|devices|broadcast)\/)/.test(topic)) return false
  const levels = filter.split('/').map((level) => (level === '+' ? '[^/]*' : level))
  const pattern = levels.join('/').replace(/(^|\/)#$/, (_, slash) => (slash ? '(/.*)?' : '.*'))
  return new RegExp(`^${pattern}$`).test(topic)
}

export function isRoom(topic: string): boolean {
  return topic.startsWith('rooms/')
}
