"""crowd_sink.py - many mail hosts in one process: build/bench/sink on all loopback addresses, each as its address says.

    with CrowdSink(port) as sink, NameServer(ways({"good": 90, "silent": 10})) as dns: ...

Domain dN.test has the manner that manner_of() gives it, and its own address.
"""
import json
import os
import socket
import struct
import subprocess

from name_server import A, record, wire
from postroom import BUILD

SINK = os.path.join(BUILD, "bench", "sink")
MX = 15
MANNERS = {"good": 1, "busy": 101, "closes": 102, "silent": 103, "defers": 104, "late": 105, "forgets": 106, "refuses": 107}


def address_of(number, manner="good"):
    return "127.%d.%d.%d" % (MANNERS[manner], number // 250, number % 250 + 1)


def way(mx=None, address=None):
    """A way of the name server: one MX record, or one address."""
    def answer(query, tcp):
        kind = struct.unpack(">H", query.question[-4:-2])[0]
        if kind == MX and mx:
            return [query.answer([record(MX, struct.pack(">H", 10) + wire(mx))])]
        if kind == A and address:
            return [query.answer([record(A, socket.inet_aton(address))])]
        return [query.answer()]
    return answer


def ways(manners):
    """MANNERS: that of each domain, by its number."""
    found = {}
    for i, manner in enumerate(manners):
        found["d%d.test" % i] = way(mx="mx.d%d.test" % i)
        found["mx.d%d.test" % i] = way(address=address_of(i, manner))
    return found


class CrowdSink:
    def __init__(self, port, listing=None, late_ms=250):
        command = [SINK, "-p", str(port), "-d", str(late_ms)] + (["-l", listing] if listing else [])
        self.port, self.listing = port, listing
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the sink did not start on port %d" % port)

    def seen(self):
        """Messages, connections and so on; the listing is written up to here."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def numbers(self):
        """The numbers of the messages that were taken, each as often as it was."""
        self.seen()
        with open(self.listing) as f:
            return [int(line.split()[0]) for line in f]

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            v = f.read().rsplit(")", 1)[1].split()
        return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
