import type { Writable } from 'node:stream'
import { chain } from '../../src/chain/index.ts'
import type { VirtualFile } from '../../src/index.ts'
import { identity, Stage } from '../../src/streams/stage.ts'
import { storages } from './storageContract.ts'

/** A way of writing into a file. */
interface Writer {
  label: string
  /** The stream that is written, ended and destroyed in place of the file. */
  writerOf(file: VirtualFile): Writable
}

export const writers: Writer[] = [
  { label: 'written directly', writerOf: (file) => file },
  { label: 'written through a chain', writerOf: (file) => chain([new Stage(identity), file]) },
]

/** Every storage in every way of writing, for suites that depend on both. */
export const writtenStorages = writers.flatMap((writer) =>
  storages.map((storage) => ({ ...storage, ...writer, label: `${storage.label}, ${writer.label}` })),
)
