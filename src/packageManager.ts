import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The package managers that messages name. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun'

/** The commands that add a package to a project. */
export const adding: Record<PackageManager, string> = {
  npm: 'npm install',
  pnpm: 'pnpm add',
  yarn: 'yarn add',
  bun: 'bun add',
}

/** The files by which each is known: in `node_modules` when it installs, beside it in the project. */
const traces: [string, PackageManager][] = [
  ['node_modules/.modules.yaml', 'pnpm'],
  ['node_modules/.yarn-integrity', 'yarn'],
  ['node_modules/.yarn-state.yml', 'yarn'],
  ['node_modules/.package-lock.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
]

/**
 * The package manager that installed the packages of a folder, or of one above it; else the one that started this
 * program (`npm_config_user_agent`, as in `pnpm run …`), and at last npm, which comes with Node.
 */
export function findPackageManager(
  folder: string,
  userAgent = process.env.npm_config_user_agent,
): PackageManager {
  for (let at = folder, below = ''; at !== below; below = at, at = dirname(at)) {
    const found = traces.find(([trace]) => existsSync(join(at, trace)))?.[1] ?? named(manifestOf(at))
    if (found !== undefined) return found
  }
  return named(userAgent) ?? 'npm'
}

/** The field `packageManager` of a manifest, `pnpm@10.1.0` for example. */
function manifestOf(folder: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).packageManager
  } catch {
    return undefined
  }
}

function named(text: unknown): PackageManager | undefined {
  return /^(npm|pnpm|yarn|bun)\b/.exec(String(text))?.[1] as PackageManager | undefined
}
