import { randomBytes } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { chmod, link, open, rename, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { removeOnExit } from './unfinished.ts'

/**
 * A file that gets its name when it is whole. Until then it lies beside its place under a hidden name, and a file that
 * is to be replaced stays as it was; a command that fails or is interrupted removes it.
 */
export class Replacement {
  /** where it is written */
  readonly path: string
  /** the name that it gets */
  readonly target: string
  readonly #overwrite: boolean
  readonly #letStay: () => void

  constructor(target: string, overwrite: boolean) {
    this.target = realPath(target)
    this.#overwrite = overwrite
    this.path = join(dirname(this.target), `.wavespool-${randomBytes(6).toString('hex')}.part`)
    this.#letStay = removeOnExit(this.path)
  }

  /**
   * Gives it its name.
   *
   * @returns a promise, rejected where a file has come there meanwhile that must not be replaced
   */
  async commit(): Promise<void> {
    try {
      if (this.#overwrite) {
        await this.#resemble()
        await rename(this.path, this.target)
      } else {
        await this.#takeName()
      }
    } finally {
      this.discard()
    }
  }

  /** A link is made only where there is no file; where the file system has no links, an empty file keeps the place. */
  async #takeName(): Promise<void> {
    try {
      return await link(this.path, this.target)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        throw new Error(`${this.target} is there already; --force replaces it`, { cause: error })
      }
    }
    const keep = removeOnExit(this.target)
    try {
      await (await open(this.target, 'wx')).close()
      await rename(this.path, this.target)
    } finally {
      keep()
    }
  }

  /** Before a file is given up for another one: the same permissions, and on the disk as a whole. */
  async #resemble(): Promise<void> {
    const replaced = await stat(this.target).catch(() => undefined)
    if (replaced === undefined) return
    await chmod(this.path, replaced.mode & 0o777)
    const file = await open(this.path, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }

  discard(): void {
    rmSync(this.path, { force: true })
    this.#letStay()
  }
}

/** A link stays one: its target is replaced. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
