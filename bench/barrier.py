#!/usr/bin/env python3
"""Zero overspend through real servers: clients at one barrier, a budget for k, servers on one PostgreSQL.

    bench/barrier.py [--servers N] [--clients N] [--affordable K] [--mixed]

Every client has its connection open and its request written but for the last byte; then all of the last bytes are sent.
Each request costs the same, so exactly k must be let in. With --mixed a third streams, a third goes away after the first byte, and one
in ten is malformed: then what was charged must be what the usage table says, and no more than the budget.
"""
import argparse, glob, json, os, re, selectors, shutil, socket, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JIKJI = os.environ.get("JIKJI_PROGRAM", f"{ROOT}/build/release/jikji")
INPUT, OUTPUT = 500, 1500  # won for a million tokens


class Postgres:
    def __init__(self):
        self.programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.folder = tempfile.mkdtemp(prefix="jikji_barrier_")
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-U", "jikji", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", f"-k {self.folder} -c listen_addresses=", "start")
        subprocess.run([f"{self.programs}/psql", "-q", "-h", self.folder, "-U", "jikji", "-d", "postgres", "-c", "CREATE DATABASE t"], check=True)
        self.url = f"postgres:///t?host={self.folder}&user=jikji"

    def run(self, name, *words):
        subprocess.run([*self.user, f"{self.programs}/{name}", "-D", f"{self.folder}/data", *words], check=True, cwd="/",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def query(self, sql):
        done = subprocess.run([f"{self.programs}/psql", "-At", "-h", self.folder, "-U", "jikji", "-d", "t", "-c", sql],
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self):
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Site:
    def __init__(self, postgres, servers):
        self.work = tempfile.mkdtemp(prefix="jikji_barrier_")
        self.environment = {**os.environ, "JIKJI_STORE": postgres.url, "JIKJI_PEPPER": "p" * 40, "LC_ALL": "C"}
        self.tenant("init", "--journal", f"{self.work}/none")
        organisation = self.tenant("add-organisation", "o")["id"]
        self.project = str(self.tenant("add-project", "p", "--organisation", str(organisation))["id"])
        self.key = self.tenant("add-key", "k", "--project", self.project)["secret"]
        self.tenant("set-price", "jikji-mini-ko", "--input-price", str(INPUT), "--output-price", str(OUTPUT), "--from", "2026-01-01")
        self.servers = [self.start(i) for i in range(servers)]

    def tenant(self, *words):
        done = subprocess.run([JIKJI, "tenant", *words, "--json"], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return json.loads(done.stdout)

    def start(self, i):
        child = subprocess.Popen([JIKJI, "serve", "--port", "0", "--journal", f"{self.work}/journal{i}", "--max-queued", "4096", "--threads", "1"],
                                 env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in child.stdout:
            port = re.search(r"127\.0\.0\.1:(\d+)", line)
            if port:
                return child, int(port.group(1))
        sys.exit("a server did not start")

    def stop(self):
        for child, _ in self.servers:
            child.terminate()
            child.wait()
        shutil.rmtree(self.work, ignore_errors=True)


def request(key, body):
    text = json.dumps(body)
    return (f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(text)}\r\n\r\n{text}").encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--affordable", type=int, default=137)
    parser.add_argument("--mixed", action="store_true")
    options = parser.parse_args()
    postgres = Postgres()
    try:
        site = Site(postgres, options.servers)
        try:
            run(options, postgres, site)
        finally:
            site.stop()
    finally:
        postgres.stop()


def run(options, postgres, site):
    # Ends by its limit, never before: every request costs the same.
    body = {"prompt": [5, 6, 7, 8], "max_tokens": 8, "ignore_eos": True, "temperature": 0}
    cost = 4 * INPUT * 1000 + 8 * OUTPUT * 1000  # nano-won
    budget = options.affordable * cost
    site.tenant("set-budget", "--project", site.project, "--amount", f"{budget // 10**9}.{budget % 10**9:09d}")
    time.sleep(1)  # every server has seen it
    clients = []
    for i in range(options.clients):
        one = dict(body)
        if options.mixed and i % 3 == 1:
            one["stream"] = True
        if options.mixed and i % 10 == 9:
            one["temperature"] = "hot"
        wire = request(site.key, one)
        connection = socket.create_connection(("127.0.0.1", site.servers[i % options.servers][1]))
        connection.sendall(wire[:-1])
        connection.setblocking(False)
        clients.append([connection, wire[-1:], b"", options.mixed and i % 3 == 2])
    selector = selectors.DefaultSelector()
    for client in clients:  # the barrier
        client[0].send(client[1])
        selector.register(client[0], selectors.EVENT_READ, client)
    counts = {}
    while selector.get_map():
        for event, _ in selector.select():
            client = event.data
            piece = client[0].recv(65536)
            client[2] += piece
            if piece and not (client[3] and client[2]):
                continue
            selector.unregister(client[0])
            client[0].close()
            status = client[2][9:12].decode() or "gone"
            code = re.search(rb'"code":"(\w+)"', client[2])
            status += f" {code.group(1).decode()}" if code else ""
            counts[status] = counts.get(status, 0) + 1
    time.sleep(1)
    charged = int(postgres.query("SELECT COALESCE(SUM(cost), 0) FROM usage"))
    charged_requests = int(postgres.query("SELECT COALESCE(SUM(requests), 0) FROM usage"))
    granted, settled = map(int, postgres.query("SELECT SUM(granted), SUM(settled) FROM budget_slices").split("|"))
    print(json.dumps({"servers": options.servers, "clients": options.clients, "affordable": options.affordable, "answers": counts,
                      "charged_requests": charged_requests, "charged_of_budget": f"{charged}/{budget}", "slices_settled": settled}))
    assert settled == charged <= budget and granted <= budget, "overspent, or the books differ"
    if not options.mixed:
        assert counts.get("200") == options.affordable == charged_requests and charged == budget, "not exactly k"


if __name__ == "__main__":
    main()
