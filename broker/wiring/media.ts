/** Where files are, and the parts that take and give them. */
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../../schemas/config.js'
import { deriveKey } from '../auth/tokens.js'
import type { Chat } from '../chat/chat.js'
import { NOT_SHARED, whyNoFiles } from '../chat/files/takes-files.js'
import type { HttpDeps } from '../http/app.js'
import { Downloads } from '../media/downloads.js'
import { Images } from '../media/images/images.js'
import { MediaSweep } from '../media/media-sweep.js'
import { ChildProcesses, canRun } from '../media/processes/child-processes.js'
import { Recordings } from '../media/recordings/recordings.js'
import { ClamdScanner } from '../media/scanning/clamd-scanner.js'
import { FunctionScanner } from '../media/scanning/function-scanner.js'
import { HttpScanner } from '../media/scanning/http-scanner.js'
import { ScanQueue } from '../media/scanning/scan-queue.js'
import type { Scanner } from '../media/scanning/scanner.js'
import { Scans } from '../media/scanning/scans.js'
import { Blobs } from '../media/storage/blobs.js'
import { BucketMark, ForeignBucket } from '../media/storage/bucket-mark.js'
import { DirectoryStorage } from '../media/storage/directory-storage.js'
import type { FileStorage } from '../media/storage/file-storage.js'
import { S3Client, S3Error } from '../media/storage/s3-client.js'
import { S3Storage } from '../media/storage/s3-storage.js'
import { Transfers } from '../media/transfers.js'
import { Uploads } from '../media/uploads.js'
import { deploymentId } from '../store/deployment.js'
import type { Store } from '../store/store.js'
import { makeDirectory } from '../util/make-directory.js'
import type { Context } from './context.js'
import type { LoginServices } from './logins.js'

/** Name of the key derived from the secret. */
const LINK_KEY = 'topictalk-file-links'

/** Where the bytes of files are: while they are made, and when they are finished. */
interface Places {
  readonly blobs: Blobs
  readonly storage: FileStorage
}

/** Null: the broker takes no files, for this reason. */
export interface MediaStorage {
  readonly places: Places | null
  readonly dir: string
  readonly whyNot: string
}

/** @throws what hinders to make the directory, or says that the bucket is not for this broker */
export async function openMedia(context: Context, store: Store): Promise<MediaStorage> {
  const { config, log } = context
  const dir = config.media.dir ?? join(config.node.dataDir, 'media')
  const whyNot = whyNoFiles(config)
  if (whyNot !== null) {
    if (whyNot === NOT_SHARED) log.warn({ dir }, whyNot)
    return { places: null, dir, whyNot }
  }
  makeDirectory(dir)
  const blobs = new Blobs(dir, config.media.shared)
  return { places: { blobs, storage: await openStorage(context, store, blobs) }, dir, whyNot: '' }
}

async function openStorage(
  { config, log, teardown, failed }: Context,
  store: Store,
  blobs: Blobs,
): Promise<FileStorage> {
  const { url, region, accessKey, secretKey } = config.media.s3
  if (url === null) return new DirectoryStorage(blobs)
  const client = new S3Client({ url, region, accessKey: accessKey!, secretKey: secretKey! })
  teardown.add(client)
  const mark = new BucketMark(client, url, await deploymentId(store))
  try {
    await mark.require()
    await client.page('', 1)
  } catch (error) {
    if (error instanceof ForeignBucket) throw error
    if (error instanceof S3Error && error.status < 500)
      throw new Error(`media.s3: the bucket cannot be used: ${error.message}`, { cause: error })
    log.warn(
      { err: error },
      'the storage of files (media.s3) cannot be reached: uploads and downloads fail until it can',
    )
  }
  return new S3Storage({ client, mark, blobs, failed })
}

/** Signs links to files; the same on all nodes. */
export function fileLinkKey({ auth, node }: Config): Promise<KeyObject> {
  return deriveKey(auth.jwt, node.dataDir, LINK_KEY)
}

/** Removes the bytes of a file; where there are none, nothing. */
export function removeBytes({ places }: MediaStorage, failed: (error: unknown) => void) {
  return async (id: string): Promise<void> => {
    await places?.storage.remove(id).catch(failed)
  }
}

interface MediaNeeds {
  readonly media: MediaStorage
  readonly chat: Chat
  readonly logins: LoginServices
  readonly scans: Scans | null
}

export function mediaDeps(context: Context, { media: opened, chat, logins, scans }: MediaNeeds): HttpDeps['media'] {
  const { places, dir, whyNot } = opened
  const { config, failed } = context
  const { media } = config
  const { files, fileAccess: access, fileLinks: links, accountOf, rates } = chat
  const common = {
    whyNot,
    fileBytes: media.fileBytes,
    links,
    requireRate: (...[actor, rate]: Parameters<typeof rates.requireCommand>) => rates.requireCommand(actor, rate),
  }
  if (!places) return { ...common, uploads: null, downloads: null }
  const transfers = new Transfers(media, accountOf)
  const processes = new ChildProcesses()
  context.teardown.add(processes)
  const images = openImages(context, processes)
  const recordings = openRecordings(context, processes)
  const isShared = config.store.driver === 'redis'
  const isValid: ConstructorParameters<typeof Downloads>[0]['isValid'] = async ({ principal }) =>
    (await logins.authenticator.revalidate(principal)) !== null
  return {
    ...common,
    uploads: new Uploads({
      ...places,
      files,
      transfers,
      images,
      recordings,
      scans,
      isShared,
      dir,
      minFree: media.minFree,
    }),
    downloads: new Downloads({ access, storage: places.storage, transfers, isValid, failed }),
  }
}

/** Null: images stay as they were sent. */
function openImages({ config, log }: Context, processes: ChildProcesses): Images | null {
  const { enabled, ...limits } = config.media.images
  if (!enabled) return null
  if (canRun('sharp')) return new Images(limits, processes)
  log.warn(
    'images stay as they were sent, with the place where they were taken: the optional package sharp is not installed (npm install sharp)',
  )
  return null
}

/** Null: nothing is known of audio and video. */
function openRecordings({ config, log }: Context, processes: ChildProcesses): Recordings | null {
  const { enabled, ...limits } = config.media.recordings
  if (!enabled) return null
  if (canRun('mediabunny')) return new Recordings(limits, processes)
  log.warn(
    'how long audio and video last is not read: the optional package mediabunny is not installed (npm install mediabunny)',
  )
  return null
}

export interface Scanning {
  readonly scans: Scans
  readonly queue: ScanQueue
}

/** Null: files are not scanned. */
export function makeScans(
  { config, counters, failed, teardown }: Context,
  { places }: MediaStorage,
  { fileVerdicts: verdicts }: Chat,
  { hooks }: Pick<LoginServices, 'hooks'>,
): Scanning | null {
  const { clamd, url, secret, backlog, ...options } = config.media.scan
  const scanners: Scanner[] = []
  if (hooks.scanFile) scanners.push(new FunctionScanner(hooks.scanFile))
  if (clamd !== null) scanners.push(new ClamdScanner(clamd))
  if (url !== null) scanners.push(new HttpScanner(url, secret))
  if (!places || scanners.length === 0) return null
  const scans = new Scans({ scanners, verdicts, storage: places.storage, options, counters, failed })
  const queue = new ScanQueue({ scans, backlog, concurrency: options.concurrency, counters, failed })
  teardown.add(queue)
  teardown.add(scans)
  return { scans, queue }
}

/** Null: there is nothing to look at. */
export function mediaSweep(
  { places }: MediaStorage,
  { files }: Chat,
  store: Store,
  scanning: Scanning | null,
): MediaSweep | null {
  return places && new MediaSweep({ ...places, files, records: store.directory.files, scans: scanning?.queue ?? null })
}
