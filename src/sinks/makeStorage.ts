import { statSync } from 'node:fs'
import { checkPosition } from '../arguments.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { MemoryStorage } from '../storage/memoryStorage.ts'
import { OwnStorage } from '../storage/ownStorage.ts'
import { type PathOptions, PathStorage } from '../storage/pathStorage.ts'
import { type SpillOptions, SpillStorage } from '../storage/spillStorage.ts'
import type { BuiltInStorage, VirtualFileStorage } from '../storage/storage.ts'

const verbs = ['append', 'read', 'write', 'truncate', 'dispose'] as const

/** @throws {ArgumentTypeError | ArgumentRangeError} for a `storage` option that names no storage */
export function makeStorage(storage: unknown, maxBytes: number | undefined): BuiltInStorage {
  if (storage === 'memory') return new MemoryStorage(maxBytes)
  if (storage === 'spill') return new SpillStorage()
  if (typeof storage === 'object' && storage !== null) {
    const own = storage as Partial<VirtualFileStorage>
    if (verbs.every((verb) => typeof own[verb] === 'function'))
      return new OwnStorage(own as VirtualFileStorage)
    if (hasPath(storage)) return new PathStorage(checkPathOptions(storage))
    const { spill } = storage as { spill?: unknown }
    if (typeof spill === 'object' && spill !== null) {
      checkOptions(storage, ['spill'], 'storage')
      return new SpillStorage(checkSpillOptions(spill))
    }
  }
  throw new ArgumentTypeError(
    `storage must be 'memory', 'spill', { spill: { after, directory } }, { path } or an object with size, ${verbs.join(', ')}, got ${show(storage)}`,
  )
}

export function hasPath(storage: unknown): storage is PathOptions {
  return typeof (storage as PathOptions | null | undefined)?.path === 'string'
}

function checkPathOptions(options: PathOptions): PathOptions {
  checkOptions(options, ['path', 'overwrite', 'fsync', 'mode'], 'storage')
  if (options.path === '' || options.path.includes('\0')) {
    throw new ArgumentRangeError(`storage: path must be the path of a file, got ${show(options.path)}`)
  }
  for (const option of ['overwrite', 'fsync'] as const) {
    const value = options[option]
    if (value !== undefined && typeof value !== 'boolean') {
      throw new ArgumentTypeError(`storage: ${option} must be true or false, got ${show(value)}`)
    }
  }
  const { mode } = options
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
    throw new ArgumentRangeError(`storage: mode must be permissions from 0 to 0o777, got ${show(mode)}`)
  }
  return options
}

function checkSpillOptions(options: SpillOptions): SpillOptions {
  checkOptions(options, ['after', 'directory'], 'storage: spill')
  const { after, directory } = options
  if (after !== undefined) {
    checkPosition(after, 'storage: spill.after')
    if (after === 0) throw new ArgumentRangeError('storage: spill.after must be more than 0')
  }
  if (directory !== undefined && typeof directory !== 'string') {
    throw new ArgumentTypeError(`storage: spill.directory must be a path, got ${show(directory)}`)
  }
  if (directory !== undefined && !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ArgumentRangeError(`storage: spill.directory is no directory: ${show(directory)}`)
  }
  return options
}
