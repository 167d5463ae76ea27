"""loopback.py - what the servers of one test's own have in common: a free port on loopback, a thread for each connection,
options that a test may change while it runs, and an end that leaves nobody waiting.

    class Echo(LoopbackServer):
        OPTIONS = {"delay_s": 0}
        def serve(self, sock, number): ...
"""
import socket
import ssl
import threading


class Cut(Exception):
    """The connection ends here."""


def end(sock):
    """Also where another thread waits for it."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


class LoopbackServer:
    OPTIONS = {}  # name: default; attributes

    def __init__(self, host="127.0.0.1", port=0, **options):
        unknown = set(options) - set(self.OPTIONS)
        assert not unknown, f"no such option: {unknown}"
        for name, value in {**self.OPTIONS, **options}.items():
            setattr(self, name, value.copy() if isinstance(value, (dict, set)) else value)
        self.sessions, self.socks, self._keeping = 0, [], threading.Lock()
        self.socket = socket.create_server((host, port), backlog=200)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *why):
        self.close()

    def close(self):
        for sock in [self.socket, *self.socks]:
            end(sock)

    def serve(self, sock, number):
        """The connection SOCK, the NUMBERth from 1, in a thread of its own."""
        raise NotImplementedError

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            self.sessions += 1
            self.keep(sock)
            threading.Thread(target=self.serve, args=(sock, self.sessions), daemon=True).start()

    def keep(self, sock):
        """SOCK is ended with the server, if nobody did so before."""
        with self._keeping:
            self.socks = [s for s in self.socks if s.fileno() >= 0] + [sock]

    def wrap(self, sock):
        """SOCK under TLS with `certificate`, (certificate, key) files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        sock = context.wrap_socket(sock, server_side=True)
        self.keep(sock)
        return sock
