/** Checks the settings of files against each other. */
import type { Config } from '../../schemas/config.js'
import type { Fault } from './check.js'

/** Bytes of an object that a bucket takes with one request. */
const MOST_BYTES = 5_368_709_120

export function mediaFaults({ media: { s3, fileBytes } }: Pick<Config, 'media'>): Fault[] {
  if (s3.url === null) return []
  const fault = (path: string[], message: string): Fault => ({ path: ['media', ...path], message })
  const faults: Fault[] = []
  for (const key of ['accessKey', 'secretKey'] as const)
    if (s3[key] === null) faults.push(fault(['s3', key], 'is needed with media.s3.url'))
  if (!isBucket(s3.url))
    faults.push(fault(['s3', 'url'], 'expected the address of a bucket, such as https://s3.example.com/bucket'))
  if (fileBytes > MOST_BYTES) faults.push(fault(['fileBytes'], `expected at most ${MOST_BYTES} with media.s3.url`))
  return faults
}

function isBucket(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, pathname, search, hash, username } = new URL(address)
  return /^https?:$/.test(protocol) && /^(\/[\w.-]+)+\/?$/.test(pathname) && `${search}${hash}${username}` === ''
}
