import type { ChildProcess } from 'node:child_process'
import type { BackendName } from '../backend.ts'
import { errorOf } from '../protocol.ts'
import type { WarmAnswer } from '../request.ts'
import { keepAlive, spawnChild } from './spawnChild.ts'

/** At most one child waits, with its backend loaded and PortAudio's devices known, but none open. */
let waiting: { child: ChildProcess; backend: BackendName } | undefined

/** The child that waits, if its backend will do; from now on it is the caller's. */
export function takeWarmChild(backend: BackendName | undefined): ChildProcess | undefined {
  if (waiting === undefined || (backend !== undefined && backend !== waiting.backend)) return undefined
  const { child } = waiting
  waiting = undefined
  if (!child.connected) return undefined
  keepAlive(child, true)
  return child
}

/** Replaces the child that waits by a new one, which knows the devices of now. */
export async function warmChild(backend: BackendName | undefined): Promise<() => void> {
  const child = spawnChild()
  const answer = await new Promise<WarmAnswer>((resolve) => {
    const died = (how: unknown) =>
      resolve({
        code: 'ERR_WAVESPOOL_CAPTURE',
        message: `the process that captures audio did not start: ${how}`,
      })
    child.once('error', (error) => died(error.message))
    child.once('exit', (code, signal) => died(signal ?? `exit code ${code}`))
    child.once('message', (message) => resolve(message as WarmAnswer))
    child.send({ ask: 'warm', backend }, (error) => error && died(error.message))
  })
  child.removeAllListeners()
  // The child may fail or end before it is used; its first request reports that.
  child.on('error', () => {})
  if ('code' in answer) {
    child.kill('SIGKILL')
    throw errorOf(answer)
  }
  keepAlive(child, false)
  waiting?.child.kill('SIGKILL')
  waiting = { child, backend: answer.backend }
  return () => {
    if (waiting?.child !== child) return
    waiting = undefined
    child.kill('SIGKILL')
  }
}
