import { parseArgs } from 'node:util'
import { didYouMean } from './nearest.ts'

export interface Option {
  type: 'string' | 'boolean'
  short?: string
  /** the placeholder of its value in the help */
  value?: string
  about: string
}

export type Options = Record<string, Option>

export type Values<O extends Options> = {
  readonly [Name in keyof O]?: (O[Name]['type'] extends 'boolean' ? boolean : string) | undefined
}

export interface Command<O extends Options = Options> {
  /** the operands and options behind its name */
  usage: string
  about: string
  /** the least and the most operands */
  operands: [least: number, most: number]
  options: O
  /** @returns a promise of the exit code */
  run(operands: string[], values: Values<O>): Promise<number>
}

/** Keeps the names of the options known to `run`. */
export function defineCommand<const O extends Options>(command: Command<O>): Command<O> {
  return command
}

export const commonOptions = {
  help: { type: 'boolean', short: 'h', about: 'show this' },
  debug: { type: 'boolean', about: 'show the stack of an error' },
} as const satisfies Options

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** @throws {UsageError} for an option that the command does not have, or one without its value */
export function parse<O extends Options>(
  { options }: Command<O>,
  args: string[],
): { operands: string[]; values: Values<O & typeof commonOptions> } {
  const all: Options = { ...options, ...commonOptions }
  const known = Object.fromEntries(
    Object.entries(all).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
  )
  try {
    const { positionals, values } = parseArgs({ args, options: known, allowPositionals: true, strict: true })
    return { operands: positionals, values: values as Values<O & typeof commonOptions> }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw unknownOption(message, all, error)
    // Node goes on about positional arguments behind its first sentence
    const [sentence = message] = message.split(/\.(?:\s|$)/)
    const words = sentence.replace(/argument (is ambiguous|missing)$/, 'needs a value')
    throw new UsageError(words.charAt(0).toLowerCase() + words.slice(1), { cause: error })
  }
}

function unknownOption(message: string, options: Options, cause: unknown): UsageError {
  const [, option = '', name = ''] = /'(--?([^']*))'/.exec(message) ?? []
  return new UsageError(`there is no option ${option}${didYouMean(name, Object.keys(options), '--')}`, {
    cause,
  })
}
