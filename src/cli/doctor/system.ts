import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { BackendName } from '../../sources/capture/backend.ts'
import { type ListedDevice, listDevices } from '../../sources/listDevices.ts'
import { sentenceOf } from '../errorReporter.ts'
import { bad, type Finding, good } from './finding.ts'

/** The manifest's `engines`. */
const [LEAST_MAJOR, LEAST_MINOR] = [20, 19] as const

export function nodeFinding(): Finding {
  const { version, platform, arch } = process
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  const isNew = major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR)
  if (isNew) return good('Node', `${version} on ${platform} ${arch}`)
  return bad('Node', `${version} is too old: install ${LEAST_MAJOR}.${LEAST_MINOR} or later`)
}

/** Whether a way to PortAudio loads, and the microphones that it finds. */
export async function backendFinding(
  backend: BackendName,
): Promise<{ finding: Finding; devices: ListedDevice[] | undefined }> {
  try {
    const devices = await listDevices({ backend })
    return { finding: good(backend, 'loads'), devices }
  } catch (error) {
    return { finding: bad(backend, sentenceOf(error)), devices: undefined }
  }
}

/** The way to the microphone on Linux: a sound server (PulseAudio, or PipeWire in its place), or a card by ALSA. */
export async function linuxFindings(): Promise<Finding[]> {
  const server = await serverFinding()
  const cards = soundCards()
  const card =
    cards.length > 0 ? good('ALSA', cards.join(', ')) : bad('ALSA', 'no sound card: plug a microphone in')
  const permission = permissionFinding()
  // One of the two is enough, and a server has the permission for its cards.
  server.isNeeded = !card.ok
  card.isNeeded = permission.isNeeded = !server.ok
  return [server, card, permission]
}

async function serverFinding(): Promise<Finding> {
  const name = 'PulseAudio'
  const { PULSE_SERVER, XDG_RUNTIME_DIR } = process.env
  const runtime = XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`
  const socket = PULSE_SERVER?.replace(/^(\{.*\})?unix:/, '') ?? join(runtime, 'pulse', 'native')
  if (!socket.startsWith('/')) return good(name, `PULSE_SERVER names ${PULSE_SERVER}`)
  const isThere = await new Promise<boolean>((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => resolve(true)).once('error', () => resolve(false))
    connection.once('connect', () => connection.destroy())
  })
  if (isThere) return good(name, `answers at ${socket}`)
  return bad(
    name,
    `no sound server answers at ${socket}: start pulseaudio or pipewire-pulse; in a container pass its socket in and name it by PULSE_SERVER=unix:/path`,
  )
}

/** As the kernel names them; containers and servers have none. */
function soundCards(): string[] {
  try {
    const text = readFileSync('/proc/asound/cards', 'utf8')
    return [...text.matchAll(/^ *\d+ \[.*?\]: (.*)$/gm)].map(([, card]) => card!.trim())
  } catch {
    return []
  }
}

/** Sound cards are files that belong to a group. */
function permissionFinding(): Finding {
  const name = 'permissions'
  const folder = '/dev/snd'
  if (!existsSync(folder)) return good(name, `no ${folder}, so none are needed`)
  try {
    const capturing = readdirSync(folder).filter((file) => /^pcm.*c$/.test(file))
    for (const file of capturing) accessSync(join(folder, file), constants.R_OK | constants.W_OK)
    return good(name, `${folder} can be opened`)
  } catch (error) {
    const remedy = 'join the group audio (sudo usermod -aG audio $USER) and log in again'
    return bad(name, `${sentenceOf(error)}: ${remedy}`)
  }
}
