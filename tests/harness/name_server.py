"""name_server.py - a name server of one test's own, on loopback, honest and hostile (H69).

    with NameServer({"2.0.0.127.bl.test": "127.0.0.2"}) as dns:
        ... dns.address ... dns.asked("2.0.0.127.bl.test") ...

A name has an address, or the way in which it is answered: see WAYS, or a function like those there. Names it does not know do not exist.
"""
import socket
import struct
import threading

A, CNAME = 1, 5
QUESTION = b"\xc0\x0c"  # a pointer to the name that was asked for


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(kind, data, owner=QUESTION, ttl=300):
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


class Query:
    def __init__(self, data):
        self.id, at, labels = data[:2], 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        self.name, self.question = ".".join(labels), data[12:at + 5]

    def answer(self, records=(), rcode=0, flags=0x8180, ident=None, question=None, count=None):
        return (ident or self.id) + struct.pack(">HHHHH", flags | rcode, 1, len(records) if count is None else count, 0, 0) \
            + (question or self.question) + b"".join(records)


LISTED = socket.inet_aton("127.0.0.2")


def wrong_id(query, tcp):
    return [query.answer([record(A, LISTED)], ident=bytes([query.id[0] ^ 1, query.id[1]]))]


def wrong_question(query, tcp):
    return [query.answer([record(A, LISTED)], question=wire("other.test") + b"\0\1\0\1")]


def loop(query, tcp):
    return [query.answer([record(CNAME, QUESTION)])]


def long_chain(query, tcp):
    names = [query.name] + ["n%d.test" % i for i in range(12)]
    links = [record(CNAME, wire(b), wire(a)) for a, b in zip(names, names[1:])]
    return [query.answer(links + [record(A, LISTED, wire(names[-1]))])]


def pointer_loop(query, tcp):
    return [query.answer([b"\xc0" + bytes([12 + len(query.question)]) + b"\0" * 20], count=1)]


def huge(query, tcp):
    """Cut over UDP; over TCP 64 KiB of records."""
    if not tcp:
        return [query.answer(flags=0x8380)]
    return [query.answer([record(A, LISTED)] * 4000)]


def large(query, tcp):
    """Cut over UDP, whole and honest over TCP."""
    return [query.answer([record(A, LISTED)] * 100)] if tcp else [query.answer(flags=0x8380)]


WAYS = {"silence": lambda query, tcp: [], "servfail": lambda query, tcp: [query.answer(rcode=2)],
        "garbage": lambda query, tcp: [query.id + b"\xff" * 60], "wrong id": wrong_id,
        "wrong question": wrong_question, "loop": loop, "long chain": long_chain, "pointer loop": pointer_loop,
        "huge": huge, "large": large}


class NameServer:
    def __init__(self, names, at=("127.0.0.1", 0)):
        self.names, self.queries, self.ends = dict(names), [], False
        self.udp, self.tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(at)
        self.address = "%s:%d" % self.tcp.getsockname()
        try:  # SO_RCVBUFFORCE: a burst of questions is not lost while this waits for its turn
            self.udp.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)
        except OSError:
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.udp.bind(self.tcp.getsockname())
        self.tcp.listen(8)
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.serve_udp, self.serve_tcp)]

    def answers(self, data, tcp):
        query = Query(data)
        name = query.name.lower()
        self.queries.append(name)
        way = self.names.get(name, "nowhere")
        if callable(way):
            return way(query, tcp)
        if way in WAYS:
            return WAYS[way](query, tcp)
        if way == "nowhere":
            return [query.answer(rcode=3)]
        return [query.answer([record(A, socket.inet_aton(way))])]

    def serve_udp(self):
        while not self.ends:
            data, peer = self.udp.recvfrom(4096)
            if len(data) < 17 or self.ends:
                continue
            for answer in self.answers(data, False):
                self.udp.sendto(answer, peer)

    def serve_tcp(self):
        while not self.ends:
            connection, _ = self.tcp.accept()
            with connection:
                connection.settimeout(30)
                try:
                    size = connection.recv(2)
                    data = connection.recv(struct.unpack(">H", size)[0]) if len(size) == 2 else b""
                    for answer in self.answers(data, True) if len(data) >= 17 else []:
                        connection.sendall(struct.pack(">H", len(answer)) + answer)
                    connection.settimeout(5)
                    connection.recv(1)
                except OSError:
                    pass

    def asked(self, name):
        return self.queries.count(name)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends = True
        self.udp.sendto(b"", self.udp.getsockname())
        with socket.socket() as s:
            s.connect(self.tcp.getsockname())
        for thread in self.threads:
            thread.join(5)
        self.udp.close()
        self.tcp.close()
