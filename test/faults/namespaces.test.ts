import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'

/** A process namespace of its own, in which the program is process 1, as in a container. */
const namespace = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc']
const whyNot =
  process.env.CI || spawnSync('unshare', [...namespace, 'true']).status === 0
    ? undefined
    : 'no process namespace can be made here'

let shared = ''
const folders: string[] = []
beforeEach(() => {
  shared = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
  folders.push(shared)
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Spills into the shared directory, says its process number, and on a word reads everything back. */
const program = `
  import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
  const file = new VirtualFile({ storage: { spill: { after: 10_000, directory: process.argv[1] } } })
  const header = wavHeader(pcmFormat())
  header.pipe(file)
  const samples = Buffer.alloc(20_000_000, 'nothing of it is lost')
  header.write(samples, () => setTimeout(() => console.log(process.pid), 300))
  process.stdin.once('data', async () => {
    const bytes = await file.toBuffer()
    console.log(bytes.subarray(44).equals(samples))
    await file.dispose()
    process.exit()
  })
`

interface Recorder {
  child: ChildProcess
  pid: number
  /** whether everything that it recorded is there */
  isWhole(): Promise<boolean>
}

/** The program in a namespace of its own, and its output. */
async function start(): Promise<Recorder> {
  const node = [process.execPath, '--input-type=module', '-e', program, shared]
  const child = spawn('unshare', [...namespace, ...node], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [said] = await once(child.stdout!, 'data')
  return {
    child,
    pid: Number(said),
    async isWhole() {
      child.stdin!.write('read\n')
      const [answer] = await once(child.stdout!, 'data')
      await once(child, 'close')
      return String(answer).trim() === 'true'
    },
  }
}

describe.skipIf(whyNot)(`containers that share a directory ${whyNot ?? ''}`, () => {
  test('one does not remove the recording of another one, though both are process 1', async () => {
    const first = await start()
    expect(first.pid).toBe(1)
    expect(readdirSync(shared).length).toBe(1)
    const second = await start()
    expect(second.pid).toBe(1)
    expect(readdirSync(shared).length).toBe(2)
    expect(await second.isWhole()).toBe(true)
    expect(await first.isWhole()).toBe(true)
    expect(readdirSync(shared)).toEqual([])
  })

  test('the next one removes the files of a killed one, though it has the same process number', async () => {
    const killed = await start()
    killed.child.kill('SIGKILL') // --kill-child ends the program, too
    await once(killed.child, 'close')
    const left = readdirSync(shared)
    expect(left.length).toBe(1)
    const next = await start()
    expect(next.pid).toBe(killed.pid)
    expect(readdirSync(shared)).not.toContain(left[0])
    expect(await next.isWhole()).toBe(true)
    expect(readdirSync(shared)).toEqual([])
  })
})
