/** Uploads and downloads over HTTP, by the tus protocol as its specification has it. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { serveHttp, type TestBroker } from './broker.js'
import { httpUrl } from './http.js'

serveHttp()

export interface UploadOptions {
  name?: string
  mime?: string
  roles?: string[]
  /** Bytes that are announced; else those that are sent. */
  size?: number
}

export interface TusAnswer {
  status: number
  headers: Headers
  /** Of a problem document. */
  code: string | undefined
}

/** A request of the protocol. */
export async function tus(
  broker: TestBroker,
  user: string,
  method: string,
  path: string,
  { headers = {}, body, roles }: { headers?: Record<string, string>; body?: Buffer; roles?: string[] | undefined } = {},
): Promise<TusAnswer> {
  const response = await fetch(`${httpUrl(broker)}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await broker.token(user, roles)}`,
      'tus-resumable': '1.0.0',
      ...(body ? { 'content-type': 'application/offset+octet-stream' } : {}),
      ...headers,
    },
    ...(body ? { body: new Uint8Array(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, code: text === '' ? undefined : JSON.parse(text).code }
}

/** Begins an upload, and resolves with the answer. */
export function begin(
  broker: TestBroker,
  user: string,
  size: number,
  { name, mime, roles }: UploadOptions = {},
): Promise<TusAnswer> {
  const pair = (key: string, value = '') => `${key} ${Buffer.from(value).toString('base64')}`
  const known = [name === undefined ? '' : pair('filename', name), mime === undefined ? '' : pair('filetype', mime)]
  const metadata = known.filter(Boolean).join(',')
  const headers = { 'upload-length': String(size), ...(metadata === '' ? {} : { 'upload-metadata': metadata }) }
  return tus(broker, user, 'POST', '/v1/uploads', { headers, roles })
}

/** Uploads a file whole, and resolves with its id. */
export async function upload(
  broker: TestBroker,
  user: string,
  body: Buffer,
  options: UploadOptions = {},
): Promise<string> {
  const begun = await begin(broker, user, body.length, options)
  if (begun.status !== 201) throw new Error(`${begun.status} ${begun.code}`)
  const path = begun.headers.get('location')!
  const { roles } = options
  if (body.length > 0) {
    const sent = await tus(broker, user, 'PATCH', path, { headers: { 'upload-offset': '0' }, body, roles })
    if (sent.status !== 204) throw new Error(`${sent.status} ${sent.code}`)
  }
  return path.split('/').at(-1)!
}

/** Names of what the broker has of files, finished and not. */
export async function filesOnDisk({ dataDir }: TestBroker): Promise<string[]> {
  const names = await readdir(join(dataDir, 'media'), { recursive: true })
  return names.filter((name) => /[0-9a-f]{32}(\.part)?$/.test(name))
}

export interface Downloaded {
  status: number
  headers: Headers
  bytes: Buffer
}

export async function download(
  broker: TestBroker,
  user: string,
  file: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Downloaded> {
  const response = await fetch(`${httpUrl(broker)}/v1/media/${file}`, {
    method,
    headers: { authorization: `Bearer ${await broker.token(user)}`, ...headers },
  })
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}
