/** Matches topic filters by regular expressions [MQTT-4.7]: another algorithm than the broker's, so that both do not share a mistake. */
export function matches(filter: string, topic: string): boolean {
  // A wildcard in the first level matches neither $ topics nor rooms, users, devices and broadcast [MQTT-4.7.2-1].
  if (/^[+#]/.test(filter) && /^(\$|(rooms|users|devices|broadcast)\/)/.test(topic)) return false
  const levels = filter.split('/').map((level) => (level === '+' ? '[^/]*' : level))
  const pattern = levels.join('/').replace(/(^|\/)#$/, (_, slash) => (slash ? '(/.*)?' : '.*'))
  return new RegExp(`^${pattern}$`).test(topic)
}

export function isRoom(topic: string): boolean {
  return topic.startsWith('rooms/')
}
