import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A file that has not changed for so long, in milliseconds, is taken for finished where the system does not tell. */
const QUIET_MS = 10_000
/** how long a younger one is watched: a recorder writes several times in it */
const WATCH_MS = 2000

/**
 * Makes sure that no process is writing a file that is about to be changed in place. Linux tells which processes of the
 * same user have it open for writing; for the others, and elsewhere, the file itself is watched.
 *
 * @param size of the file when it was examined, in bytes
 * @returns a promise, rejected where it is written by another process, or has grown
 */
export async function requireAtRest(file: FileHandle, path: string, size: number): Promise<void> {
  const remedy = 'end the recording first, or name an output, to repair its present content'
  const before = await file.stat({ bigint: true })
  const writer = writerOf(before)
  if (writer !== undefined) {
    throw new Error(`${path} is being written by ${writer}: ${remedy}`)
  }
  if (Date.now() - Number(before.mtimeMs) < QUIET_MS) await sleep(WATCH_MS)
  const after = await file.stat({ bigint: true })
  if (after.size !== BigInt(size) || after.mtimeNs !== before.mtimeNs) {
    throw new Error(`${path} is being written, it has just changed: ${remedy}`)
  }
}

/** `process 123 (node)`, which has the file open for writing; undefined where none has, or it cannot be known */
function writerOf({ dev, ino }: { dev: bigint; ino: bigint }): string | undefined {
  for (const pid of entriesOf('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    for (const descriptor of entriesOf(`/proc/${pid}/fd`)) {
      const found = attempt(() => statSync(`/proc/${pid}/fd/${descriptor}`, { bigint: true }))
      if (found?.ino !== ino || found.dev !== dev) continue
      // proc(5): flags in octal, as of open(2), whose two lowest bits are 0 where it only reads
      const info = attempt(() => readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1')) ?? ''
      const flags = /^flags:\s*([0-7]+)$/m.exec(info)
      if (flags === null || (Number.parseInt(flags[1]!, 8) & 3) === 0) continue
      const name = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim())
      return `process ${pid}${name ? ` (${name})` : ''}`
    }
  }
  return undefined
}

function entriesOf(folder: string): string[] {
  return attempt(() => readdirSync(folder)) ?? []
}

/** Processes go away while they are looked at, and those of other users cannot be. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
