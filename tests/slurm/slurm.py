"""`jikji fleet slurm keep` on a real Slurm: eight nodes are launched, one is lost, replaced and serving again, one is drained."""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fleet"))
from cluster import Cluster, missing  # noqa: E402
from processes import PROGRAM, Etcd, Jikji, get, until  # noqa: E402

NODES = 8


def skip(why: str) -> None:
    print(f"slurm: skipped: {why}")
    sys.exit(77)


def main() -> None:
    if why := missing():
        skip(why)
    with tempfile.TemporaryDirectory() as folder:
        running: list = []
        try:
            try:
                cluster = Cluster(folder, machines=NODES + 1, gpus=8)
            except (OSError, SystemExit) as error:
                skip(f"its daemons do not run here: {error}")
            running.append(cluster)
            run(folder, cluster, running)
        finally:
            for program in reversed(running):
                program.kill()


def run(folder: str, cluster: Cluster, running: list) -> None:
    etcd = Etcd(folder + "/etcd")
    running.append(etcd)
    router = Jikji("route", "--etcd", etcd.url, "--look-seconds", "0.2")
    running.append(router)
    driver = subprocess.Popen(
        [PROGRAM, "fleet", "slurm", "keep", "--nodes", str(NODES), "--look-seconds", "0.5", "--gres", "gpu:8", "--register", etcd.url,
         "--log", f"{folder}/node-%j.log", "--serve-flags", "--threads 1 --kv-cache 16MiB --lease-seconds 2"],
        stdout=subprocess.DEVNULL)
    running.append(driver)

    def serving() -> int:
        rows = json.loads(get(router.url + "/router/nodes")[1])
        return sum(row["state"] == "serving" for row in rows)

    def ask() -> None:
        status, body, _ = get(router.url + "/v1/completions", {"prompt": "안녕", "max_tokens": 4})
        assert status == 200, (status, body)

    def becomes(what: str, holds) -> None:
        """Until it holds, requests are served all the time."""
        def served_and_holds() -> bool:
            ask()
            return holds()
        until(what, served_and_holds)

    until(f"{NODES} nodes serve", lambda: serving() == NODES)
    before = cluster.jobs()
    assert len(before) == NODES

    # A machine is lost.
    lost = sorted(before)[2]
    cluster.lose(lost)
    becomes("the lost node is replaced", lambda: lost not in cluster.jobs() and len(cluster.jobs()) == NODES)
    becomes(f"{NODES} nodes serve again", lambda: serving() == NODES)

    # A machine is to be emptied: its node ends once another has taken its place.
    cluster.start_machine(lost)
    becomes("the machine is back", lambda: cluster.states()[lost] == "idle")
    emptied = sorted(set(before) - {lost})[0]
    cluster.ask("scontrol", "update", f"nodename={emptied}", "state=drain", "reason=test")
    becomes("its node has moved", lambda: emptied not in cluster.jobs() and lost in cluster.jobs())
    becomes(f"{NODES} nodes serve", lambda: serving() == NODES)
    assert cluster.states()[emptied] == "drained"

    # The driver ends; its nodes do not.
    driver.terminate()
    assert driver.wait(60) == 0
    ask()
    assert len(cluster.jobs()) == NODES
    subprocess.run([PROGRAM, "fleet", "slurm", "drain"], check=True, stdout=subprocess.DEVNULL)
    until("all have drained", lambda: not cluster.jobs())
    print(f"slurm: {NODES} nodes launched, one lost and replaced, one moved; no request failed")


if __name__ == "__main__":
    main()
