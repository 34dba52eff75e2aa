import { adding, type PackageManager } from '../../../packageManager.ts'
import type { BackendName } from '../backend.ts'

/**
 * Why a backend does not load: its package is not installed, or its dependency is missing, the library PortAudio
 * for koffi, a compiled addon and ALSA for naudiodon.
 */
export type Lack = 'package' | 'part'

export interface Missing {
  backend: BackendName
  lack: Lack
  /** in the loader's words */
  why: string
}

/** The commands that install a missing backend. */
export function remedyFor(
  { backend, lack }: Missing,
  manager: PackageManager,
  platform: NodeJS.Platform,
): string {
  const steps =
    backend === 'koffi' ? koffiSteps(lack, manager, platform) : naudiodonSteps(lack, manager, platform)
  return steps.join(', then ')
}

/** koffi needs no compiler: it comes with a binary, also where install scripts are blocked. */
function koffiSteps(lack: Lack, manager: PackageManager, platform: NodeJS.Platform): string[] {
  const library = libraries[platform] ?? libraries.linux!
  return lack === 'package' ? [`run: ${adding[manager]} koffi`, library] : [library]
}

const libraries: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'install PortAudio: apt-get install libportaudio2 (Fedora: dnf install portaudio)',
  darwin: 'install PortAudio: brew install portaudio',
  win32: 'install the package naudiodon as well, compiled or not: it brings portaudio_x64.dll',
}

/** naudiodon is compiled by its install script, which npm 12, pnpm and Bun run only where it was approved. */
function naudiodonSteps(lack: Lack, manager: PackageManager, platform: NodeJS.Platform): string[] {
  const tools = compilers[platform] ?? compilers.linux!
  return [tools, `run: ${(lack === 'package' ? compiled : compiling)[manager]}`]
}

const compilers: Partial<Record<NodeJS.Platform, string>> = {
  linux:
    'install a compiler and ALSA: apt-get install python3 make g++ libasound2 (Fedora: dnf install python3 make gcc-c++ alsa-lib)',
  darwin: 'install the command line tools: xcode-select --install',
  win32: 'install Python 3 and the Visual Studio Build Tools with "Desktop development with C++"',
}

/** `npm install-scripts approve` does the same as setting the field, but older versions of npm do not know it. */
const approving = 'npm pkg set allowScripts.naudiodon=true --json'

const compiled: Record<PackageManager, string> = {
  npm: `${approving} && npm install naudiodon`,
  pnpm: 'pnpm add naudiodon --allow-build=naudiodon',
  yarn: 'yarn add naudiodon',
  bun: 'bun add naudiodon --trust',
}

const compiling: Record<PackageManager, string> = {
  npm: `${approving} && npm rebuild naudiodon`,
  pnpm: 'pnpm approve-builds naudiodon',
  yarn: 'npm rebuild naudiodon',
  bun: 'bun pm trust naudiodon',
}
