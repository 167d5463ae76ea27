"""solid_pop3.py - Solid POP3, a server of Debian that is not Dovecot: no CAPA, no TLS, mailboxes that are maildirs.

    with SolidPop3() as peer:
        peer.fill([text, ...]); peer.port; peer.left() -> [text]

Its account is box with WORD. It is made for inetd, which a thread is here; its package is unpacked in build/peers, and who
there is, and with which password, are for libnss_wrapper and libpam_wrapper to say. Needs root: it becomes the user.
"""
import glob
import os
import socket
import subprocess
import threading

from peers import UNPACKED, Peer, Skip, program, write

WORD = "solid-word"
UID = 64100
CONF = """<Global>
MailDropName "%s/box"
MailDropType maildir
LogStatistics no
AddBulletins no
</Global>
"""
PAM = "".join("%s required {matrix} passdb={dir}/words\n" % kind for kind in ("auth", "account", "session"))


def library(package, name):
    found = glob.glob(os.path.join(UNPACKED, package, "usr/lib/*", name))
    if not found:
        raise Skip("%s is not there (./test unpacks it where there is a network)" % package)
    return found[0]


class SolidPop3(Peer):
    def __init__(self):
        self.program = program("solid-pop3d", "usr/sbin/solid-pop3d")
        self.wrapper = library("libpam-wrapper", "libpam_wrapper.so")
        self.libraries = os.path.dirname(library("liblockfile1", "liblockfile.so.1"))
        if os.geteuid() != 0:
            raise Skip("Solid POP3 wants root")
        super().__init__(UID)
        self.children, self.count = [], 0
        for sub in ("box/new", "box/cur", "box/tmp", "pam"):
            os.makedirs(os.path.join(self.dir, sub))
        self.own()
        matrix = os.path.join(os.path.dirname(self.wrapper), "pam_wrapper/pam_matrix.so")
        for service in ("solid-pop3d", "other"):
            write(self.dir + "/pam/" + service, PAM.format(matrix=matrix, dir=self.dir))
        write(self.dir + "/words", "box:%s:solid-pop3d\n" % WORD)
        write(self.dir + "/conf", CONF % self.dir)
        self.env = self.users(("root", 0, 0), ("spop3d", 65534, 65534), ("nobody", 65534, 65534), ("box", UID, UID))
        self.env.update(LD_PRELOAD="libnss_wrapper.so " + self.wrapper, LD_LIBRARY_PATH=self.libraries, PAM_WRAPPER="1",
                        PAM_WRAPPER_SERVICE_DIR=self.dir + "/pam")

    def own(self):
        for folder, _, files in os.walk(self.dir + "/box"):
            for name in [""] + files:
                os.chown(os.path.join(folder, name), UID, UID)

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer, open(self.dir + "/out", "ab") as out:
                self.children.append(subprocess.Popen([self.program, "-f", self.dir + "/conf"], stdin=peer, stdout=peer, stderr=out,
                                                      env=self.env, cwd=self.dir))

    def __exit__(self, *why):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for child in self.children:
            if child.poll() is None:
                child.terminate()
            child.wait()
        super().__exit__(*why)

    def fill(self, texts):
        for text in texts:
            self.count += 1
            with open("%s/box/new/%d.M%d.test" % (self.dir, 1000000000 + self.count, self.count), "wb") as f:
                f.write(text.replace(b"\r\n", b"\n"))
        self.own()

    def left(self):
        found = []
        for path in sorted(glob.glob(self.dir + "/box/new/*") + glob.glob(self.dir + "/box/cur/*")):
            with open(path, "rb") as f:
                found.append(f.read())
        return found
