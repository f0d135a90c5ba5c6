/** The section `media` of the configuration. */
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
  userFiles: count(10_000, 'Files of one user, with their bots and devices; 0: no limit.', 0),
  serverBytes: count(10_737_418_240, 'Bytes of all files; 0: no limit.', 0),
  minFree: count(268_435_456, 'Bytes of the disk to keep free: an upload that would leave less is refused.', 0),
  uploadLife: duration('1d', 'An upload that is not finished by then is removed.'),
  unusedLife: duration('1d', 'A file to which no message refers is removed that long after its upload.'),
  transfers: count(256, 'Uploads and downloads at the same time on one node.'),
  transfersPerUser: count(8, 'The same of one user, with their bots and devices.'),
})
