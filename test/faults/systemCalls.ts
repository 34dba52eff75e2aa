import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why system calls cannot be traced here; undefined where they can, and under CI, where they must. */
export const whyNoTrace: string | undefined =
  process.env.CI || spawnSync('strace', ['-f', 'true']).status === 0
    ? undefined
    : 'no system calls can be traced here: apt-get install strace'

/** A system call on a file. Its place in the order of all is told by when it began and when it had ended. */
export interface SystemCall {
  name: string
  /** the path of the descriptor, or of the first path argument */
  path: string
  /** of `rename`: where to */
  to: string | undefined
  /** of a write: the written bytes, at least the first 64 */
  bytes: Buffer
  position: number
  /** its return value */
  result: number
  begin: number
  end: number
}

const traced = 'openat,rename,renameat2,write,pwrite64,pwritev,writev,ftruncate,fsync,fdatasync,close'

export interface TraceOptions {
  /** strace's way to make calls fail: `inject=pwrite64:error=ENOSPC:when=3+` */
  inject?: string
  env?: NodeJS.ProcessEnv
  cwd?: string
}

export interface Trace {
  calls: SystemCall[]
  status: number | null
  stdout: string
  stderr: string
}

/** Runs a program under strace: all its threads, with the calls in the order in which the kernel had them. */
export function traceSystemCalls(command: string[], { inject, env, cwd }: TraceOptions = {}): Trace {
  const folder = mkdtempSync(join(tmpdir(), 'wavespool-trace-'))
  try {
    const output = join(folder, 'trace')
    const options = ['-f', '-y', '-xx', '-s', '64', '-e', `trace=${traced}`, '-o', output]
    const { status, stdout, stderr, error } = spawnSync(
      'strace',
      [...options, ...(inject ? ['-e', inject] : []), ...command],
      { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 50_000, ...(cwd && { cwd }) },
    )
    if (error) throw error
    return { calls: parse(readFileSync(output, 'latin1')), status, stdout, stderr }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A call that is overtaken by another thread's has two lines: `… <unfinished ...>` and `<... name resumed>…`. */
function parse(text: string): SystemCall[] {
  const calls: SystemCall[] = []
  const begun = new Map<string, { text: string; begin: number }>()
  for (const [line, whole] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(whole) ?? []
    if (rest.endsWith('<unfinished ...>')) {
      begun.set(thread, { text: rest.slice(0, -'<unfinished ...>'.length), begin: line })
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const first = resumed === null ? undefined : begun.get(thread)
    const call = callOf(first === undefined ? rest : first.text + resumed![1], first?.begin ?? line, line)
    if (call !== undefined) calls.push(call)
  }
  return calls
}

function callOf(text: string, begin: number, end: number): SystemCall | undefined {
  const [, name, inner, returned] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(text) ?? []
  if (name === undefined) return undefined
  const strings = [...inner!.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) =>
    Buffer.from(hex!.replaceAll('\\x', ''), 'hex'),
  )
  // with -y a descriptor is followed by its path: 18</tmp/x.wav>, whose characters -xx writes in hex, too
  const descriptor = /^\d+<((?:\\x[0-9a-f]{2}|[^>\\])*)>/.exec(inner!)?.[1]
  const path =
    descriptor === undefined
      ? (strings[0]?.toString() ?? '')
      : descriptor.replace(/\\x([0-9a-f]{2})/g, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return {
    name,
    path,
    to: name.startsWith('rename') ? strings[1]?.toString() : undefined,
    bytes: strings[0] ?? Buffer.alloc(0),
    position: Number(/, (\d+)$/.exec(inner!)?.[1] ?? 0),
    result: Number(returned),
    begin,
    end,
  }
}
