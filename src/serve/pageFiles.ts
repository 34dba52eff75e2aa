import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { HttpError } from './httpError.ts'

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
}

/** The files of the page; no others are served. */
const names = [
  'index.html',
  'style.css',
  'icon.svg',
  'app.js',
  'api.js',
  'waveform.js',
  'player.js',
  'microphone.js',
  'worklet.js',
]

const files = new Map<string, Promise<{ bytes: Buffer; entityTag: string }>>()

async function load(name: string) {
  const bytes = await readFile(new URL(`page/${name}`, import.meta.url))
  return { bytes, entityTag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"` }
}

/** A file of the page. @returns a promise, rejected with a {@link HttpError} where there is none of this name */
export async function pageFile(path: string, headers: Headers): Promise<Response> {
  const name = path || 'index.html'
  if (!names.includes(name)) throw new HttpError(404, 'there is no such page')
  if (!files.has(name)) files.set(name, load(name))
  const { bytes, entityTag } = await files.get(name)!
  const type = types[name.slice(name.lastIndexOf('.') + 1) as keyof typeof types]
  const about = { etag: entityTag, 'cache-control': 'no-cache' }
  if (headers.get('if-none-match') === entityTag) return new Response(null, { status: 304, headers: about })
  return new Response(new Uint8Array(bytes), { headers: { ...about, 'content-type': type } })
}
