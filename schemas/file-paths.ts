/** Where files are uploaded and read, below `API`. Apart from their schemas, and without computing anything, so that clients need not load more. */

/** Uploads begin here (tus 1.0.0); each is at `/{id}` below it. */
export const UPLOADS = '/v1/uploads'
/** Media type of a part of an upload. */
export const UPLOAD_PART = 'application/offset+octet-stream'
/** Files are downloaded at `/{id}` below it. */
export const MEDIA = '/v1/media'

/** Longest name of a file, in characters. */
export const MAX_FILE_NAME = 256
