import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VirtualFile } from '../../../src/index.ts'
import { finish, write } from '../storageContract.ts'
import { until } from './outcomes.ts'

// Other processes run the build, so these tests need `npm run build`, which `npm test` does first.

const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
})
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

const listed = () => readdirSync(directory).sort()

/** A recording that has spilled: 20,000 bytes of 7 in parts of which the first is on the disk. */
const spilling = (then: string) => `
  const { readdirSync } = await import('node:fs')
  const { VirtualFile } = await import(process.argv[2])
  const isPart = (name) => name.endsWith('.part')
  const listed = (directory) => { try { return readdirSync(directory) } catch { return [] } } // another user's
  const before = listed(process.argv[1])
  const hasSpilled = () => listed(process.argv[1]).some((name) =>
    !before.includes(name) && listed(process.argv[1] + '/' + name).some(isPart))
  const file = new VirtualFile({ storage: { spill: { after: 1000, directory: process.argv[1] } } })
  const write = () => new Promise((resolve) => file.write(Buffer.alloc(10_000, 7), resolve))
  await write()
  await write()
  while (!hasSpilled()) await new Promise((resolve) => setTimeout(resolve, 5))
  ${then}
`
const holding = spilling(`
  console.log('spilled')
  process.stdin.on('data', async () => {
    const bytes = await file.toBuffer().catch((error) => error.code)
    console.log(bytes.length === 20_000 && bytes.every((byte) => byte === 7) ? 'whole' : 'lost')
  })
`)
const killing = spilling("process.kill(process.pid, 'SIGKILL')")
const disposing = spilling("await file.dispose(); console.log('well')")

interface Runner {
  command: string[]
  uid?: number
}
const here: Runner = { command: [] }
const entry = join(import.meta.dirname, '../../../dist/index.js')

function commandOf(
  { command }: Runner,
  program: string,
  module = entry,
  where = directory,
): [string, string[]] {
  const [file, ...args] = [...command, process.execPath, '--input-type=module', '-e', program, where, module]
  return [file!, args]
}

function run(program: string, runner: Runner = here, module = entry, where = directory) {
  const [file, args] = commandOf(runner, program, module, where)
  return spawnSync(file, args, {
    encoding: 'utf8',
    ...(runner.uid !== undefined && { uid: runner.uid, gid: runner.uid }),
    timeout: 20_000,
  })
}

/** A process that has spilled and lives on; `isWhole()` asks it whether it can read all that it recorded. */
async function hold(runner: Runner = here): Promise<{ child: ChildProcess; isWhole(): Promise<boolean> }> {
  const [file, args] = commandOf(runner, holding)
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout!, 'data')
  const isWhole = async () => {
    const answer = once(child.stdout!, 'data')
    child.stdin!.write('?')
    return String((await answer)[0]).includes('whole')
  }
  return { child, isWhole }
}

/** A recording of this process that spills into the directory, and is disposed of again. */
async function spillHere(): Promise<void> {
  const file = new VirtualFile({ storage: { spill: { after: 1000, directory } } })
  await write(file, Buffer.alloc(10_000))
  await write(file, Buffer.alloc(10_000))
  await finish(file)
  expect((await file.toBuffer()).length).toBe(20_000)
  await file.dispose()
}

/** Leaves the files of a killed process behind. It records elsewhere, so that its own sweep takes no earlier leftover. */
function leave(runner: Runner = here): string {
  const elsewhere = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
  try {
    run(killing, runner, entry, elsewhere)
    const [name, ...more] = readdirSync(elsewhere)
    expect(more).toEqual([])
    renameSync(join(elsewhere, name!), join(directory, name!))
    return join(directory, name!)
  } finally {
    rmSync(elsewhere, { recursive: true, force: true })
  }
}

describe('the directory', () => {
  test.each([
    ['does not exist', () => join(directory, 'missing')],
    [
      'is a file',
      () => {
        writeFileSync(join(directory, 'file'), '')
        return join(directory, 'file')
      },
    ],
  ])('that %s is refused when the VirtualFile is made', (_label, make) => {
    const wrong = make()
    expect(() => new VirtualFile({ storage: { spill: { after: 1000, directory: wrong } } })).toThrow(
      expect.objectContaining({
        code: 'ERR_WAVESPOOL_ARG_RANGE',
        message: expect.stringContaining(wrong),
      }),
    )
  })
})

describe('a leftover of a crash', () => {
  test('is removed by the next spill, in the background', async () => {
    leave()
    leave()
    await spillHere()
    await until(() => listed().length === 0, 'the leftovers are swept')
  })

  test('is removed by two processes at once without an error', async () => {
    for (let i = 0; i < 5; i++) leave()
    const sweepers = Array.from({ length: 4 }, () => spawnSweeper())
    for (const outcome of await Promise.all(sweepers))
      expect(outcome).toEqual({ out: 'well\n', err: '', code: 0 })
    await until(() => listed().length === 0, 'the leftovers are swept')
  })

  test('of a worker that was terminated is removed, too', async () => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(workerProgram)}`), {
      workerData: { directory, module: `file://${entry}` },
    })
    await once(worker, 'message')
    await worker.terminate()
    expect(listed().length).toBeLessThanOrEqual(1)
    await spillHere()
    await until(() => listed().length === 0, 'the leftover of the worker is swept')
  })

  test('loses only part files; other files in it stay', async () => {
    const leftover = leave()
    mkdirSync(join(leftover, 'folder'))
    writeFileSync(join(leftover, 'folder', '000000.part'), 'precious')
    writeFileSync(join(leftover, 'notes.txt'), 'precious')
    await spillHere()
    await sleep(300)
    expect(readFileSync(join(leftover, 'notes.txt'), 'utf8')).toBe('precious')
    expect(readFileSync(join(leftover, 'folder', '000000.part'), 'utf8')).toBe('precious')
  })

  test('a symlink in its place, or in it, is not followed', async () => {
    const [victim, other] = [leave(), leave()]
    const parts = readdirSync(victim)
    const away = join(directory, 'victim')
    renameSync(victim, away)
    symlinkSync(away, victim)
    const precious = join(directory, 'precious')
    mkdirSync(precious)
    writeFileSync(join(precious, '000000.part'), 'precious')
    symlinkSync(join(precious, '000000.part'), join(other, '000099.part'))
    symlinkSync(precious, join(other, '000098.part'))
    await spillHere()
    await sleep(300)
    expect(readdirSync(away)).toEqual(parts)
    expect(readFileSync(join(precious, '000000.part'), 'utf8')).toBe('precious')
  })

  test('that cannot be read disturbs no recording', async () => {
    const leftover = leave()
    chmodSync(leftover, 0)
    await spillHere()
    writeFileSync(
      join(directory, leftover.slice(directory.length + 1).replace(/.$/, 'x')),
      'a file of such a name',
    )
    await spillHere()
  })

  test.skipIf(!isRoot)('of another user stays, even where root removes leftovers', async () => {
    const leftover = leave()
    for (const path of [leftover, ...readdirSync(leftover).map((name) => join(leftover, name))]) {
      chownSync(path, NOBODY, NOBODY)
    }
    const before = readdirSync(leftover)
    await spillHere()
    await sleep(300)
    expect(readdirSync(leftover)).toEqual(before)
  })

  test.skipIf(!isRoot)('of root does not keep another user from spilling', async () => {
    const leftover = leave()
    chmodSync(directory, 0o1777)
    // a user who may not read this folder can read a copy of the build
    const copy = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
    chmodSync(copy, 0o755)
    cpSync(join(entry, '..'), copy, { recursive: true })
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
    try {
      const outcome = run(disposing, { command: [], uid: NOBODY }, join(copy, 'index.js'))
      expect([outcome.stderr, outcome.stdout]).toEqual(['', 'well\n'])
      expect(existsSync(leftover)).toBe(true)
    } finally {
      rmSync(copy, { recursive: true })
    }
  })
})

const workerProgram = `
  import { parentPort, workerData } from 'node:worker_threads'
  const { VirtualFile } = await import(workerData.module)
  const file = new VirtualFile({ storage: { spill: { after: 1000, directory: workerData.directory } } })
  for (let i = 0; i < 2; i++) await new Promise((resolve) => file.write(Buffer.alloc(10_000), resolve))
  const { readdirSync } = await import('node:fs')
  while (!readdirSync(workerData.directory, { recursive: true }).some((name) => name.endsWith('.part'))) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  parentPort.postMessage('spilled')
  setInterval(() => {}, 1000)
`

async function spawnSweeper(): Promise<{ out: string; err: string; code: number | null }> {
  const [file, args] = commandOf(here, disposing)
  const child = spawn(file, args)
  children.push(child)
  let [out, err] = ['', '']
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  const [code] = await once(child, 'close')
  return { out, err, code }
}

describe('a recording that goes on', () => {
  test('in another process is not removed', async () => {
    const { child, isWhole } = await hold()
    await spillHere()
    run(disposing)
    await sleep(300)
    expect(await isWhole()).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'close')
    await spillHere()
    await until(() => listed().length === 0, 'the leftover is swept')
  })

  test('in this process is not removed by another, nor by a worker', async () => {
    const file = new VirtualFile({ storage: { spill: { after: 1000, directory } } })
    await write(file, Buffer.alloc(10_000, 7))
    await write(file, Buffer.alloc(10_000, 7))
    run(disposing)
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(workerProgram)}`), {
      workerData: { directory, module: `file://${entry}` },
    })
    await once(worker, 'message')
    await sleep(200)
    expect((await file.toBuffer()).equals(Buffer.alloc(20_000, 7))).toBe(true)
    await worker.terminate()
    await finish(file)
    await file.dispose()
  })

  test('keeps its directory private', async () => {
    const file = new VirtualFile({ storage: { spill: { after: 1000, directory } } })
    await write(file, Buffer.alloc(10_000, 7))
    await write(file, Buffer.alloc(10_000, 7))
    await finish(file)
    const [name] = listed()
    expect(statSync(join(directory, name!)).mode & 0o777).toBe(0o700)
    for (const part of readdirSync(join(directory, name!))) {
      const { mode } = statSync(join(directory, name!, part))
      if (part.endsWith('.part')) expect(mode & 0o777).toBe(0o600)
    }
    await file.dispose()
    expect(listed()).toEqual([])
  })
})

/** A PID namespace of its own, as a container has it: its first process is number 1. */
const container: Runner = { command: ['unshare', '--pid', '--fork', '--kill-child'] }
const hasContainers = spawnSync(container.command[0]!, [...container.command.slice(1), 'true']).status === 0
if (!hasContainers && process.env.CI) throw new Error('unshare --pid is refused here, and CI needs it')

describe.skipIf(!hasContainers)('two containers that share a directory', () => {
  test('do not remove the recording of the other one', async () => {
    const first = await hold(container)
    const second = await hold(container)
    expect(run(disposing, container).stdout).toBe('well\n')
    await spillHere()
    run(disposing)
    await sleep(300)
    expect(await first.isWhole()).toBe(true)
    expect(await second.isWhole()).toBe(true)
  })

  test('process number 1 removes the files of a killed number 1', async () => {
    const { child } = await hold(container)
    child.kill('SIGKILL') // kills the program too; no process of its own namespace can
    await once(child, 'close')
    expect(listed()).toHaveLength(1)
    expect(run(disposing, container).stdout).toBe('well\n')
    await until(() => listed().length === 0, 'the leftover is swept')
  })
})
