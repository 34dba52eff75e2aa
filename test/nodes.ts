import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..')
const [running] = process.versions.node.split('.')

/** The Node programs to run a test on: all that are supported under CI, else those that are here without a download. */
export interface NodeProgram {
  name: string
  path: string
}

export function nodePrograms(majors = ['20', '22', '24', '26']): NodeProgram[] {
  const isWanted = Boolean(process.env.CI || process.env.WAVESPOOL_NODES)
  const programs: NodeProgram[] = [{ name: `Node ${running}, the running one`, path: process.execPath }]
  for (const major of majors) {
    if (major === running) continue
    const folder = join(repository, '.cache', `node-${major}`)
    const path = join(folder, 'node_modules', 'node', 'bin', 'node')
    if (!existsSync(path)) {
      if (!isWanted) {
        programs[0]!.name += ` (not on ${major}: set WAVESPOOL_NODES=1)`
        continue
      }
      install(`node@${major}`, folder, path)
    }
    programs.push({ name: `Node ${major}`, path })
  }
  return programs
}

/** Two test files may want it at once: each installs beside it, and the first to be ready is kept. */
function install(program: string, folder: string, path: string): void {
  const own = `${folder}-${process.pid}`
  // a project of its own, in which the package may fetch its program when it is installed
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }))
  const options = ['--no-save', '--no-audit', '--no-fund', '--prefix', own]
  execFileSync('npm', ['install', ...options, program], { stdio: 'pipe' })
  if (existsSync(path)) {
    rmSync(own, { recursive: true })
    return
  }
  rmSync(folder, { recursive: true, force: true }) // of an installation that was cut short
  renameSync(own, folder)
}
