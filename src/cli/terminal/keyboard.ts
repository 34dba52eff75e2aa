import { execFileSync } from 'node:child_process'
import { isInForeground } from './foreground.ts'

/**
 * Calls back at each key, without waiting for Enter. Not by Node's raw mode, which takes Ctrl-C and Ctrl-Z from the
 * terminal: `stty` leaves them with it. Where there is none, keys come when Enter is pressed.
 *
 * @param onKey called with each character, and with '' when the terminal is gone
 * @returns a function that gives the terminal back as it was
 */
export function onKeys(onKey: (key: string) => void): () => void {
  const { stdin } = process
  const before = stty('-g')?.trim()
  const ask = () => {
    if (before !== undefined && isInForeground()) stty('-icanon', '-echo', 'min', '1')
  }
  const restore = () => {
    if (before !== undefined && isInForeground()) stty(before)
  }
  // the status line stays at an immediate exit: the terminal echoes nothing and adds no line break
  const leave = () => {
    restore()
    if (process.stderr.isTTY) process.stderr.write('\n')
  }
  const onData = (bytes: Buffer) => {
    for (const key of bytes.toString()) onKey(key)
  }
  const onEnd = () => onKey('')
  ask()
  process.on('exit', leave).on('SIGCONT', ask) // behind Ctrl-Z the shell has set it to its own
  stdin.on('data', onData).on('end', onEnd)
  return () => {
    process.off('exit', leave).off('SIGCONT', ask)
    stdin.off('data', onData).off('end', onEnd).destroy()
    restore()
  }
}

function stty(...args: string[]): string | undefined {
  try {
    return execFileSync('stty', args, { stdio: [0, 'pipe', 'ignore'], encoding: 'utf8' })
  } catch {
    return undefined
  }
}
