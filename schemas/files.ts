/** Files that users upload, as attachments and addresses name them. */
import Type from 'typebox'

/** 128 random bits. */
export const FILE_ID = '^[0-9a-f]{32}$'
const fileId = new RegExp(FILE_ID)

/** Longest media type. */
export const MAX_MIME = 128

export function isFileId(text: string): boolean {
  return fileId.test(text)
}

export const file = Type.String({ pattern: FILE_ID, description: 'Id of an uploaded file.' })

/** The fields of an attachment that say what is shown before it is loaded, or in its place. */
export const ATTACHMENT_VIEW = {
  width: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Pixels.' })),
  height: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Pixels.' })),
  duration: Type.Optional(Type.Number({ minimum: 0, maximum: 1e9, description: 'Seconds.' })),
  waveform: Type.Optional(
    Type.Array(Type.Integer({ minimum: 0, maximum: 100 }), {
      minItems: 1,
      maxItems: 256,
      description: 'Of audio: how loud it is at equal distances, 0 to 100, as its sender states.',
    }),
  ),
  thumbnail: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'Address of a small image of it; for a file of which the broker has one, the broker sets it.',
    }),
  ),
  placeholder: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: 'BlurHash: shown until the image is there.' }),
  ),
  alt: Type.Optional(
    Type.String({ maxLength: 1024, description: 'What it shows, in words: for those who do not see it.' }),
  ),
}
