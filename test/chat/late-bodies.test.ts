/** A request over HTTP is verified before its body is read, and acts later. */
import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'

t.test('a request whose body comes when its password, login or account is no more is refused', async (t) => {
  const broker = await startTestBroker(t)
  const { accounts, aedes } = broker.running
  const body = JSON.stringify({ name: 'kept' })
  /** Resolves with the status. */
  const late = async (authorization: string, meanwhile: () => Promise<unknown>): Promise<number> => {
    const verified = new Promise<void>((resolve) => {
      aedes.authenticate = (_client, _username, _password, done) => {
        resolve()
        done(null, true)
      }
    })
    const headers = { authorization, 'content-type': 'application/json', 'content-length': body.length }
    const asked = request(`${httpUrl(broker)}/v1/keys`, { method: 'POST', headers })
    const answered = once(asked, 'response')
    asked.flushHeaders()
    await verified
    await meanwhile()
    asked.end(body)
    const [response] = await answered
    response.resume()
    return response.statusCode
  }
  const basic = (password: string): string => `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`
  const register = async (password: string) => {
    const body = { user: 'alice', password }
    return (await fetchFrom(broker, '/v1/auth/register', { method: 'POST', body })).body
  }
  const { token } = await register('alice-pw')
  t.equal(await late(basic('alice-pw'), () => accounts.setRoles('alice', ['x'])), 201)
  t.equal(await late(`Bearer ${token}`, () => accounts.voidTokens('alice')), 401)
  t.equal(await late(basic('alice-pw'), () => accounts.setPassword('alice', 'new-pw')), 401)
  t.equal(await late(basic('new-pw'), () => accounts.voidTokens('alice')), 401)
  const retaken = async (): Promise<void> => {
    await callAdmin(broker.dataDir, 'user.remove', { name: 'alice' })
    await register('of-another')
  }
  t.equal(await late(basic('new-pw'), retaken), 401, 'it is not of the next alice')
  t.equal((await broker.running.store.directory.credentials('alice')).filter(({ kind }) => kind === 'key').length, 0)
})
