import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

// Other processes run the build, so these tests need `npm run build`, which `npm test` does first.

const entry = join(import.meta.dirname, '../../../dist/index.js')
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A process that has two copies, one of them in use, and then ends in some way. */
function run(ending: string): { status: number | null; signal: string | null; stdout: string } {
  const program = `
    const { readdirSync } = await import('node:fs')
    const { VirtualFile } = await import(process.argv[1])
    const file = await VirtualFile.from(Buffer.alloc(1000, 7))
    await file.toPath()
    console.log(readdirSync(process.env.TMPDIR).length)
    await file.withPath(async () => {
      ${ending}
    })
  `
  return spawnSync(process.execPath, ['--input-type=module', '-e', program, entry], {
    env: { ...process.env, TMPDIR: directory },
    encoding: 'utf8',
    timeout: 20_000,
  })
}

describe('copies of a process that ends while they are in use', () => {
  test.each([
    ['process.exit()', 'process.exit(3)', 3],
    ['an exception', "setImmediate(() => { throw new Error('broken') }); await new Promise(() => {})", 1],
    ['a rejection', "Promise.reject(new Error('broken')); await new Promise(() => {})", 1],
    ['a promise that nobody settles', 'await new Promise(() => {})', 13],
    ['its end', '', 0],
  ])('%s: are gone', (_label, ending, status) => {
    const result = run(ending)
    expect(result).toMatchObject({ status, stdout: '1\n' })
    expect(readdirSync(directory)).toEqual([])
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    '%s: the next copy removes them',
    (signal) => {
      const killed = run(`process.kill(process.pid, '${signal}'); await new Promise(() => {})`)
      expect(killed.signal).toBe(signal)
      expect(readdirSync(directory)).toHaveLength(2)
      const waiting = `
      const { setTimeout: sleep } = await import('node:timers/promises')
      while (readdirSync(process.env.TMPDIR).length > 2) await sleep(5)
    `
      expect(run(waiting).status).toBe(0)
      expect(readdirSync(directory)).toEqual([])
    },
  )
})
