"""Whether the machine is quiet: who else is busy, and how busy others were while a case was measured."""

import os
import time

TICKS = os.sysconf("SC_CLK_TCK")
LOAD_LIMIT = 0.3  # of one core, in the last minute
BUSY_LIMIT = 0.05  # of one core


def machine_ticks():
    """Ticks that all cores were busy, those that the hypervisor took included."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return user + nice + system + irq + softirq + steal


def process_ticks(pid):
    """(name, ticks) of a process; None where it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            head, _, tail = file.read().rpartition(")")
    except OSError:
        return None
    fields = tail.split()
    return head.partition("(")[2], int(fields[11]) + int(fields[12])


class Watch:
    """How much the machine does beside these processes and this one."""

    def __init__(self, pids):
        self.pids = [os.getpid(), *pids]
        self.began, self.machine, self.own = time.monotonic(), machine_ticks(), self._own()

    def _own(self):
        return sum((process_ticks(pid) or ("", 0))[1] for pid in self.pids)

    def others(self):
        """Cores that others kept busy, since the watch began."""
        ticks = (machine_ticks() - self.machine) - (self._own() - self.own)
        return round(max(0.0, ticks / TICKS / max(time.monotonic() - self.began, 1e-3)), 3)


def busy_processes(seconds):
    """(name, cores) of the processes other than this one that were busy, the busiest first."""
    pids = [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()]
    before = {pid: process_ticks(pid) for pid in pids}
    time.sleep(seconds)
    busy = []
    for pid, first in before.items():
        last = process_ticks(pid)
        if first and last and (last[1] - first[1]) / TICKS / seconds > BUSY_LIMIT:
            busy.append((last[0], (last[1] - first[1]) / TICKS / seconds))
    return sorted(busy, key=lambda item: -item[1])


def look(seconds=1.0):
    """What speaks against measuring now, each in a sentence; an empty list on a quiet machine."""
    watch = Watch([])
    busy = busy_processes(seconds)
    others, load = watch.others(), os.getloadavg()[0]
    reasons = []
    if busy:
        names = ", ".join(f"{name} ({cores:.0%} of a core)" for name, cores in busy[:4])
        reasons.append(f"other processes are busy: {names}")
    elif others > 2 * BUSY_LIMIT:
        reasons.append(f"others keep {others:.1f} cores busy")
    if load > LOAD_LIMIT:
        reasons.append(f"the load average of the last minute is {load:.1f}")
    return reasons
