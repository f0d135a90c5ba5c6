/** The methods of the SDK over any transport. */
import type { Call } from './calls.js'
import type { Methods } from './method-types.js'

export type { Methods } from './method-types.js'

/** By whatever door `call` goes through. Every method rejects with a `ChatError`. */
export function methods(call: Call): Methods {
  return below('', call as AnyCall) as Methods
}

type AnyCall = (name: string, params: object, options?: object) => unknown

/** Each name is made when it is looked up: a table of all of them would be a third of what a page has to load. */
function below(name: string, call: AnyCall): unknown {
  const inner = new Map<string, unknown>()
  return new Proxy(() => {}, {
    apply: (_target, _this, [params = {}, options]) => call(name, params, options),
    get(target, key) {
      // What the language itself looks up: `then` of what is awaited, `toJSON`, `toString`.
      if (typeof key === 'symbol' || key === 'then' || /^to[A-Z]/.test(key)) return Reflect.get(target, key)
      if (!inner.has(key)) inner.set(key, below(name === '' ? key : `${name}.${key}`, call))
      return inner.get(key)
    },
  })
}
