import { ChatError } from '../../base/chat-error.js'
import { timer } from '../../requests/timer.js'
import type { Table } from '../store.js'
import { answer } from './requests.js'

const TABLES: readonly Table[] = ['meta', 'rooms', 'messages', 'profiles', 'drafts', 'outbox', 'files']

/** A later one adds what is missing; it never takes a table away. */
const VERSION = 2

/** Ms. A tab that is frozen may hold it up, and some browsers have forgotten to answer. */
const PATIENCE = 5000

export interface DatabaseListener {
  /** The browser has closed it, such as when a person deletes the data of the site. */
  lost(): void
  /** It is closed, because another tab deletes it, or needs a later version. */
  outdated(): void
}

/** Rejects with a `ChatError` `storage` if the browser does not open it in time, else with its error. */
export async function openDatabase(name: string, { lost, outdated }: DatabaseListener): Promise<IDBDatabase> {
  const request = indexedDB.open(name, VERSION)
  request.onupgradeneeded = () => {
    const { objectStoreNames } = request.result
    for (const table of TABLES) if (!objectStoreNames.contains(table)) request.result.createObjectStore(table)
  }
  const opening = answer(request)
  const database = await inTime(opening, 'open').catch((error: unknown) => {
    // Whoever comes too late is not wanted any more.
    opening.then(
      (late) => late.close(),
      () => {},
    )
    throw error
  })
  database.onclose = lost
  database.onversionchange = () => {
    database.close()
    outdated()
  }
  return database
}

/** Rejects with a `ChatError` `storage`. Tabs that have it open are asked to close it. */
export async function deleteDatabase(name: string): Promise<void> {
  await inTime(answer(indexedDB.deleteDatabase(name)), 'delete')
}

async function inTime<T>(answered: Promise<T>, what: string): Promise<T> {
  let stop!: () => void
  const late = new Promise<never>((_, reject) => {
    const why = `the browser did not ${what} the database: another tab may hold it`
    stop = timer(PATIENCE, () => reject(new ChatError('storage', why)))
  })
  return await Promise.race([answered, late]).finally(stop)
}
