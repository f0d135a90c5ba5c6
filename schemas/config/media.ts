/** The section `media` of the configuration. */
import Type from 'typebox'
import { webhookSecret } from '../webhooks.js'
import { count, duration, flag, optionalText, section } from './fields.js'

export const media = section('Files that users upload over HTTP and attach to messages.', {
  enabled: flag(true, 'Take uploads. false: attachments are links (url) only.'),
  dir: optionalText('Directory of the files; null: media in node.dataDir.'),
  shared: flag(
    false,
    'With store.driver redis: every node sees the same directory. Without it nodes take no uploads, since others could not serve them.',
  ),
  fileBytes: count(104_857_600, 'Bytes of one file.'),
  userBytes: count(1_073_741_824, 'Bytes of all files of one user, with their bots and devices; 0: no limit.', 0),
  roomBytes: count(0, 'Bytes of all files that messages of one room refer to; 0: no limit.', 0),
  userFiles: count(10_000, 'Files of one user, with their bots and devices; 0: no limit.', 0),
  blockedContents: count(
    100_000,
    'Contents of blocked files that are refused when they are uploaded again; beyond it the oldest is forgotten. 0: none.',
    0,
  ),
  serverBytes: count(10_737_418_240, 'Bytes of all files; 0: no limit.', 0),
  minFree: count(268_435_456, 'Bytes of the disk to keep free: an upload that would leave less is refused.', 0),
  uploadLife: duration('1d', 'An upload that is not finished by then is removed.'),
  unusedLife: duration('1d', 'A file to which no message refers is removed that long after its upload.'),
  images: section(
    'Images are written anew when their upload ends, without location and camera, with a small image beside them.',
    {
      enabled: flag(true, 'false, or without the optional package sharp: images stay as they were sent.'),
      pixels: count(50_000_000, 'Pixels of an image, of all frames together; one with more is refused.'),
      memory: count(536_870_912, 'Bytes of memory of the process that reads an image.', 134_217_728),
      time: duration('20s', 'Seconds of CPU time for an image.'),
      thumbnail: count(480, 'Pixels of the longer side of the small image.', 16, 4096),
    },
  ),
  recordings: section('How long audio and video last, and how large they are, is read when their upload ends.', {
    enabled: flag(true, 'false, or without the optional package mediabunny: it is what the sender states.'),
    bytes: count(16_777_216, 'Bytes of a file that are read for it; what needs more stays unknown.', 65_536),
    memory: count(268_435_456, 'Bytes of memory of the process that reads it.', 134_217_728),
    time: duration('5s', 'Seconds of CPU time for it.'),
  }),
  scan: section('Who is asked whether a file may be served: ClamAV, a server of yours, or the hook scanFile.', {
    clamd: optionalText('The daemon of ClamAV: host:port, or the path of its socket. null: none.'),
    url: optionalText('The address that each uploaded file is sent to; https, or http on this machine. null: none.'),
    secret: Type.Union([webhookSecret, Type.Null()], {
      default: null,
      secret: true,
      description:
        'The key of the signatures, as of webhooks: whsec_ and 24 to 64 bytes in base64. Null: questions are not signed.',
    }),
    timeout: duration('30s', 'A scan without an answer by then has failed.'),
    onFailure: Type.Enum(['wait', 'allow'], {
      default: 'wait',
      description: 'A file whose scan fails waits unserved and is scanned again (wait), or is served (allow).',
    }),
    concurrency: count(4, 'Files scanned at the same time; more wait.', 1, 64),
    backlog: count(30, 'Files a minute that are scanned of those from before there was a scanner; 0: none.', 0, 6000),
  }),
  s3: section('Files are kept in a bucket, once they are finished; all nodes see it.', {
    url: optionalText(
      'The address of the bucket, such as https://s3.example.com/bucket, or with what the names in it begin with: https://s3.example.com/bucket/topictalk. null: files are kept in the directory.',
    ),
    region: Type.String({
      minLength: 1,
      default: 'us-east-1',
      description: 'The region that requests are signed for.',
    }),
    accessKey: optionalText('The id of the key that requests are signed with; needed with url.'),
    secretKey: optionalText('The key itself; needed with url.', { secret: true }),
  }),
  linkLife: duration('5m', 'How long a link of files.links lasts, at least; at most twice as long.'),
  transfers: count(256, 'Uploads and downloads at the same time on one node.'),
  transfersPerUser: count(8, 'The same of one user, with their bots and devices.'),
})
