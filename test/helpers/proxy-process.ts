/** A load balancer in a process of its own, with a file of `deploy/` in which only addresses and paths are replaced. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { endWithUs } from './end-with-us.js'
import { freePort } from './free-port.js'

/** Ports of a node by those of the file. */
export type NodePorts = Readonly<Record<'1883' | '8883' | '8080', number>>

export interface ProxySettings {
  /** The file of `deploy/`. */
  readonly file: string
  /** How it writes "listen on a port". */
  readonly listen: RegExp
  /** Paths in the file, and those in their place. */
  readonly paths: Readonly<Record<string, string>>
  readonly nodes: readonly NodePorts[]
  readonly command: (file: string, directory: string) => readonly [program: string, ...args: string[]]
}

export class ProxyProcess {
  readonly directory = mkdtempSync(join(tmpdir(), 'topictalk-proxy-'))
  /** The port on which it listens, by that of the file. */
  readonly #ports = new Map<string, number>()

  /** Resolves when it accepts connections on all of its ports; ended with the test. */
  static async start(t: Test, settings: ProxySettings): Promise<ProxyProcess> {
    const proxy = new ProxyProcess()
    t.teardown(() => rmSync(proxy.directory, { recursive: true, force: true }))
    const file = join(proxy.directory, 'proxy.conf')
    writeFileSync(file, await proxy.#placed(settings))
    await proxy.#run(t, settings.command(file, proxy.directory))
    return proxy
  }

  port(ofFile: string): number {
    return this.#ports.get(ofFile)!
  }

  async #placed({ file, listen, paths, nodes }: ProxySettings): Promise<string> {
    const text = readFileSync(file, 'utf8')
    for (const [, port] of text.matchAll(listen)) this.#ports.set(port!, await freePort())
    const placed = text
      .replace(listen, (all, port: string) => all.replace(/:?\d+$/, `127.0.0.1:${this.port(port)}`))
      .replace(/\bnode(\d):(\d+)( check port \d+)?/g, (_all, node: string, port: '1883', check?: string) => {
        const ports = nodes[Number(node) - 1]!
        return `127.0.0.1:${ports[port]}${check ? ` check port ${ports['8080']}` : ''}`
      })
    return Object.entries(paths).reduce((all, [path, other]) => {
      if (!all.includes(path)) throw new Error(`${file} does not name ${path}`)
      return all.replaceAll(path, other.replace('{directory}', this.directory))
    }, placed)
  }

  async #run(t: Test, [program, ...args]: readonly [string, ...string[]]): Promise<void> {
    const path = `${process.env['PATH']}:/usr/sbin`
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: path } })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
    await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error))])
    endWithUs(child)
    const gone = once(child, 'exit')
    t.teardown(async () => {
      child.kill('SIGKILL')
      await gone
    })
    const listening = async (): Promise<void> => {
      for (const port of this.#ports.values()) while (child.exitCode === null && !(await accepts(port)));
    }
    const failed = gone.then(() => Promise.reject(new Error(`${program} ended: ${said}`)))
    failed.catch(() => {})
    await Promise.race([listening(), failed])
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
