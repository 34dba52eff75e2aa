import { isInForeground } from './terminal/foreground.ts'
import { onKeys } from './terminal/keyboard.ts'

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

export interface Keys {
  /** no other part reads the keyboard */
  isFree: boolean
  /** at the space bar, where there is something to pause */
  pause?: () => void
}

/**
 * Calls `stop` at Enter and at the first signal; at the second one the process leaves at once.
 *
 * @returns a function that lets go of the keyboard and the signals
 */
export function onStop({ isFree, pause }: Keys, stop: () => void): () => void {
  let isStopping = false
  const letGo = onSignals((exitCode) => {
    if (isStopping) process.exit(exitCode)
    isStopping = true
    stop()
  })
  // Only from a terminal: a pipe belongs to the program that started this, a loop in a shell for example.
  const isKeyboard = isFree && process.stdin.isTTY && isInForeground()
  const letGoOfKeys = isKeyboard ? onStopKeys(stop, pause) : () => {}
  return () => {
    letGo()
    letGoOfKeys()
  }
}

function onStopKeys(stop: () => void, pause: (() => void) | undefined): () => void {
  if (pause !== undefined) {
    return onKeys((key) => {
      if (key === ' ') pause()
      else if (['\r', '\n', '\x04', ''].includes(key)) stop() // Enter, Ctrl-D, the end
    })
  }
  // another program may have a part of the terminal: it stays as it is
  process.stdin.once('data', stop).once('end', stop)
  return () => process.stdin.off('data', stop).off('end', stop).destroy()
}
