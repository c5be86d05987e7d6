"""Nodes register in a real etcd, a router follows, and neither needs etcd to go on serving."""

import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fleet"))
from processes import Etcd, Jikji, get, until  # noqa: E402


def main() -> None:
    if shutil.which("etcd") is None:
        print("membership: skipped, there is no etcd here (Debian: etcd-server)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        running: list = []
        try:
            run(folder, running)
        finally:
            for program in running:
                program.kill()
    print("membership: nodes came, left, died and outlived etcd")


def run(folder: str, running: list) -> None:
    etcd = Etcd(folder + "/etcd")
    running.append(etcd)

    def serve() -> Jikji:
        node = Jikji("serve", "--threads", "1", "--register", etcd.url, "--lease-seconds", "2")
        running.append(node)
        return node

    router = Jikji("route", "--etcd", etcd.url, "--look-seconds", "0.2")  # before there is any node
    running.append(router)

    def nodes() -> dict[str, str]:
        return {row["node"]: row["state"] for row in json.loads(get(router.url + "/router/nodes")[1])}

    def serving(*expected: Jikji) -> None:
        wanted = {node.url: "serving" for node in expected}
        until(f"the router serves with {len(wanted)} nodes", lambda: nodes() == wanted)

    def ask(times: int = 8) -> set[str]:
        """Nodes that answered; every answer must be right."""
        by = set()
        for i in range(times):
            status, body, headers = get(router.url + "/v1/completions",
                                        {"prompt": f"안녕 {i}", "max_tokens": 4, "temperature": 0})
            assert status == 200, (status, body)
            by.add(headers["x-jikji-node"])
        return by

    a, b = serve(), serve()
    serving(a, b)
    ask()

    # One leaves: the router knows at once, and by membership, not by a failed request.
    assert b.end() == 0
    running.remove(b)
    serving(a)
    assert ask() == {a.url}

    # One is killed: its lease ends, so that it is off the list and not only down.
    c = serve()
    serving(a, c)
    c.kill()
    assert ask() == {a.url}
    serving(a)

    # etcd dies: the router and its nodes serve on.
    etcd.kill()
    d = serve()  # starts without it
    assert ask() == {a.url}
    assert nodes() == {a.url: "serving"}

    # It returns with its data: who registered is still there, who waited is there now.
    etcd.start()
    serving(a, d)
    ask()

    # It returns with nothing: nodes find that their leases are gone, and register anew.
    etcd.kill()
    shutil.rmtree(etcd.folder)
    etcd.start()
    e = serve()
    serving(a, d, e)
    ask()


if __name__ == "__main__":
    main()
