import { isInForeground } from './terminal/foreground.ts'

/** What the user does to end a recording. */
export type StopReason = 'enter' | 'signal'

/** 128 and the number of the signal, as shells count. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Calls `stop` at Enter and at the first signal; at the second one the process leaves at once.
 *
 * @returns a function that lets go of the keyboard and the signals
 */
export function onStop(isStdinFree: boolean, stop: (reason: StopReason) => void): () => void {
  let isStopping = false
  const signals = Object.entries(exitCodes).map(([signal, exitCode]) => {
    const handler = () => {
      if (isStopping) process.exit(exitCode)
      isStopping = true
      stop('signal')
    }
    process.on(signal, handler)
    return () => process.off(signal, handler)
  })
  // Only from a terminal: a pipe belongs to whoever started this, a loop in a shell for example.
  const isKeyboard = isStdinFree && process.stdin.isTTY && isInForeground()
  const onKey = () => stop('enter')
  if (isKeyboard) process.stdin.once('data', onKey).once('end', onKey)
  return () => {
    for (const off of signals) off()
    if (isKeyboard) process.stdin.off('data', onKey).off('end', onKey).destroy()
  }
}
