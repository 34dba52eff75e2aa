import { fileURLToPath } from 'node:url'

/** Returns the path of this code, undefined where it has none: a bundle of CommonJS has no `import.meta`. */
export function ownPath(): string | undefined {
  const url = import.meta.url as string | undefined
  if (url?.startsWith('file:')) return fileURLToPath(url)
  return typeof __filename === 'string' ? __filename : undefined
}
