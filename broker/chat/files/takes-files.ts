import type { Config } from '../../../schemas/config.js'

const OFF = 'this broker takes no files (media.enabled)'
const NO_HTTP = 'files are sent over HTTP, which is off here (listen.http)'
/** What an operator who has configured nothing of files is told at the start. */
export const NOT_SHARED =
  'nodes that share a store take files only into a bucket (media.s3), or a directory that all of them see (media.dir, media.shared)'

/** Why the broker takes no files; null: it does. */
export function whyNoFiles({ media, store, listen }: Pick<Config, 'media' | 'store' | 'listen'>): string | null {
  if (!media.enabled) return OFF
  if (listen.http === null && listen.https === null) return NO_HTTP
  return store.driver === 'redis' && !media.shared && media.s3.url === null ? NOT_SHARED : null
}
