import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { READ_FLAGS } from './folder.ts'
import { HttpError } from './httpError.ts'

/** A place in a recording that a listener marked. */
export interface Mark {
  /** frames */
  at: number
  text: string
}

/** A range of a recording that contains speech. */
export interface Passage {
  /** frames */
  start: number
  end: number
  /** the transcript, where there is one */
  text?: string
}

const MOST = 10_000
const MOST_TEXT = 500
const MOST_BYTES = 2 ** 24

/** The marks and passages of a recording, in a JSON file beside it. */
export class Annotations {
  readonly marks: Mark[] = []
  readonly passages: Passage[] = []
  readonly #path: string
  #saving: Promise<void> | undefined
  #isDirty = false

  /** Of a recording at this path, which begins. */
  constructor(recording: string) {
    this.#path = `${recording}.json`
  }

  /** Of a recording that is there; none where their file is not, or is not one of ours. */
  static async of(recording: string): Promise<Annotations> {
    const annotations = new Annotations(recording)
    try {
      const file = await open(annotations.#path, READ_FLAGS)
      try {
        const stats = await file.stat()
        if (!stats.isFile() || stats.size > MOST_BYTES) return annotations
        const { marks, passages } = JSON.parse(await file.readFile('utf8'))
        annotations.marks.push(...marks.filter(isMark))
        annotations.passages.push(...passages.filter(isPassage))
      } finally {
        await file.close()
      }
    } catch {}
    return annotations
  }

  /** @throws {HttpError} for an invalid mark, and for too many */
  mark({ at, text = '' }: Record<string, unknown>): Mark {
    const mark = { at: at as number, text: String(text).slice(0, MOST_TEXT) }
    if (!isMark(mark)) throw new HttpError(400, 'a mark is { at, text }, at in frames')
    if (this.marks.length >= MOST) throw new HttpError(409, `a recording has at most ${MOST} marks`)
    this.marks.push(mark)
    this.#save()
    return mark
  }

  /** Adds a passage, or the text of one that is there. */
  addPassage(passage: Passage): void {
    const known = this.passages.findLastIndex(({ start }) => start === passage.start)
    if (known >= 0) this.passages[known] = passage
    else if (this.passages.length < MOST) this.passages.push(passage)
    this.#save()
  }

  /** Resolves when all is on the disk, or cannot be. */
  async saved(): Promise<void> {
    await this.#saving
  }

  #save(): void {
    this.#isDirty = true
    this.#saving ??= this.#write()
      .catch(() => {}) // the recording goes on without its annotations
      .finally(() => {
        this.#saving = undefined
      })
  }

  async #write(): Promise<void> {
    const temporary = join(dirname(this.#path), `.${basename(this.#path)}-${randomUUID()}.part`)
    while (this.#isDirty) {
      this.#isDirty = false
      try {
        const file = await open(temporary, 'wx', 0o600)
        await file.writeFile(JSON.stringify({ marks: this.marks, passages: this.passages }))
        await file.close()
        await rename(temporary, this.#path)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    }
  }
}

function isPlace(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isMark({ at, text }: Mark): boolean {
  return isPlace(at) && typeof text === 'string'
}

function isPassage({ start, end, text }: Passage): boolean {
  return isPlace(start) && isPlace(end) && (text === undefined || typeof text === 'string')
}
