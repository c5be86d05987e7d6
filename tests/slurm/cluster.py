"""A real Slurm on this machine: one slurmctld, and a slurmd for each pretended machine, with a munge of its own."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fleet"))
from processes import free_port, until  # noqa: E402

NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "sinfo", "scancel", "scontrol")


def missing() -> str:
    """Why there can be no Slurm here; empty where there can."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        return f"there is no {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "Slurm's daemons run as root here, and this is not root"
    return ""


class Cluster:
    def __init__(self, folder: str, machines: int, gpus: int):
        self.folder = pathlib.Path(folder)
        self.machines = [f"n{i + 1}" for i in range(machines)]
        self.daemons: dict[str, subprocess.Popen] = {}
        self.write_configuration(gpus)
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")
        self.start("munged", "munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key",
                   f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munge.pid",
                   f"--log-file={self.folder}/munge.log", f"--seed-file={self.folder}/munge.seed")
        until("munge has its socket", lambda: (self.folder / "munge.socket").exists())
        self.start("slurmctld", "slurmctld", "-D", "-i")
        for machine in self.machines:
            self.start_machine(machine)
        until("every machine is idle", lambda: self.states() == {name: "idle" for name in self.machines})

    def write_configuration(self, gpus: int) -> None:
        host = socket.gethostname().split(".")[0]
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        devices = self.folder / "dev"
        devices.mkdir()
        for i in range(gpus):
            # A GPU is a device file to Slurm; these are as /dev/null.
            os.mknod(devices / f"gpu{i}", 0o666 | 0o020000, os.makedev(1, 3))
        lines = [
            "ClusterName=jikji", f"SlurmctldHost={host}(127.0.0.1)", f"SlurmctldPort={free_port()}", "SlurmUser=root",
            f"AuthInfo=socket={self.folder}/munge.socket", "AuthType=auth/munge", "CredType=cred/munge",
            f"StateSaveLocation={self.folder}/state", f"SlurmctldPidFile={self.folder}/slurmctld.pid",
            f"SlurmctldLogFile={self.folder}/slurmctld.log", f"SlurmdSpoolDir={self.folder}/spool.%n",
            f"SlurmdPidFile={self.folder}/slurmd.%n.pid", f"SlurmdLogFile={self.folder}/slurmd.%n.log",
            "SlurmdParameters=config_overrides", "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none",
            "SelectType=select/cons_tres", "SelectTypeParameters=CR_Core", "GresTypes=gpu", "MpiDefault=none",
            "JobCompType=jobcomp/none", "ReturnToService=2", "SlurmdTimeout=5", "SlurmctldTimeout=60", "KillWait=5",
            "SchedulerParameters=bf_interval=1,sched_interval=1",
        ]
        for name in self.machines:
            (self.folder / f"spool.{name}").mkdir()
            lines.append(f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs=2 RealMemory=1000 "
                         f"Gres=gpu:{gpus}")
        lines.append(f"PartitionName=all Nodes={','.join(self.machines)} Default=YES MaxTime=INFINITE State=UP")
        (self.folder / "state").mkdir()
        (self.folder / "slurm.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        (self.folder / "gres.conf").write_text(f"Name=gpu File={devices}/gpu[0-{gpus - 1}]\n")

    def start(self, name: str, *command: str) -> None:
        self.daemons[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start_machine(self, machine: str) -> None:
        self.start(machine, "slurmd", "-D", "-N", machine)

    def ask(self, *command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def states(self) -> dict[str, str]:
        done = subprocess.run(["sinfo", "--noheader", "--Node", "--format", "%N|%T"], capture_output=True, text=True)
        return dict(line.split("|") for line in done.stdout.splitlines())

    def jobs(self) -> dict[str, str]:
        """Machine to job, of those that run."""
        lines = self.ask("squeue", "--noheader", "--states=R", "--format", "%N|%i").splitlines()
        return dict(line.split("|") for line in lines)

    def processes_of(self, job: str) -> list[int]:
        """Everything that the job's machine runs for it."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                environment = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"SLURM_JOB_ID={job}".encode() in environment or command.startswith(f"slurmstepd: [{job}.".encode()):
                found.append(int(entry.name))
        return found

    def lose(self, machine: str) -> None:
        """As if its power were cut: slurmd, the job's keeper and the node, all at once."""
        job = self.jobs()[machine]
        self.daemons[machine].kill()
        self.daemons.pop(machine).wait()
        for process in self.processes_of(job):
            os.kill(process, 9)

    def kill(self) -> None:
        for job in self.jobs().values() if "slurmctld" in self.daemons else []:
            for process in self.processes_of(job):
                os.kill(process, 9)
        for daemon in reversed(list(self.daemons.values())):
            daemon.kill()
            daemon.wait()
        self.daemons.clear()
