#!/usr/bin/env python3
"""Good traffic beside an attack, against a real `jikji serve` with tenants, budgets and audit log.

    bench/attack.py [--kinds keys,headers,slow] [--turns N] [--seconds S] [--good RATE] [--wrong-keys-per-second N]

Turns follow one another: without an attack, with the same attack on another server beside, and with it on the server of the good
traffic. The second shows what the attack costs as a load of this machine, since attacker and attacked share its processors; the third
over the second is what it costs those who share the server. Latency of a good request counts from when it was due; 99th percentiles
are compared. Attackers have a process and connections of their own:
  keys     10,000 requests a second with wrong keys: of no form, well-formed and unknown, and SQL; where the server lets it wait
           on 64 connections, it closes the oldest and opens another, so that as many are asked as before
  headers  heads of 64 KiB, twice what the server takes, as fast as one connection after the other can send them
  slow     2,000 connections that each send one byte of a head a second; what is timed begins when all of them are there
Where there are two processors or more, the attackers have the last one to themselves: else the system wakes the server where the
attacker runs, and good requests wait for the attacker's turn of that processor.
`--wrong-keys-per-second 0` takes the server's brake on wrong keys off: what one refusal costs, ten thousand times a second.
Good traffic counts tokens with a right key (`/tokenize`), so that the model's own time does not hide what the attack costs.
"""
import argparse, json, multiprocessing, os, random, re, select, shutil, socket, string, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JIKJI = os.environ.get("JIKJI_PROGRAM", f"{ROOT}/build/release/jikji")
BAD_RATE = 10_000
CONNECTIONS = 64  # of the attacker with wrong keys
PIPELINED = 50  # bad requests that one send carries: the attacker must cost less than the attacked
SLOW = 2_000
SETTLE = {"slow": 1.5}  # seconds until an attack is at its height, or over; others: 0.3
PROCESSORS = sorted(os.sched_getaffinity(0))
CHECK = string.ascii_letters + string.digits


class Site:
    def __init__(self, wrong_keys):
        self.work = tempfile.mkdtemp(prefix="jikji_attack_")
        self.environment = {**os.environ, "JIKJI_STORE": f"sqlite:{self.work}/s.db", "LC_ALL": "C"}
        self.tenant("init")
        organisation = str(self.tenant("add-organisation", "o")["id"])
        project = str(self.tenant("add-project", "p", "--organisation", organisation)["id"])
        self.key = self.tenant("add-key", "k", "--project", project)["secret"]
        self.tenant("set-price", "jikji-mini-ko", "--input-price", "500", "--output-price", "1500", "--from", "2026-01-01")
        self.tenant("set-budget", "--project", project, "--amount", "1000000")
        self.child = subprocess.Popen([JIKJI, "serve", "--port", "0", "--threads", "1",
                                       "--wrong-keys-per-second", str(wrong_keys)], env=self.environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.child.stdout:
            if port := re.search(r"127\.0\.0\.1:(\d+)", line):
                self.port = int(port.group(1))
                return
        sys.exit("the server did not start")

    def tenant(self, *words):
        done = subprocess.run([JIKJI, "tenant", *words, "--json"], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return json.loads(done.stdout)

    def memory(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.child.pid}/status").read()).group(1)) / 1024

    def stop(self):
        self.child.terminate()
        self.child.wait()
        shutil.rmtree(self.work, ignore_errors=True)


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head(key, body):
    return (f"POST /tokenize HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def attack_keys(port, on, count, key):
    body = b'{"prompt":"a"}'
    wires = []
    for i in range(1_000):
        form = i % 3
        if form == 0:
            wrong = "".join(random.choices(CHECK, k=40))
        elif form == 1:  # the right prefix, another secret
            wrong = key[:14] + "".join(random.choices(CHECK, k=len(key) - 14))
        else:
            wrong = "' OR 1=1; DROP TABLE api_keys; --"
        wires.append(head(wrong, body))
    bursts = [b"".join(wires[i:i + PIPELINED]) for i in range(0, len(wires), PIPELINED)]
    while True:
        on.wait()
        due, turn, waiting, free = time.monotonic(), 0, {}, []  # waiting: connections, oldest first, and answers they miss
        while on.is_set():
            connection = free.pop() if free else None
            if connection is None:
                if len(waiting) == CONNECTIONS:
                    oldest = next(iter(waiting))
                    del waiting[oldest]
                    oldest.close()
                connection = connect(port)
            connection.sendall(bursts[turn % len(bursts)])
            waiting[connection] = PIPELINED
            turn += 1
            with count.get_lock():
                count.value += PIPELINED
            due += PIPELINED / BAD_RATE
            left = due - time.monotonic()
            for connection in select.select(list(waiting), [], [], max(0, left))[0]:
                piece = connection.recv(1 << 17)
                waiting[connection] -= piece.count(b"HTTP/1.1 401")
                if not piece:
                    del waiting[connection]
                    connection.close()
                elif waiting[connection] == 0:
                    del waiting[connection]
                    free.append(connection)
            time.sleep(max(0, due - time.monotonic()))
        for connection in [*waiting, *free]:
            connection.close()


def attack_headers(port, on, count, key):
    flood = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(64))
    while True:
        on.wait()
        connection = connect(port)
        try:
            connection.sendall(flood)
            while connection.recv(1 << 16):
                pass
        except OSError:
            pass  # cut while it sent
        connection.close()
        with count.get_lock():
            count.value += 1


def attack_slow(port, on, count, key):
    text = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 1000
    sockets, turn = [], 0
    while True:
        if not on.is_set():
            for connection in sockets:
                connection.close()
            sockets = []
            on.wait()
        for i in range(SLOW // 10):  # a tenth of them each tenth of a second
            at = (turn * (SLOW // 10) + i) % SLOW
            if at >= len(sockets):
                sockets.append(connect(port))
                at = len(sockets) - 1
            try:
                sockets[at].send(text[turn // 10 % len(text):][:1] if turn >= 10 else text[:1])
            except OSError:  # timed out by the server, so it comes again
                sockets[at].close()
                sockets[at] = connect(port)
            with count.get_lock():
                count.value += 1
        turn += 1
        time.sleep(0.1)


ATTACKS = {"keys": attack_keys, "headers": attack_headers, "slow": attack_slow}


def good_turn(connection, wire, rate, seconds, taken):
    due = time.monotonic()
    end = due + seconds
    while due < end:
        time.sleep(max(0, due - time.monotonic()))
        connection.sendall(wire)
        answer = connection.recv(1 << 16)
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(1 << 16)
        if not answer.startswith(b"HTTP/1.1 200"):
            sys.exit(answer.decode())
        length = int(re.search(rb"Content-Length: (\d+)", answer).group(1))
        missing = length - (len(answer) - answer.index(b"\r\n\r\n") - 4)
        while missing > 0:
            missing -= len(connection.recv(missing))
        taken.append((time.monotonic() - due) * 1e6)
        due += random.expovariate(rate)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="keys,headers,slow")
    parser.add_argument("--turns", type=int, default=4, help="of each, without and with")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--good", type=float, default=200, help="good requests a second")
    parser.add_argument("--wrong-keys-per-second", type=int, default=20, help="as the server's setting")
    options = parser.parse_args()
    os.sched_setaffinity(0, PROCESSORS[:-1] or PROCESSORS)
    site, other = (Site(options.wrong_keys_per_second) for _ in range(2))
    right = True
    try:
        for kind in options.kinds.split(","):
            right &= measure(kind, options, site, other)
    finally:
        site.stop()
        other.stop()
    sys.exit(0 if right else 1)


def measure(kind, options, site, other):
    attackers, settle = [], SETTLE.get(kind, 0.3)
    for target in (other, site):
        on, count = multiprocessing.Event(), multiprocessing.Value("q", 0)
        process = multiprocessing.Process(target=ATTACKS[kind], args=(target.port, on, count, target.key), daemon=True)
        process.start()
        os.sched_setaffinity(process.pid, PROCESSORS[-1:])
        attackers.append((process, on, count))
    connection = connect(site.port)
    wire = head(site.key, json.dumps({"prompt": "오늘 민원실은 몇 시까지 여나요?"}).encode())
    names = ("alone", "beside", "attacked")
    taken, before = {name: [] for name in names}, site.memory()
    good_turn(connection, wire, options.good, 0.5, [])  # warm
    for turn in range(len(names) * options.turns):
        name = names[turn % len(names)]
        for i, (_, on, _) in enumerate(attackers):
            on.set() if i + 1 == turn % len(names) else on.clear()
        time.sleep(settle)
        good_turn(connection, wire, options.good, options.seconds, taken[name])
    for process, on, _ in attackers:
        on.clear()
        process.kill()
        process.join()
    p50, p99 = ({name: sorted(t)[int(share * (len(t) - 1))] for name, t in taken.items()} for share in (0.5, 0.99))
    ratio = p99["attacked"] / p99["beside"]
    acts = attackers[1][2].value / (options.turns * (options.seconds + settle))
    told = ", ".join(f"{name} p50 {p50[name]:.0f} p99 {p99[name]:.0f}" for name in names)
    print(f"{kind:8} {acts:6.0f} acts/s; {len(taken['attacked'])} good requests, microseconds: {told}; p99 attacked over beside "
          f"{ratio:.2f} (1.2 allowed), over alone {p99['attacked'] / p99['alone']:.2f}; memory {before:.0f} -> {site.memory():.0f} MiB", flush=True)
    return ratio <= 1.2


if __name__ == "__main__":
    main()
