import { readFileSync } from 'node:fs'

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

/** A job in the background that reads from its terminal is stopped by the kernel. Linux tells, others are believed. */
function isInForeground(): boolean {
  try {
    // proc(5): pid (comm) state ppid pgrp session tty_nr tpgid …; comm may hold anything, so from its end on
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return true
  }
}
