import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat in a second: 100 on every Linux that has not been built otherwise. */
const TICKS_PER_SECOND = ticksPerSecond();

function ticksPerSecond(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
  } catch {
    return 100;
  }
}

/** Processor time that a process has used since its start, all threads, in milliseconds (proc(5), fields 14 and 15). */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
}

/** Memory of a process that is in RAM, in MB. */
export function memoryMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Share of the machine's time that nobody used between two calls: tells whether a run had the machine to itself. */
export function machineTimes(): { readonly busyMs: number; readonly idleMs: number; readonly cores: number } {
  const lines = readFileSync('/proc/stat', 'latin1').split('\n');
  const [, user, nice, system, idle, iowait, irq, softirq, steal] = (lines[0] ?? '')
    .split(/\s+/)
    .map(Number) as [number, ...number[]];
  const ms = (ticks: number | undefined) => ((ticks ?? 0) / TICKS_PER_SECOND) * 1000;
  return {
    busyMs: ms(user) + ms(nice) + ms(system) + ms(irq) + ms(softirq) + ms(steal),
    idleMs: ms(idle) + ms(iowait),
    cores: lines.filter((line) => /^cpu\d/.test(line)).length,
  };
}
