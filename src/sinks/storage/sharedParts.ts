/** Where other threads find the bytes of a recording: what of it never changes. All of it can be posted. */
export interface SharedParts {
  /** bytes of the first part; Infinity where there is but one */
  readonly firstBytes: number
  /** the memory of the first part, unless it was sealed already */
  readonly first?: SharedArrayBuffer | undefined
  /** the memory of the parts behind it, in turn */
  readonly tails?: readonly SharedArrayBuffer[]
  /** the memory of the beginning, once the first part is sealed */
  readonly head?: SharedArrayBuffer
  /** where the sealed parts lie */
  readonly directory?: string
  /** the file that holds all of it */
  readonly path?: string
}

/** What of it changes; see `Parts` for the first two. */
export interface PartsLayout {
  readonly sealed: number
  readonly epoch: number
  /** where in its memory the first part begins */
  readonly base: number
  readonly headBytes: number
}

export interface SharedStorage {
  readonly parts: SharedParts
  layout(): PartsLayout
}
