/** Uploaded files: their facts, lists of them, and their deletion. The bytes are sent and read over HTTP alone. */
import Type from 'typebox'
import { ATTACHMENT_VIEW, FILE_ID, file } from '../files.js'
import { command, limit, more, NOTHING, object, orNull, time, user } from './parts.js'

const { alt: _, waveform: __, ...view } = ATTACHMENT_VIEW

const File = object(
  {
    file: Type.String({ description: 'Its id.' }),
    user: Type.String({ description: 'Who uploaded it.' }),
    name: orNull(Type.String({ description: 'As its owner named it.' })),
    mime: Type.String({ description: 'Media type, by its bytes; until it is finished as stated.' }),
    size: Type.Integer({ minimum: 0, description: 'Bytes.' }),
    createdAt: time('When the upload began.'),
    finished: Type.Boolean({ description: 'Whether all of it was uploaded.' }),
    scan: Type.Optional(
      Type.Enum(['pending', 'clean', 'blocked'], {
        description:
          'What a scanner says of it, or blocked by an admin: only clean files are served. Absent: no scanner was asked.',
      }),
    ),
    blockedFor: Type.Optional(Type.String({ description: 'Why it is blocked, if that was said.' })),
    ...view,
  },
  { title: 'File' },
)

const hash = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'SHA-256 of the bytes, base64url.',
  examples: ['x9VwU6m7WlZ0S6kXzPWS0iGvb3f6cCj8VPAl2vJ7Q5U'],
})

export const FILE_COMMANDS = {
  'files.get': command({
    summary: 'What is known of a file. For who uploaded it, who may read a message that refers to it, and admins.',
    params: object({ file }),
    result: File,
    rate: 'read',
    http: { method: 'GET', path: '/files/{file}' },
  }),
  'files.list': command({
    summary:
      'The caller’s files, in the order of their ids, unfinished uploads included; for admins those of any user.',
    params: object({
      user: Type.Optional({ ...user, description: 'Whose files; yours if it is not given.' }),
      after: Type.Optional(Type.String({ pattern: FILE_ID, description: 'Only files behind this one.' })),
      limit: limit(50, 200),
    }),
    result: object({
      files: Type.Array(File),
      used: object(
        { files: Type.Integer({ minimum: 0 }), bytes: Type.Integer({ minimum: 0 }) },
        { description: 'What counts for the limits of the user, with their bots and devices.' },
      ),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/files', page: { items: 'files', key: 'file' } },
  }),
  'files.links': command({
    summary:
      'Links to files that need no login, as for the images of a page; files that the caller may not read now are left out. A link ends with the right to read the file, and with the login.',
    params: object({
      files: Type.Array(file, {
        minItems: 1,
        maxItems: 100,
        description: 'Ids of files.',
        examples: [['4f1d9c0b7e2a4835a6c1d0e9f8b7a635']],
      }),
    }),
    result: object({
      links: Type.Array(
        object({
          file: Type.String({ description: 'Its id.' }),
          url: Type.String({ description: 'Address of its bytes at this broker, with a signature.' }),
          thumbnail: Type.Optional(Type.String({ description: 'The same of its small image, if there is one.' })),
        }),
      ),
      expiresAt: time('When the time of these links is over.'),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/file-links' },
  }),
  'files.delete': command({
    summary: 'Deletes a file of the caller, whatever messages refer to it; also an unfinished upload.',
    params: object({ file }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/files/{file}' },
  }),
  'files.block': command({
    summary:
      'Blocks a file: nobody is served it, or can send it, any more, its bytes are removed, and who uploads them again is refused. For admins.',
    params: object({
      file,
      reason: Type.Optional(
        Type.String({ minLength: 1, maxLength: 500, description: 'Shown to who tries to read or send it.' }),
      ),
    }),
    result: File,
    rate: 'write',
    audit: ['file', 'reason'],
    auditedUser: 'user',
    http: { method: 'POST', path: '/files/{file}/block' },
  }),
  'files.blocked': command({
    summary:
      'The contents of files that were blocked, by a scanner or an admin, the one blocked last first: who uploads one again is refused. For admins.',
    params: object({
      cursor: Type.Optional(Type.String({ maxLength: 100, description: 'From the previous page.' })),
      limit: limit(50, 200),
    }),
    result: object({
      contents: Type.Array(
        object({
          hash,
          mime: Type.String({ description: 'Media type, by its bytes.' }),
          size: Type.Integer({ minimum: 0, description: 'Bytes.' }),
          reason: orNull(Type.String({ description: 'Why, if that was said.' })),
          by: Type.Enum(['scanner', 'admin'], { description: 'Who blocked it.' }),
          blockedAt: time('When.'),
        }),
      ),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: where the next page begins.' })),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/blocked-files', page: { items: 'contents' } },
  }),
  'files.unblock': command({
    summary:
      'Allows a content that was blocked to be uploaded again, to be scanned like any other. Files of it that were blocked stay so. For admins.',
    params: object({ hash }),
    result: NOTHING,
    rate: 'write',
    audit: ['hash'],
    http: { method: 'DELETE', path: '/blocked-files/{hash}' },
  }),
} as const
