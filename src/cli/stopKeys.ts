import { isInForeground } from './terminal/foreground.ts'

/** 128 and the number of the signal, as shells count. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Cleans up at the first signal and leaves.
 *
 * @returns a function that lets go of the signals
 */
export function onAbort(clean: () => void): () => void {
  return onSignals((exitCode) => {
    clean()
    process.exit(exitCode)
  })
}

function onSignals(handle: (exitCode: number) => void): () => void {
  const offs = Object.entries(exitCodes).map(([signal, exitCode]) => {
    const handler = () => handle(exitCode)
    process.on(signal, handler)
    return () => process.off(signal, handler)
  })
  return () => {
    for (const off of offs) off()
  }
}

/**
 * Calls `stop` at Enter and at the first signal; at the second one the process leaves at once.
 *
 * @returns a function that lets go of the keyboard and the signals
 */
export function onStop(isStdinFree: boolean, stop: () => void): () => void {
  let isStopping = false
  const letGo = onSignals((exitCode) => {
    if (isStopping) process.exit(exitCode)
    isStopping = true
    stop()
  })
  // Only from a terminal: a pipe belongs to whoever started this, a loop in a shell for example.
  const isKeyboard = isStdinFree && process.stdin.isTTY && isInForeground()
  if (isKeyboard) process.stdin.once('data', stop).once('end', stop)
  return () => {
    letGo()
    if (isKeyboard) process.stdin.off('data', stop).off('end', stop).destroy()
  }
}
