// The resources of processes, as Linux counts them; none on other systems.
import { readFileSync } from 'node:fs'

/** Linux counts the time of a process in hundredths of a second for every program (USER_HZ). */
const TICKS_PER_SECOND = 100

/**
 * CPU time in seconds and the largest memory in MB of a process that still runs; undefined where there is no /proc.
 *
 * @param {number | undefined} pid
 */
export function usageOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // behind the name, which may hold spaces: fields 14 and 15 of proc(5) are utime and stime
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const peak = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return {
      'CPU (s)': (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      'memory, at most (MB)': Math.round(Number(peak?.[1]) / 1000),
    }
  } catch {
    return undefined
  }
}
