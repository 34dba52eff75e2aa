// The packed package as a stranger gets it: its manifest and types are sound, and in an empty folder, on a machine with
// no compiler and no Python, it installs, imports, records, and says what portAudio would need.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** The most bytes that it may take on a disk. */
const MOST = 1_000_000

const folder = mkdtempSync(join(tmpdir(), 'wavespool-package-'))
const run = (command, args, options = {}) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', ...options })

try {
  const [{ filename, size, unpackedSize }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]),
  )
  const tarball = join(folder, filename)
  console.log(`${filename}: ${size} bytes, ${unpackedSize} unpacked`)
  assert.ok(unpackedSize < MOST, `more than ${MOST} bytes unpacked`)
  run('npx', ['publint', 'run', tarball, '--strict'])
  run('npx', ['attw', tarball, '--profile', 'esm-only'])

  // A PATH with what npm itself needs, and neither make nor a compiler nor Python.
  const bin = join(folder, 'bin')
  execFileSync('mkdir', [bin])
  for (const tool of ['node', 'npm', 'sh']) symlinkSync(run('which', [tool]).trim(), join(bin, tool))
  const env = { ...process.env, PATH: bin, npm_config_python: '', PYTHON: '' }
  const user = join(folder, 'user')
  execFileSync('mkdir', [user])
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }')
  run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: user, env })
  assert.ok(!existsSync(join(user, 'node_modules', 'naudiodon')), 'naudiodon was built without a compiler?')
  const installed = join(user, 'node_modules', 'wavespool')
  // npm 12 and pnpm ask about each package that has one of these, and run none of them.
  const { scripts, repository, homepage, bugs } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  )
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.ok(!(script in scripts), script)
  assert.ok(repository && homepage && bugs, 'npm has no page to lead to')
  for (const name of readdirSync(installed, { recursive: true })) {
    if (!name.endsWith('.md')) continue
    const text = readFileSync(join(installed, name), 'utf8')
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      assert.ok(
        existsSync(join(installed, dirname(name), link)),
        `${name} links ${link}, which is not in the package`,
      )
    }
  }
  const command = join(user, 'node_modules', '.bin', 'wavespool')
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  assert.equal(run(command, ['--version'], { cwd: user, env }), `${version}\n`)
  // The other way to PortAudio needs no compiler, but a library of the system's, which this machine may have.
  rmSync(join(user, 'node_modules', 'koffi'), { recursive: true, force: true })
  writeFileSync(
    join(user, 'record.mjs'),
    `import assert from 'node:assert/strict'
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, portAudio, VirtualFile, wavHeader } from 'wavespool'
import { chain } from 'wavespool/chain'
import { twilioMedia } from 'wavespool/telephony'
import { tone } from 'wavespool/testing'

const format = pcmFormat()
const memo = new VirtualFile({ name: 'memo.wav' })
await pipeline(tone(format), chain([limit(format, { seconds: 2 }), wavHeader(format)]), memo)
assert.equal(memo.size, 64_044)
assert.equal(memo.duration, 2)
assert.equal(twilioMedia().readableObjectMode, true)

const microphone = portAudio(format).on('data', () => {})
const error = await new Promise((resolve) => microphone.once('error', resolve))
assert.equal(error.code, 'ERR_WAVESPOOL_NO_BACKEND')
assert.match(error.message, /install/)
console.log('without a compiler: ' + error.message)
`,
  )
  console.log(run('node', ['record.mjs'], { cwd: user, env }))
  // The other versions of Node, which the tests have brought.
  for (const version of [22, 24, 26]) {
    const node = resolve('.cache', `node-${version}`, 'node_modules', 'node', 'bin', 'node')
    assert.ok(existsSync(node), `the tests have not brought ${node}`)
    run(node, ['record.mjs'], { cwd: user, env })
    console.log(`in the same folder by Node ${run(node, ['--version']).trim()}`)
  }
  run('node', ['-e', "require('node:assert').equal(typeof require('wavespool').limit, 'function')"], {
    cwd: user,
    env,
  })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
