/** Kinds of configuration keys: each makes the schema of one key from its default and description. */
import Type, { type TProperties, type TSchemaOptions } from 'typebox'

export function section<P extends TProperties>(description: string, properties: P) {
  return Type.Object(properties, { additionalProperties: false, default: {}, description })
}

/** `30`, `'30s'`, `'5m'`, `'12h'`, `'30d'`. */
export const DURATION = /^(\d+(?:\.\d+)?)(s|m|h|d)?$/

/** Seconds, or a string with a unit; a number of seconds in the loaded `Config`. */
export function duration(fallback: string, description: string) {
  return Type.Unsafe<number>({
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1e10 },
      { type: 'string', pattern: DURATION.source },
    ],
    duration: true,
    default: fallback,
    description,
  })
}

/** As `duration`; null: none. */
export function optionalDuration(fallback: string | null, description: string) {
  return Type.Unsafe<number | null>({
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1e10 },
      { type: 'string', pattern: DURATION.source },
      { type: 'null' },
    ],
    duration: true,
    default: fallback,
    description,
  })
}

export const flag = (fallback: boolean, description: string) => Type.Boolean({ default: fallback, description })

export const count = (fallback: number, description: string, minimum = 1, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ minimum, maximum, default: fallback, description })

export const port = (fallback: number | null, description: string) =>
  Type.Union([Type.Integer({ minimum: 0, maximum: 65535 }), Type.Null()], { default: fallback, description })

export const optionalText = (description: string, options: TSchemaOptions = {}) =>
  Type.Union([Type.String({ minLength: 1 }), Type.Null()], { default: null, description, ...options })
