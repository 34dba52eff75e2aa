import { rmSync } from 'node:fs'
import { onAbort } from './stopKeys.ts'

/** Files and folders that must not outlive the command in the state they are in. */
const unfinished = new Set<string>()
let letGo: (() => void) | undefined

/**
 * Removes a file or a folder of this process when the command exits or is interrupted (SIGINT, SIGTERM, SIGHUP).
 *
 * @returns a function that lets it stay
 */
export function removeOnExit(path: string): () => void {
  unfinished.add(path)
  if (letGo === undefined) {
    process.on('exit', removeAll)
    letGo = onAbort(() => {}) // it exits
  }
  return () => {
    unfinished.delete(path)
    if (unfinished.size > 0) return
    process.off('exit', removeAll)
    letGo?.()
    letGo = undefined
  }
}

function removeAll(): void {
  for (const path of unfinished) {
    try {
      rmSync(path, { recursive: true, force: true })
    } catch {
      // the others are removed all the same
    }
  }
}
