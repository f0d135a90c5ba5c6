/** Somebody who writes over HTTP, so that no client of ours costs the machine more than it must. */
const AT_ONCE = 20

export class Person {
  readonly user: string
  readonly password: string
  readonly #url: string
  readonly #token: string

  private constructor(url: string, user: string, password: string, token: string) {
    this.#url = url
    this.user = user
    this.password = password
    this.#token = token
  }

  static async register(url: string, user: string): Promise<Person> {
    const password = `${user}-pw-${user}`
    const response = await post(`${url}/v1/auth/register`, { user, password })
    const { token } = (await response.json()) as { token: string }
    return new Person(url, user, password, token)
  }

  async ask(path: string, body: object): Promise<void> {
    await post(`${this.#url}/v1${path}`, body, this.#token)
  }

  /** So many messages. */
  async say(room: string, count: number): Promise<void> {
    for (let said = 0; said < count; said += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - said) }, (_, at) => said + at + 1)
      await Promise.all(some.map((n) => this.ask(`/rooms/${room}/messages`, { text: `Message ${n}, of some length` })))
    }
  }
}

/** @throws Error what the broker refuses */
async function post(url: string, body: object, token?: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`)
  return response
}
