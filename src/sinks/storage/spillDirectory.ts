import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Directories of this process that are in use; gone when it exits. */
const inUse = new Set<string>()

/** The name tells whose it is, since a process number means nothing on another host or in another container. */
const family = `wavespool-spill-${hostname().replace(/[^\w.]/g, '_')}-`

/** A name that nobody has, for a directory that is made when it is needed; other threads are told it before. */
export function nameSpillDirectory(parent = tmpdir()): string {
  return resolve(parent, `${family}${process.pid}-${randomUUID()}`)
}

/** The file of a part. */
export function partPath(directory: string, index: number): string {
  return join(directory, `${String(index).padStart(6, '0')}.part`)
}

/** Makes the directory (0700) and sweeps what processes that crashed have left beside it. */
export function makeSpillDirectory(directory: string): void {
  sweep(resolve(directory, '..'))
  mkdirSync(directory, { mode: 0o700 })
  if (inUse.size === 0) process.on('exit', removeAll)
  inUse.add(directory)
}

export async function removeSpillDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  inUse.delete(directory)
  if (inUse.size === 0) process.off('exit', removeAll)
}

function removeAll(): void {
  for (const directory of inUse) rmSync(directory, { recursive: true, force: true })
}

function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(family)) continue
    const pid = Number.parseInt(name.slice(family.length), 10)
    if (Number.isInteger(pid) && !isAlive(pid)) rmSync(join(parent, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
