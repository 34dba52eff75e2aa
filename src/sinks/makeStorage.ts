import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkPosition } from './arguments.ts'
import { MemoryStorage } from './memoryStorage.ts'
import { type SpillOptions, SpillStorage } from './spillStorage.ts'
import type { VirtualFileStorage } from './storage.ts'

const verbs = ['append', 'read', 'write', 'truncate', 'dispose'] as const

/** @throws {ArgumentTypeError | ArgumentRangeError} for a `storage` option that names no storage */
export function makeStorage(storage: unknown, maxBytes: number | undefined): VirtualFileStorage {
  if (storage === 'memory') return new MemoryStorage(maxBytes)
  if (storage === 'spill') return new SpillStorage()
  if (typeof storage === 'object' && storage !== null) {
    const own = storage as Partial<VirtualFileStorage>
    if (verbs.every((verb) => typeof own[verb] === 'function')) return own as VirtualFileStorage
    const { spill } = storage as { spill?: unknown }
    if (typeof spill === 'object' && spill !== null) return new SpillStorage(checkSpillOptions(spill))
  }
  throw new ArgumentTypeError(
    `storage must be 'memory', 'spill', { spill: { after, directory } } or an object with size, ${verbs.join(', ')}, got ${show(storage)}`,
  )
}

function checkSpillOptions(options: SpillOptions): SpillOptions {
  const { after, directory } = options
  if (after !== undefined) {
    checkPosition(after, 'storage: spill.after')
    if (after === 0) throw new ArgumentRangeError('storage: spill.after must be more than 0')
  }
  if (directory !== undefined && typeof directory !== 'string') {
    throw new ArgumentTypeError(`storage: spill.directory must be a path, got ${show(directory)}`)
  }
  return options
}
