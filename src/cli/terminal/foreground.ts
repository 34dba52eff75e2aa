import { readFileSync } from 'node:fs'

/**
 * Whether the terminal belongs to this process at the moment. A job in the background is stopped by the kernel when it
 * reads the keyboard, and its status line would overwrite that of another program. Only Linux tells; elsewhere the answer is true.
 */
export function isInForeground(): boolean {
  try {
    // proc(5): pid (comm) state ppid pgrp session tty_nr tpgid …; comm may hold anything, so from its end on
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return true
  }
}
