import { getSystemErrorMap, inspect } from 'node:util'
import { printable, WavespoolError } from '../errors.ts'
import { UsageError } from './command.ts'

/** Reports the first error on stderr, in one sentence; later errors are its consequences. */
export class ErrorReporter {
  readonly #program: string
  readonly #isDebugging: boolean
  #exitCode: number | undefined

  constructor(program: string, { debug }: { debug: boolean }) {
    this.#program = program
    this.#isDebugging = debug
  }

  /** @returns the exit code */
  report(error: unknown): number {
    if (this.#exitCode !== undefined) return this.#exitCode
    this.#exitCode = exitCodeOf(error)
    const sentence = sentenceOf(error)
    const hint =
      this.#exitCode === 2 ? `${sentence.endsWith('?') ? '' : ';'} see ${this.#program} --help` : ''
    process.stderr.write(`${this.#program}: ${sentence}${hint}\n`)
    if (this.#isDebugging) process.stderr.write(`${printable(inspect(error), '\n')}\n`)
    return this.#exitCode
  }
}

const argumentCodes = ['ERR_WAVESPOOL_ARG_TYPE', 'ERR_WAVESPOOL_ARG_RANGE']

function exitCodeOf(error: unknown): number {
  const isArgument = argumentCodes.includes((error as { code?: string } | undefined)?.code ?? '')
  return isArgument || error instanceof UsageError ? 2 : 1
}

/** Any error in one line, the operating system's in its words instead of its codes; harmless to a terminal. */
export function sentenceOf(error: unknown): string {
  return printable(wordsOf(error))
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, errno, path, syscall, message } = systemError(error)
  if (code === 'EPIPE') return 'the program that reads the output has closed the pipe'
  const meaning = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]
  if (meaning === undefined) {
    const called = /^\w+\(\)(: \w+)?: / // the function of the library, which the user has not called
    return message
      .replace(called, '')
      .replace(/\s*\n\s*/g, ' ')
      .trim()
  }
  return `cannot ${syscall}${path === undefined ? '' : ` ${path}`}: ${meaning}`
}

/** The error of the operating system, where it is the cause. */
export function systemError(error: Error): NodeJS.ErrnoException {
  const { cause } = error as { cause?: NodeJS.ErrnoException }
  const isDisk = error instanceof WavespoolError && error.code === 'ERR_WAVESPOOL_STORAGE'
  return isDisk && cause?.errno !== undefined ? cause : error
}
