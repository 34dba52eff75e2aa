import { constants, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The directories by purpose, with the files in each that are ours to remove. */
const families = {
  spill: /^\d{6}\.part$/,
  copy: /./,
}
type Family = keyof typeof families

/**
 * A directory belongs to the process that listens on the socket in it: the kernel closes that with the process,
 * however it dies, and answers in every container that sees the directory, where a process number may be anyone's.
 * Another kernel would not know, so the name has the boot in it.
 */
const LOCK = '.wavespool-lock'
const prefixOf = (family: Family) => `wavespool-${family}-${bootId()}-`

let knownBoot: string | undefined

function bootId(): string {
  try {
    knownBoot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)
  } catch (error) {
    if (isShortage(error)) throw error
    knownBoot = process.platform
  }
  return knownBoot
}

/** Whether there is no descriptor left for the moment, in the process or on the machine. */
export function isShortage(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return ['EMFILE', 'ENFILE', 'EAGAIN'].includes(code)
}

/** A socket's address has room for some 100 bytes; on Linux a descriptor of its directory makes any path short. */
const LONGEST_ADDRESS = 100

interface Lock {
  readonly server: Server
  readonly directory: FileHandle
}

/** Directories of this thread that are in use; gone when it exits. */
const inUse = new Map<string, Lock | undefined>()

/** A unique name for a directory that is made when it is needed; other threads learn it before. */
export function nameDirectory(family: Family, parent = tmpdir()): string {
  return resolve(parent, prefixOf(family) + crypto.randomUUID())
}

/** Makes the directory (0700) and takes its lock. Removes the directories of killed processes beside it meanwhile. */
export async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 })
  if (inUse.size === 0) process.on('exit', removeAll)
  inUse.set(directory, undefined)
  try {
    inUse.set(directory, await takeLock(directory))
  } catch (error) {
    await removeDirectory(directory)
    throw error
  }
  sweep(resolve(directory, '..')).catch(() => {}) // another process may remove the rest later
}

export async function removeDirectory(directory: string): Promise<void> {
  const lock = inUse.get(directory)
  inUse.delete(directory)
  if (inUse.size === 0) process.off('exit', removeAll)
  lock?.server.close()
  await rm(directory, { recursive: true, force: true })
  await lock?.directory.close()
}

function removeAll(): void {
  for (const directory of inUse.keys()) rmSync(directory, { recursive: true, force: true })
}

/** Undefined where there are no sockets in directories: a directory without a lock is never removed. */
async function takeLock(directory: string): Promise<Lock | undefined> {
  if (process.platform === 'win32') return undefined
  const handle = await openDirectory(directory)
  try {
    const { createServer } = process.getBuiltinModule('node:net') // when it is used: it is slow to load
    const server = createServer((socket) => socket.destroy()).unref()
    const address = addressIn(directory, handle, `${LOCK}.new`)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ path: address, exclusive: true }, resolve)
    })
    await rename(join(directory, `${LOCK}.new`), join(directory, LOCK)) // from now on it is listened to
    return { server, directory: handle }
  } catch (error) {
    await handle.close()
    if (isShortage(error)) throw error
    return undefined
  }
}

function openDirectory(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}

/** A file in a directory that is open: no other directory can take its place. */
function placeIn(path: string, { fd }: FileHandle, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}/${name}` : join(path, name)
}

function addressIn(path: string, handle: FileHandle, name: string): string {
  const plain = join(path, name)
  return Buffer.byteLength(plain) > LONGEST_ADDRESS ? placeIn(path, handle, name) : plain
}

/**
 * Removes the directories of killed processes of the same user: those with a lock to which no process listens, with the
 * files in them that are ours, opened without following links, and never a directory below.
 */
async function sweep(parent: string): Promise<void> {
  if (process.platform === 'win32') return
  for (const name of await readdir(parent)) {
    const family = (Object.keys(families) as Family[]).find((each) => name.startsWith(prefixOf(each)))
    const path = join(parent, name)
    if (family !== undefined && !inUse.has(path)) await sweepDirectory(path, families[family]).catch(() => {})
  }
}

async function sweepDirectory(path: string, ours: RegExp): Promise<void> {
  const directory = await openDirectory(path)
  try {
    const { uid } = await directory.stat()
    if (uid !== process.geteuid!() || !(await isAbandoned(placeIn(path, directory, LOCK)))) return
    const names = await readdir(placeIn(path, directory, '.'))
    const removals = names
      .filter((name) => ours.test(name) && name !== LOCK)
      .map((name) => unlink(placeIn(path, directory, name)))
    await Promise.allSettled(removals)
    await Promise.all(removals)
    await unlink(placeIn(path, directory, LOCK)) // last: a directory without one is never removed
  } finally {
    await directory.close()
  }
  await rmdir(path)
}

function isAbandoned(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { connect } = process.getBuiltinModule('node:net')
    const socket = connect(address)
    socket.once('connect', () => resolve(false))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
