/** Uploads the files of the outbox, those of its first messages first. */
import { ChatError } from '../base/chat-error.js'
import { onAbort, type Signal } from '../base/platform.js'
import { Scope } from '../base/scope.js'
import { asChatError, LONGEST_WAIT } from '../outbox/dispatcher.js'
import type { Attach, Blobs, ItemFile } from '../outbox/files.js'
import { ALL_FILES, type Item } from '../outbox/item.js'
import type { SendInput } from '../outbox/outgoing.js'
import type { OutboxRow } from '../outbox/rows.js'
import type { AttachedInput, UploadSource, Uploads } from '../outbox/uploads.js'
import type { Store } from '../store/store.js'
import { attached } from './attached.js'
import { removeUpload, Upload, type UploadDeps } from './upload.js'

const AT_A_TIME = 2

export interface UploaderDeps extends UploadDeps {
  /** Bytes that the outbox holds. */
  readonly most: number
}

interface Running {
  readonly scope: Scope
  /** Never rejects. */
  readonly over: Promise<void>
}

export class Uploader implements Uploads {
  readonly #deps: UploaderDeps
  readonly #source: UploadSource
  #store: Pick<Store, 'get'> | null = null
  /** Of the present connection. */
  #session: Scope | null = null
  readonly #running = new Map<ItemFile, Running>()
  /** Removals. */
  readonly #removing = new Set<Promise<void>>()

  constructor(deps: UploaderDeps, source: UploadSource) {
    this.#deps = deps
    this.#source = source
  }

  attach(input: SendInput, attach: readonly Attach[]): AttachedInput {
    let free = this.#deps.most
    for (const { fileBytes } of this.#source.items()) free -= fileBytes
    return attached(input, attach, free)
  }

  open(store: Pick<Store, 'get'>): void {
    this.#store = store
  }

  async bytesOf({ cid, files = [] }: Pick<OutboxRow, 'cid' | 'files'>): Promise<Blobs> {
    if (files.length === 0 || !this.#store) return []
    const keys = files.map((_, at) => [cid, at])
    return (await this.#store.get('files', keys).catch(() => [])) as Blobs
  }

  keeps(item: Item): void {
    const kept = async (): Promise<void> => {
      // A file that a person has chosen may be changed, or be gone, at any time; what is kept stays.
      const blobs = await this.bytesOf(item)
      for (const [at, file] of item.files.entries()) file.blob = blobs[at] ?? file.blob
    }
    item.stored.then(kept, () => (item.areFilesKept = false))
  }

  begin(signal: Signal): void {
    const session = new Scope(signal)
    this.#session = session
    onAbort(signal, () => {
      if (this.#session === session) this.#session = null
    })
    this.pump()
  }

  pump(): void {
    for (const item of this.#source.items()) {
      if (item.isFailed) continue
      for (const file of item.files) {
        if (!this.#session || this.#running.size >= AT_A_TIME) return
        if (!file.isDone && !this.#running.has(file)) this.#start(item, file, this.#session)
      }
    }
  }

  beginsAnew(item: Item, { code, field = '' }: ChatError): boolean {
    if (code !== 'not_found') return false
    const file = item.files.find(({ place }) => field === fieldOf(place))
    if (!file) return false
    const isAnew = !file.isAnew
    item.uploaded(file, null)
    item.hasLeft = item.isInDoubt
    // Once, until a person tries it again.
    file.isAnew = isAnew
    return isAnew
  }

  canceled(item: Item): void {
    this.#stop(item)
    // What may be in the room after all keeps its files.
    if (!this.#session || item.isInDoubt) return
    const removed = this.#remove(item, this.#session)
    this.#removing.add(removed)
    void removed.finally(() => this.#removing.delete(removed))
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#removing, ...Array.from(this.#running.values(), ({ over }) => over)])
  }

  #start(item: Item, file: ItemFile, session: Scope): void {
    const scope = new Scope(session.signal)
    const over = this.#run(item, file, scope, session).finally(() => {
      scope.end(null)
      this.#running.delete(file)
      this.pump()
    })
    this.#running.set(file, { scope, over })
  }

  /** Never rejects. */
  async #run(item: Item, file: ItemFile, { signal }: Scope, session: Scope): Promise<void> {
    const changed = (): void => this.#source.changed(item)
    const about = { mime: item.input.attachments![file.place]!.mime ?? '', until: item.since + LONGEST_WAIT }
    const upload = new Upload(this.#deps, file, about, {
      begun: changed,
      progressed: () => {
        if (!signal.aborted) item.uploading()
      },
    })
    try {
      await upload.run(signal, session.signal)
      if (signal.aborted) return
      item.uploaded(file, file.id!)
      changed()
    } catch (error) {
      if (signal.aborted) return item.interrupted()
      this.#stop(item)
      this.#source.failed(item, refusalOf(asChatError(error), file))
    }
  }

  #stop({ files }: Item): void {
    for (const file of files) this.#running.get(file)?.scope.end(new ChatError('aborted', 'given up'))
  }

  /** Never rejects: what cannot be removed now, the broker removes later. */
  async #remove({ files }: Item, session: Scope): Promise<void> {
    for (const file of files) {
      await this.#running.get(file)?.over
      if (file.id !== undefined) await removeUpload(this.#deps, file.id, session.signal).catch(() => {})
    }
  }
}

/** Names the field of the message, as the broker does when it refuses one. A limit on all files of the user is about none of them. */
function refusalOf(cause: ChatError, { place }: ItemFile): ChatError {
  const { code, message, field } = cause
  const isQuota = code === 'too_large' && field === undefined
  return new ChatError(code, message, { field: isQuota ? ALL_FILES : fieldOf(place), cause })
}

function fieldOf(place: number): string {
  return `${ALL_FILES}.${place}.file`
}
