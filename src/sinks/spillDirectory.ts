import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Directories of this process that are in use; gone when it exits. */
const inUse = new Set<string>()

/** The name tells whose it is, since a process number means nothing on another host or in another container. */
const family = `wavespool-spill-${hostname().replace(/[^\w.]/g, '_')}-`

/** Makes a directory (0700) for part files, and sweeps what processes that crashed have left beside it. */
export function makeSpillDirectory(parent = tmpdir()): string {
  sweep(parent)
  const directory = mkdtempSync(join(parent, `${family}${process.pid}-`))
  if (inUse.size === 0) process.on('exit', removeAll)
  inUse.add(directory)
  return directory
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
