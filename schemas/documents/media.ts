/** The routes of files: uploads by the tus protocol, and downloads. */
import { MEDIA, UPLOAD_PART, UPLOADS } from '../file-paths.js'
import type { Json } from './components.js'
import { REFUSALS } from './refusals.js'

const header = (name: string, description: string, required = true) => ({
  ...{ name, in: 'header', required, description },
  schema: { type: 'string' },
})
const id = (name: string) => ({
  name,
  in: 'path',
  required: true,
  description: 'Id of the file.',
  schema: { type: 'string' },
})
/** Of a link of files.links, in place of a login. */
const signed = ['user', 'expires', 'login', 'signature'].map((name) => ({
  ...{ name, in: 'query', required: false, description: 'Of a link (files.links), in place of a login.' },
  schema: { type: 'string' },
}))
const version = header('Tus-Resumable', '1.0.0.')
const told = (description: string) => ({ description, schema: { type: 'string' } })
const OFFSET = { 'Upload-Offset': told('Bytes that are there.') }
const part = { content: { [UPLOAD_PART]: { schema: { type: 'string', format: 'binary' } } } }

const CREATE = {
  operationId: 'uploads.create',
  summary: 'Begins an upload (tus 1.0.0: creation, with or without its first bytes).',
  tags: ['files'],
  parameters: [
    version,
    header('Upload-Length', 'Bytes of the file.'),
    header('Upload-Metadata', 'filename and filetype, in base64, as in tus.', false),
  ],
  requestBody: { required: false, ...part },
  responses: {
    '201': {
      description: 'It began. The last part of Location is the id of the file.',
      headers: { Location: told('Where to send the bytes.'), ...OFFSET },
    },
    ...REFUSALS,
  },
}

const LOOK = {
  operationId: 'uploads.look',
  summary: 'How far an upload has come.',
  tags: ['files'],
  parameters: [id('file'), version],
  responses: {
    '200': { description: 'So far.', headers: { ...OFFSET, 'Upload-Length': told('Bytes of the file.') } },
    ...REFUSALS,
  },
}

const APPEND = {
  operationId: 'uploads.append',
  summary: 'Goes on with an upload. With its last byte it is a file that messages can refer to.',
  tags: ['files'],
  parameters: [id('file'), version, header('Upload-Offset', 'How far it has come.')],
  requestBody: { required: true, ...part },
  responses: { '204': { description: 'The bytes are stored.', headers: OFFSET }, ...REFUSALS },
}

const END = {
  operationId: 'uploads.delete',
  summary: 'Gives an upload up, or deletes the file that it became.',
  tags: ['files'],
  parameters: [id('file'), version],
  responses: { '204': { description: 'It is gone.' }, ...REFUSALS },
}

const READ = {
  operationId: 'media',
  summary: 'The bytes of a file. For who uploaded it, and who may read a message that refers to it.',
  description:
    'Takes one Range, If-Range, If-None-Match and HEAD. With `download` in the address it is to be saved, whatever it is.',
  tags: ['files'],
  parameters: [
    id('file'),
    ...signed,
    { name: 'download', in: 'query', required: false, description: 'To be saved.', schema: { type: 'string' } },
    header('Range', 'One range of bytes.', false),
  ],
  responses: {
    '200': {
      description: 'The file.',
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    },
    '206': { description: 'The range.' },
    ...REFUSALS,
  },
}

const SMALL = {
  operationId: 'media.thumbnail',
  summary: 'A small image (WebP) of an image, for those who may read the file.',
  tags: ['files'],
  parameters: [id('file'), ...signed],
  responses: {
    '200': { description: 'The image.', content: { 'image/webp': { schema: { type: 'string', format: 'binary' } } } },
    ...REFUSALS,
  },
}

export const MEDIA_ROUTES: readonly (readonly [path: string, method: string, operation: Json])[] = [
  [UPLOADS, 'post', CREATE],
  [`${UPLOADS}/{file}`, 'head', LOOK],
  [`${UPLOADS}/{file}`, 'patch', APPEND],
  [`${UPLOADS}/{file}`, 'delete', END],
  [`${MEDIA}/{file}`, 'get', READ],
  [`${MEDIA}/{file}/thumbnail`, 'get', SMALL],
]
