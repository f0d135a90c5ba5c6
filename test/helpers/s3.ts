/** A bucket: of a server that is started for the test, or of the one that the environment names (`npm run test:s3`). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from '@20minutes/s3rver'
import type { Test } from 'tap'
import { MARK } from '../../broker/media/storage/bucket-mark.js'
import { S3Client } from '../../broker/media/storage/s3-client.js'

export interface Bucket {
  /** `media.s3` of a broker. */
  readonly s3: { readonly url: string; readonly region: string; readonly accessKey: string; readonly secretKey: string }
  readonly client: S3Client
  /** Keys, in their order, but for the mark of the deployment. */
  keys(): Promise<string[]>
}

const KEY = 'S3RVER'

/** Why a test of `npm run test:s3` is left out elsewhere; false: it is not. @param lack What the server that is started for a test does not do */
export const leftOut = (lack: string): string | false =>
  process.env['TEST_S3_URL'] === undefined && `the stand-in ${lack}: npm run test:s3`

let buckets = 0

export async function startBucket(t: Test): Promise<Bucket> {
  const server = process.env['TEST_S3_URL'] === undefined ? await startServer(t) : named(process.env['TEST_S3_URL'])
  // Each test has names of its own.
  const s3 = { ...server, url: `${server.url}/test-${process.pid}-${++buckets}` }
  const client = new S3Client(s3)
  t.teardown(() => client.close())
  const keys = async () => {
    const found: string[] = []
    for await (const { key } of client.list('')) if (key !== MARK) found.push(key)
    return found
  }
  return { s3, client, keys }
}

async function startServer(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'topictalk-s3-'))
  const options = { address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: 'files' }] }
  const server = new S3rver(options)
  const { port } = await server.run()
  t.teardown(async () => {
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return { url: `http://127.0.0.1:${port}/files`, region: 'us-east-1', accessKey: KEY, secretKey: KEY }
}

function named(url: string) {
  const {
    TEST_S3_REGION: region = 'us-east-1',
    TEST_S3_ACCESS_KEY: accessKey = '',
    TEST_S3_SECRET_KEY: secretKey = '',
  } = process.env
  return { url, region, accessKey, secretKey }
}
