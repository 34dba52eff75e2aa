import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Packed } from './packed.ts'

const isThere = spawnSync('sh', ['-c', 'command -v tmux']).status === 0

/** Why tests that need a terminal cannot run here; undefined when they can, and under CI, where they must. */
export const whyNoWindow: string | undefined =
  isThere || process.env.CI ? undefined : 'no terminal: apt-get install tmux'

export interface WindowOptions {
  columns?: number
  rows?: number
  env?: NodeJS.ProcessEnv
}

let count = 0

/** A terminal window with a shell in it, by tmux: the keys that are typed, and the text that a person would see. */
export class Window implements AsyncDisposable {
  #lines = 0
  readonly #socket = `wavespool-${process.pid}-${count++}`

  constructor(packed: Packed, { columns = 80, rows = 24, env = process.env }: WindowOptions = {}) {
    const path = `${join(packed.folder, 'node_modules', '.bin')}:${env.PATH}`
    const size = ['-x', String(columns), '-y', String(rows)]
    const shell = ['env', `PATH=${path}`, 'PS1=$ ', 'bash', '--norc', '--noprofile']
    this.#tmux(['-f', '/dev/null', 'new-session', '-d', ...size, '-c', packed.folder, ...shell], env)
  }

  /** Types into the window, as if by hand: `Enter` and `C-c` are keys. */
  type(...keys: string[]): void {
    this.#tmux(['send-keys', ...keys])
  }

  /** The text in the window, without the empty lines at its end; with `escapes` in its colours. */
  screen({ escapes = false } = {}): string {
    return this.#tmux(['capture-pane', '-p', ...(escapes ? ['-e'] : [])]).trimEnd()
  }

  /** Waits until the text in the window matches; returns it. */
  async until(pattern: RegExp, { escapes = false } = {}): Promise<string> {
    let screen = ''
    for (let tries = 0; tries < 200; tries++) {
      screen = this.screen({ escapes })
      if (pattern.test(screen)) return screen
      await sleep(50)
    }
    throw new Error(`${pattern} does not come up in:\n${screen}`)
  }

  /** Runs a line to its end; returns its exit code, and the text in the window. */
  async run(line: string): Promise<{ code: number; screen: string }> {
    this.begin(line)
    return this.ended()
  }

  /** Begins to run a line, in a window that was cleared. */
  begin(line: string): void {
    this.#lines++
    this.type('clear', 'Enter')
    this.type(`${line}; echo code=$?.${this.#lines}.`, 'Enter')
  }

  /** Waits for the end of the line that was begun last. */
  async ended(): Promise<{ code: number; screen: string }> {
    const mark = new RegExp(`code=(\\d+)\\.${this.#lines}\\.\n`)
    const screen = await this.until(mark)
    return { code: Number(mark.exec(screen)![1]), screen }
  }

  #tmux(args: string[], env = process.env): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { env, encoding: 'utf8', stdio: 'pipe' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tmux(['kill-server'])
  }
}
