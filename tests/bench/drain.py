#!/usr/bin/env python3
"""drain.py - how fast a queue empties: Postroom beside Postfix and OpenSMTPD, in one run; ratios beside goals.

  tests/bench/drain.py [--destinations 1 10 1000] [--messages N] [--rounds N] [--alone] [--opensmtpd TREE] [--sync-us US]

N messages of 4 KB wait in the queue of each; then it is let go, to one sink for all (sink.c), which offers what
Postfix's server offers and is not the bottleneck: its own CPU time is printed. See relays.py for how each is held and let
go. The clock starts before the command that does it and stops at the last message in the sink; CPU is that of the server's
processes until it is idle. Needs root; OpenSMTPD is measured where TREE is what `dpkg -x` made of its package.
It judges nothing.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from relays import OpenSmtpdRelay, PostfixRelay, PostroomRelay, postroom  # noqa: E402
from run import load  # noqa: E402
from crowd_sink import CrowdSink, ways  # noqa: E402
from name_server import NameServer  # noqa: E402

LIMIT_S = 30  # for each drain
GOALS = {1: 4, 10: 4}


def settled_cpu(peer):
    """Its CPU time when it has stood still for half a second."""
    last, end = peer.cpu_s(), time.time() + 15
    while time.time() < end:
        time.sleep(0.5)
        now = peer.cpu_s()
        if now - last < 0.02:
            break
        last = now
    return peer.cpu_s()


def drain(peer, messages):
    """Messages a second, CPU ms and syncs a message, what the sink saw."""
    peer.start()
    try:
        taken = load("smtp", peer.smtp, "-c", 20, "-k", 100, "-n", messages, "-s", 4096, "-D", peer.domains)["done"]
        if taken < messages:
            raise RuntimeError("%s took %d of %d messages" % (peer.name, taken, messages))
        peer.hold_is_over()
        sink = CrowdSink(peer.sink_port)
        try:
            cpu, syncs, began = settled_cpu(peer), peer.syncs(), time.time()
            peer.release()
            seen = {"messages": 0}
            while seen["messages"] < messages and time.time() < began + LIMIT_S:
                time.sleep(0.02)
                seen = sink.seen()
            used = settled_cpu(peer) - cpu
            if not seen["messages"]:
                raise RuntimeError("%s sent nothing; see %s" % (peer.name, peer.dir))
            done = seen["messages"]
            if done < messages:
                print("note: %s sent %d of %d in %d s" % (peer.name, done, messages, LIMIT_S), file=sys.stderr)
            seconds = seen["last_ms"] / 1e3 - began
            return {"rate": done / seconds, "cpu": used * 1e3 / done, "syncs": (peer.syncs() - syncs) / done,
                    "sink cpu": sink.cpu_s() * 1e3 / done, "connections": seen["connections"], "most": seen["most"],
                    "first": seen["first_ms"] / 1e3 - began, "busy rate": done / max(seconds - (seen["first_ms"] / 1e3 - began), 1e-3)}
        finally:
            sink.close()
    finally:
        peer.stop()


def peers(options, work, base, domains, dns):
    found = [PostroomRelay(work + "/postroom", base, domains, dns, sync_us=options.sync_us)]
    if not options.alone:
        found.append(PostfixRelay(work + "/postfix", base + 1000, domains, sync_us=options.sync_us))
    if options.opensmtpd and not options.alone:
        OpenSmtpdRelay.tree = os.path.abspath(options.opensmtpd)
        found.append(OpenSmtpdRelay(work + "/opensmtpd", base + 2000, domains, sync_us=options.sync_us))
    return found


def one_round(options, domains, number, rows):
    work = tempfile.mkdtemp(prefix="postroom-drain-", dir=options.dir)
    os.chmod(work, 0o755)
    try:
        with NameServer(ways(["good"] * domains)) as dns:
            all_peers = peers(options, work, 20000 + os.getpid() % 20000, domains, dns.address)
            for peer in all_peers if number % 2 == 0 else all_peers[::-1]:
                try:
                    found = drain(peer, options.messages)
                    rows.setdefault((domains, peer.name), []).append(found)
                except (OSError, RuntimeError, subprocess.SubprocessError) as e:
                    print("note: %s: %s" % (peer.name, e), file=sys.stderr)
    finally:
        if options.keep:
            print("kept: " + work)
        else:
            shutil.rmtree(work, ignore_errors=True)


def show(rows, options):
    median = {key: {name: statistics.median(r[name] for r in found) for name in found[0]} for key, found in rows.items()}
    print("%-13s %-10s %9s %9s %9s %8s %9s %6s %6s" % ("destinations", "", "msgs/s", "from 1st", "CPU ms", "syncs", "sink CPU", "conns", "most"))
    for (domains, name), m in median.items():
        print("%-13d %-10s %9.0f %9.0f %9.3f %8.3f %9.3f %6d %6d" % (
            domains, name, m["rate"], m["busy rate"], m["cpu"], m["syncs"], m["sink cpu"], m["connections"], m["most"]))
    for domains in options.destinations:
        ours = median.get((domains, "Postroom"))
        for name in ("Postfix", "OpenSMTPD"):
            theirs = median.get((domains, name))
            if not ours or not theirs:
                continue
            rate, cpu, goal = ours["rate"] / theirs["rate"], theirs["cpu"] / max(ours["cpu"], 1e-6), GOALS.get(domains)
            print("%d destinations beside %s: %.2fx%s; CPU a message 1/%.1f%s" % (
                domains, name, rate, ", goal %gx: %s" % (goal, verdict(rate, goal)) if goal and name == "Postfix" else "", cpu,
                ", goal 1/10: " + verdict(cpu, 10) if name == "Postfix" else ""))


def verdict(have, goal):
    return "reached" if have >= goal else "short by %.0f %%" % (100 - 100 * have / goal)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--destinations", type=int, nargs="+", default=[1, 10, 1000])
    a.add_argument("--messages", type=int, default=2000)
    a.add_argument("--rounds", type=int, default=1)
    a.add_argument("--alone", action="store_true", help="without peers")
    a.add_argument("--opensmtpd", metavar="TREE", help="its unpacked package")
    a.add_argument("--sync-us", type=int, default=0, help="added to each sync, as on a drive")
    a.add_argument("--dir", help="where the queues are; the disk that is measured")
    a.add_argument("--keep", action="store_true", help="keep the folders")
    a.add_argument("--json", help="write all figures to this file")
    options = a.parse_args()
    if os.getuid() != 0:
        sys.exit("drain: needs root (mount namespaces and cgroups)")
    if not options.alone and not shutil.which("postqueue"):
        sys.exit("drain: postfix is missing (apt-get install postfix, or --alone)")
    subprocess.run(["ninja", "--quiet", "build/bench/load", "build/bench/sink", "build/bench/slowsync.so", "build/postroomd",
                    "build/postroom"], check=True, cwd=postroom.ROOT)
    rows = {}
    for domains in options.destinations:
        for number in range(options.rounds):
            one_round(options, domains, number, rows)
    show(rows, options)
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"%d %s" % key: found for key, found in rows.items()}, f, indent=1)


if __name__ == "__main__":
    main()
