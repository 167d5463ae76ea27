"""socks_proxy.py - a SOCKS server of one test's own, on loopback: version 4, 4a and 5 (RFC 1928, 1929).

    with SocksProxy({"mail.test": "127.0.0.1"}) as proxy:  ... proxy.port ... proxy.asked -> [(5, "mail.test", 25)]

It connects from SOURCE, so that a server behind it sees who came through it.
    logins      {"user": "password"}: asked of version 5
    reply       a code that is answered instead of connecting
    cut         after so many bytes of its answers the connection is closed
    silent      it takes connections and says nothing
"""
import socket
import struct
import threading

from loopback import Cut, LoopbackServer

SOURCE = "127.0.0.8"


class SocksProxy(LoopbackServer):
    OPTIONS = {"logins": None, "reply": None, "cut": None, "silent": False}

    def __init__(self, names=None, **options):
        super().__init__(**options)
        self.names, self.asked, self.users = names or {}, [], []

    def serve(self, client, number):
        left = [self.cut]

        def say(data):
            if left[0] is not None and len(data) > left[0]:
                client.sendall(data[:left[0]])
                raise Cut
            if left[0] is not None:
                left[0] -= len(data)
            client.sendall(data)
        try:
            if self.silent:
                client.recv(1)
                threading.Event().wait(60)
            f = client.makefile("rb", buffering=0)
            version = f.read(1)[0]
            (self.five if version == 5 else self.four)(client, f, say)
        except (Cut, OSError, IndexError, struct.error):
            client.close()

    def five(self, client, f, say):
        methods = f.read(f.read(1)[0])
        if self.logins:
            say(b"\5\2" if 2 in methods else b"\5\xff")
            f.read(1)
            user = f.read(f.read(1)[0]).decode()
            good = self.logins.get(user) == f.read(f.read(1)[0]).decode()
            self.users.append(user)
            say(b"\1" + (b"\0" if good else b"\1"))
            if not good:
                raise Cut
        else:
            say(b"\5\0")
        kind = f.read(4)[3]
        if kind == 3:
            host = f.read(f.read(1)[0]).decode()
        else:
            host = socket.inet_ntop(*((socket.AF_INET, f.read(4)) if kind == 1 else (socket.AF_INET6, f.read(16))))
        port, = struct.unpack(">H", f.read(2))
        self.asked.append((5, host, port))
        if self.reply is not None:
            say(bytes([5, self.reply, 0, 1]) + bytes(6))
            raise Cut
        self.relay(client, host, port, lambda: say(b"\5\0\0\1" + bytes(6)))

    def four(self, client, f, say):
        _, port, address = struct.unpack(">BH4s", f.read(7))
        self.users.append(self.text(f))
        host = self.text(f) if address[:3] == b"\0\0\0" else socket.inet_ntoa(address)
        self.asked.append((4, host, port))
        if self.reply is not None:
            say(bytes([0, self.reply]) + bytes(6))
            raise Cut
        self.relay(client, host, port, lambda: say(b"\0\x5a" + bytes(6)))

    @staticmethod
    def text(f):
        out = b""
        while (c := f.read(1)) != b"\0":
            out += c
        return out.decode()

    def relay(self, client, host, port, granted):
        server = socket.create_connection((self.names.get(host, host), port), 10, source_address=(SOURCE, 0))
        server.settimeout(None)
        self.keep(server)
        granted()
        threading.Thread(target=self.pump, args=(client, server), daemon=True).start()
        self.pump(server, client)

    @staticmethod
    def pump(source, to):
        try:
            while data := source.recv(65536):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass
