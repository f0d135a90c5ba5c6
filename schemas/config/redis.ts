/** `store.redis`: Redis as the store that several nodes share. */
import Type from 'typebox'
import { count, duration, optionalText, section } from './fields.js'

/** Directives of redis.conf that an operator may vouch for. */
const ASSUMABLE = ['appendonly', 'appendfsync', 'maxmemory-policy'] as const

export const redis = section('Redis, which any number of nodes may share. All of them need the same auth.jwt.secret.', {
  url: optionalText(
    'redis://user:password@host:6379/0, rediss:// for TLS, redis+sentinel://host:26379,host:26379/master, or redis+cluster://host:6379,host:6379.',
    { secret: true },
  ),
  prefix: Type.String({
    pattern: '^[A-Za-z0-9._-]{1,64}$',
    default: 'topictalk',
    description: 'Begins the names of all keys and channels: deployments that share a server need one each.',
  }),
  acks: Type.Enum(['synced', 'replicated', 'written'], {
    default: 'synced',
    description:
      'What an acknowledgement promises, and the server has to be set for: synced (on its disk), replicated (in the memory of replicas, too) or written (in its memory; a crash may lose a second or two).',
  }),
  replicas: count(1, 'Replicas that must have a write with acks: replicated.', 1, 16),
  timeout: duration(
    '5s',
    'A command without an answer by then fails, and the connection is made anew. A node that stops waits no longer for a Redis that cannot be reached.',
  ),
  assume: Type.Array(Type.Enum([...ASSUMABLE]), {
    default: [],
    description:
      'Settings of the server that are not checked because you vouch for them: appendonly, appendfsync, maxmemory-policy. For managed services that hide them.',
  }),
  tls: section('For addresses with TLS.', {
    ca: optionalText('Path of the authorities of the server, PEM; null: those of the system.'),
    cert: optionalText('Path of a client certificate, PEM.'),
    key: optionalText('Path of its private key, PEM.'),
    serverName: optionalText('The name in the certificate of the server, if it is not the host of the URL.'),
  }),
})
