import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type ReadableFile, WavespoolError } from '../../../src/index.ts'

/** Milliseconds after which something that should settle is said to hang. */
const PATIENCE = 60_000

/** The same promise, rejected where it does not settle: a hang fails at once and by its name. */
export async function settles<T>(promise: Promise<T>, what: string): Promise<T> {
  const controller = new AbortController()
  const hangs = sleep(PATIENCE, undefined, { signal: controller.signal }).then(() => {
    throw new Error(`${what} hangs`)
  })
  hangs.catch(() => {})
  try {
    return await Promise.race([promise, hangs])
  } finally {
    controller.abort()
  }
}

/** The error that a call threw or its promise was rejected with; undefined where it succeeded. */
export async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await settles(Promise.resolve(call()), String(call))
    return undefined
  } catch (error) {
    return error
  }
}

/** Expects a WavespoolError of this code; `what` names the call. */
export function expectCode(error: unknown, code: string, what: string): void {
  expect(error ?? undefined, `${what}: no error`).toBeDefined()
  expect({ what, code: (error as { code?: unknown }).code, error }).toMatchObject({ what, code })
  expect(error, what).toBeInstanceOf(WavespoolError)
}

/** The ETag that a server would send. */
export async function entityTagOf(file: ReadableFile): Promise<string | null> {
  const response = await file.toResponse({ method: 'HEAD' })
  return response.headers.get('etag')
}

/** The descriptors of this process that point below a directory, where the system can tell. */
export function openBelow(directory: string): string[] {
  if (!existsSync('/proc/self/fd')) return []
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(directory) ? [path] : []
    } catch {
      return [] // that of readdir itself
    }
  })
}

/** Waits until a condition holds, for work in the background; throws an error with `what` otherwise. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const start = performance.now(); !condition(); await sleep(10)) {
    if (performance.now() - start > PATIENCE) throw new Error(`not in ${PATIENCE / 1000} s: ${what}`)
  }
}
