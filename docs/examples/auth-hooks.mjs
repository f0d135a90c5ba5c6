// An example for `auth.hooks: docs/examples/auth-hooks.mjs`. Export any of the three functions; each is asked only about what
// TopicTalk already allows, and can only narrow it. Return true to allow; anything else, an exception, or no answer within
// `auth.hooksTimeout` refuses. They may be async.

/** Contractors log in during office hours only (UTC). */
export function authenticate({ roles }, now = new Date()) {
  if (!roles.includes('contractor')) return true
  const hour = now.getUTCHours()
  const weekday = now.getUTCDay() >= 1 && now.getUTCDay() <= 5
  return weekday && hour >= 8 && hour < 18
}

/** Commands to machines: from operators, and never more than 1 kB. */
export function authorizePublish({ roles, topic, payload }) {
  if (!topic.startsWith('factory/') || !topic.endsWith('/command')) return true
  return roles.includes('operator') && payload.length <= 1024
}

/** Nobody listens to the whole factory at once: name a machine. */
export function authorizeSubscribe({ filter }) {
  return filter !== '#' && filter !== 'factory/#' && !filter.startsWith('factory/+')
}
