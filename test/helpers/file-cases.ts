/** Cases of the commands about files. `{file of bob}` stands for one that bob has uploaded. */
import type { CommandCases } from './command-cases.js'

const file = '{file of bob}'

export const FILE_CASES: Record<string, CommandCases> = {
  'files.get': {
    happy: { as: 'bob', params: { file }, result: { file, user: 'bob', finished: true } },
    forbidden: { as: 'carol', params: { file }, code: 'not_found' },
    invalid: { as: 'bob', params: { file: 'x' }, answer: 'bad_request file' },
  },
  'files.list': {
    happy: { as: 'bob', params: { limit: 1 }, result: { used: {} } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'files.links': {
    happy: { as: 'bob', params: { files: [file] }, result: { links: [{ file }] } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { files: ['x'] }, answer: 'bad_request files.0' },
  },
  'files.delete': {
    happy: { as: 'bob', params: { file }, result: {} },
    forbidden: { as: 'carol', params: { file }, code: 'not_found' },
    invalid: { as: 'bob', params: { file: 'x' }, answer: 'bad_request file' },
  },
  'files.blocked': {
    before: [['files.block', { as: 'alice', params: { file } }]],
    happy: { as: 'alice', params: { limit: 1 }, result: { contents: [{ by: 'admin' }] } },
    forbidden: { as: 'bob', params: {}, code: 'forbidden' },
    invalid: { as: 'alice', params: { cursor: 'x' }, answer: 'bad_request cursor' },
  },
  'files.unblock': {
    before: [['files.block', { as: 'alice', params: { file } }]],
    happy: { as: 'alice', params: { hash: '{hash of the file of bob}' }, result: {} },
    forbidden: { as: 'bob', params: { hash: '{hash of the file of bob}' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { hash: 'x' }, answer: 'bad_request hash' },
  },
  'files.block': {
    happy: { as: 'alice', params: { file }, result: { file, scan: 'blocked' } },
    forbidden: { as: 'bob', params: { file }, code: 'forbidden' },
    invalid: { as: 'alice', params: { file: 'x' }, answer: 'bad_request file' },
  },
}
