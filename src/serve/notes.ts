import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SAFELY } from './folder.ts'
import { Refusal } from './refusal.ts'

/** A place in a recording that somebody marked. */
export interface Mark {
  /** frames */
  at: number
  text: string
}

/** A stretch of a recording in which somebody speaks. */
export interface Passage {
  /** frames */
  start: number
  end: number
  /** what was said, where somebody found out */
  text?: string
}

const MOST = 10_000
const MOST_TEXT = 500
const MOST_BYTES = 2 ** 24

/** What is known of a recording beside its sound, in a file of JSON beside it. */
export class Notes {
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
  static async of(recording: string): Promise<Notes> {
    const notes = new Notes(recording)
    try {
      const file = await open(notes.#path, SAFELY)
      try {
        const stats = await file.stat()
        if (!stats.isFile() || stats.size > MOST_BYTES) return notes
        const { marks, passages } = JSON.parse(await file.readFile('utf8'))
        notes.marks.push(...marks.filter(isMark))
        notes.passages.push(...passages.filter(isPassage))
      } finally {
        await file.close()
      }
    } catch {}
    return notes
  }

  /** @throws {Refusal} for what is no mark, and for too many */
  mark({ at, text = '' }: Record<string, unknown>): Mark {
    const mark = { at: at as number, text: String(text).slice(0, MOST_TEXT) }
    if (!isMark(mark)) throw new Refusal(400, 'a mark is { at, text }, at in frames')
    if (this.marks.length >= MOST) throw new Refusal(409, `a recording has at most ${MOST} marks`)
    this.marks.push(mark)
    this.#save()
    return mark
  }

  /** Adds a passage, or the text of one that is there. */
  note(passage: Passage): void {
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
      .catch(() => {}) // the sound is what matters
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
