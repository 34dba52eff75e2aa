import { type Command, parse, UsageError } from './command.ts'
import { commands, isCommand } from './commands.ts'
import { ErrorReporter } from './errorReporter.ts'
import { helpOf, overview } from './help.ts'
import { didYouMean } from './nearest.ts'

/** Commands that put sound on stdout where `-` asks for it: some is lost where the reader goes. */
const hasSound = ['record', 'convert']

/**
 * Runs a command.
 *
 * @returns the exit code: 0, 1 where it failed, 2 where it was called wrongly
 */
export async function main(name: string, args: string[]): Promise<number> {
  const reporter = new ErrorReporter(isCommand(name) ? `wavespool ${name}` : 'wavespool', {
    debug: args.includes('--debug'),
  })
  // A reader that closes its pipe, and errors outside of any promise.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isSound = hasSound.includes(name) && args.includes('-')
    if (error.code === 'EPIPE' && !isSound) process.exit(0) // as of `| head`
    process.exit(reporter.report(Object.assign(error, { path: 'stdout' })))
  })
  process.on('uncaughtException', (error) => process.exit(reporter.report(error)))
  try {
    return await dispatch(name, args)
  } catch (error) {
    return reporter.report(error)
  }
}

async function dispatch(name: string, args: string[]): Promise<number> {
  if (name === '') {
    process.stderr.write(overview(process.stderr))
    return 2
  }
  const [topic] = args
  if (name === '--help' || name === '-h' || (name === 'help' && topic === undefined)) {
    process.stdout.write(overview(process.stdout))
    return 0
  }
  if (name === 'help') return help(topic!, await load(topic!))
  const command = await load(name)
  const { operands, values } = parse(command, args)
  if (values.help) return help(name, command)
  const [least, most] = command.operands
  if (operands.length < least || operands.length > most) {
    const got = operands.length === 0 ? 'nothing' : operands.join(' ')
    throw new UsageError(`it is called as: wavespool ${name} ${command.usage}, but got ${got}`)
  }
  return command.run(operands, values)
}

function load(name: string): Promise<Command> {
  if (isCommand(name)) return commands[name].load()
  const kind = name.startsWith('-') ? 'option' : 'command'
  const names = Object.keys(commands)
  const hint = didYouMean(name, names) || `; the commands are ${names.join(', ')}`
  throw new UsageError(`there is no ${kind} ${name}${hint}`)
}

function help(name: string, command: Command): number {
  process.stdout.write(helpOf(name, command, process.stdout))
  return 0
}
