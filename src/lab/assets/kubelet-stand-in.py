"""A stand-in for the kubelet on lab hosts, which have no container runtime: static pods run as plain processes.

It treats the manifests directory as the kubelet does (pkg/kubelet/config/file_linux.go and common.go, v1.20): every
file whose name does not start with a dot is a pod; a pod is replaced when what its manifest *says* changes, so that a
comment or the order of keys does not matter; it ends when its file goes. A file that cannot be read or parsed is left
alone until the next full check, and then counts as gone.

A pod that is replaced runs on beside the new one while it ends, for its grace period at most: as the kubelet of v1.20
does, which knows pods by what they say. What crashes is started again after the kubelet's back-off, which doubles from ten
seconds to five minutes (pkg/kubelet/kubelet.go, MaxContainerBackOff), is forgotten after ten minutes without a crash, and
with a restart of the kubelet. BACK_OFF_S in the environment (/etc/default/kubelet-stand-in) gives other pauses, where a
test has no time for them: `BACK_OFF_S="1 2 5"`.

What it does not do: probes, images, volumes, resources, mirror pods. It ends its processes when it is stopped, where the
kubelet leaves them.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

POLL_S = 0.25
FULL_CHECK_S = 20  # the kubelet's fileCheckFrequency
BACK_OFF_S = tuple(float(word) for word in os.environ.get("BACK_OFF_S", "10 20 40 80 160 300").split())
STEADY_S = 2 * BACK_OFF_S[-1]  # a process that lived this long starts again with the first back-off
CREATE_S = 1  # a sandbox and a container take the kubelet about as long; meanwhile an old pod frees its ports
DEFAULT_GRACE_S = 30  # terminationGracePeriodSeconds


def log(message):
    print(message, flush=True)


def command_of(container):
    """The program and arguments of a container, and its environment. Without an image, `command` must be given."""
    argv = [*container.get("command", []), *container.get("args", [])]
    if not argv:
        raise ValueError(f"container {container.get('name')}: no command")
    extra = {entry["name"]: str(entry.get("value", "")) for entry in container.get("env", [])}
    return [str(word) for word in argv], {**os.environ, **extra}


class Process:
    """One container: a process that is started again whenever it ends."""

    def __init__(self, label, container, start_at=0.0):
        self.label = label
        self.argv, self.env = command_of(container)
        self.child = None
        self.crashes = 0
        self.started = 0.0
        self.start_at = start_at

    def tend(self, now):
        if self.child is not None and self.child.poll() is not None:
            if now - self.started > STEADY_S:
                self.crashes = 0
            pause = BACK_OFF_S[min(self.crashes, len(BACK_OFF_S) - 1)]
            log(f"{self.label}: ended with {self.child.returncode}; again in {pause} s")
            self.crashes += 1
            self.child = None
            self.start_at = now + pause
        if self.child is None and now >= self.start_at:
            self.start(now)

    def start(self, now):
        self.started = now
        try:
            # A session of its own, so that a signal reaches all that it starts.
            self.child = subprocess.Popen(self.argv, env=self.env, stdin=subprocess.DEVNULL, start_new_session=True)
            log(f"{self.label}: started, pid {self.child.pid}")
        except OSError as error:
            pause = BACK_OFF_S[min(self.crashes, len(BACK_OFF_S) - 1)]
            log(f"{self.label}: cannot start: {error}; again in {pause} s")
            self.crashes += 1
            self.start_at = now + pause

    def signal(self, number):
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, number)

    def ended(self):
        return self.child is None or self.child.poll() is not None


class Pod:
    """One manifest file."""

    def __init__(self, file, manifest, start_at=0.0):
        spec = manifest["spec"]
        self.grace = float(spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_S))
        self.processes = [Process(f"{file}: {each['name']}", each, start_at) for each in spec["containers"]]
        self.kill_at = None

    def tend(self, now):
        for process in self.processes:
            process.tend(now)

    def stop(self, now):
        self.kill_at = now + self.grace
        for process in self.processes:
            process.signal(signal.SIGTERM)

    def stopped(self, now):
        if now >= self.kill_at:
            for process in self.processes:
                process.signal(signal.SIGKILL)
        return all(process.ended() for process in self.processes)


class Manifests:
    """Reads manifests, and parses again only what changed on disk."""

    def __init__(self):
        self.read = {}  # file name -> (stat signature, digest of what it says, manifest)

    def get(self, path):
        stat = path.stat()
        signature = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        known = self.read.get(path.name)
        if known is None or known[0] != signature:
            manifest = yaml.safe_load(path.read_text())
            Pod(path.name, manifest)  # is it usable at all?
            digest = hashlib.sha256(json.dumps(manifest, sort_keys=True, default=str).encode()).hexdigest()
            known = self.read[path.name] = (signature, digest, manifest)
        return known[1], known[2]


class StandIn:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.manifests = Manifests()
        self.pods = {}  # file name -> (digest, Pod)
        self.stopping = []  # (file name, Pod) on their way out, beside the new ones
        self.failing = {}  # file name -> (since when it cannot be parsed, what was said)
        self.ending = False

    def look(self, now):
        """File name -> (digest, manifest); None for a file that cannot be used and is to be left alone."""
        found = {}
        for path in sorted(self.directory.iterdir()) if self.directory.is_dir() else []:
            if path.name.startswith(".") or not path.is_file():
                continue
            try:
                found[path.name] = self.manifests.get(path)
                self.failing.pop(path.name, None)
            except FileNotFoundError:
                continue
            except Exception as error:  # whatever a user's file makes of it, the others must go on
                since, said = self.failing.get(path.name, (now, None))
                if said != str(error):
                    log(f"{path.name}: cannot be used: {error}")
                self.failing[path.name] = (since, str(error))
                if now - since < FULL_CHECK_S:
                    found[path.name] = None
        return found

    def reconcile(self, now):
        found = {} if self.ending else self.look(now)
        for name, (digest, pod) in list(self.pods.items()):
            if name in found and (found[name] is None or found[name][0] == digest):
                continue
            log(f"{name}: {'changed' if name in found else 'gone'}; stopping")
            pod.stop(now)
            self.stopping.append((name, pod))
            del self.pods[name]
        self.stopping = [(name, pod) for name, pod in self.stopping if not pod.stopped(now)]
        for name, entry in found.items():
            if entry is not None and name not in self.pods:
                self.pods[name] = (entry[0], Pod(name, entry[1], now + CREATE_S))
        for _, pod in self.pods.values():
            pod.tend(now)

    def run(self):
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "ending", True))
        log(f"watching {self.directory}")
        while not self.ending or self.pods or self.stopping:
            self.reconcile(time.monotonic())
            time.sleep(POLL_S)


if __name__ == "__main__":
    StandIn(sys.argv[1]).run()
