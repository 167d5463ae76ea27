"""dovecot.py - Dovecot as a server that mail is fetched from, in a folder of its own, on free loopback ports.

    with Dovecot() as peer:
        peer.fill("anna", [text, ...]); peer.imap_port, peer.imaps_port, peer.pop_port, peer.pops_port
        with peer.imap("anna") as box: ...

Accounts are whoever logs in with PASSWORD. It is used where it is installed; only what was started here is ended.
"""
import imaplib
import os
import pwd

from peers import Peer, Skip, free_ports, write

PROGRAM = "/usr/sbin/dovecot"
PASSWORD = "dovecot-word"
CONF = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/out
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 apop
mail_location = maildir:~/Maildir
first_valid_uid = 1
default_vsz_limit = 0
mail_max_userip_connections = 1000
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
pop3_uidl_format = %g
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {dir}/passwords
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop}
  }}
  inet_listener pop3s {{
    port = {pops}
  }}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service pop3-login {{
  chroot =
}}
service stats {{
  chroot =
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


class Dovecot(Peer):
    def __init__(self, accounts=("anna", "box")):
        if not os.path.exists(PROGRAM) or not os.path.exists("/usr/lib/dovecot/imap"):
            raise Skip("Dovecot is not installed (packages dovecot-imapd and dovecot-pop3d)")
        super().__init__()
        self.pop_port, self.pops_port = free_ports(2)
        self.imap_port, self.imaps_port, self.accounts = self.port, self.tls_port, accounts

    def __enter__(self):
        me = pwd.getpwuid(os.geteuid())
        root = os.geteuid() == 0
        uid = 64100 if root else me.pw_uid
        for sub in ("run", "state", "home"):
            os.makedirs(os.path.join(self.dir, sub), exist_ok=True)
        if root:
            os.chown(self.dir + "/home", uid, uid)
        write(self.dir + "/passwords", "".join("%s:{PLAIN}%s\n" % (name, PASSWORD) for name in self.accounts))
        write(self.dir + "/dovecot.conf", CONF.format(
            dir=self.dir, cert=self.cert, key=self.key, uid=uid, gid=uid if root else me.pw_gid, imap=self.imap_port,
            imaps=self.imaps_port, pop=self.pop_port, pops=self.pops_port, internal="dovecot" if root else me.pw_name,
            internal_group="dovecot" if root else me.pw_name, login="dovenull" if root else me.pw_name))
        self.launch([PROGRAM, "-F", "-c", self.dir + "/dovecot.conf"], dict(os.environ))
        return self

    def imap(self, account):
        box = imaplib.IMAP4("127.0.0.1", self.imap_port)
        box.login(account, PASSWORD)
        return box

    def fill(self, account, texts, folder="INBOX"):
        with self.imap(account) as box:
            if folder != "INBOX":
                box.create('"%s"' % folder)
            for text in texts:
                status, answer = box.append('"%s"' % folder, "", None, text)
                assert status == "OK", answer

    def left(self, account, folder="INBOX"):
        """[(text, flags)] of what is in the folder."""
        with self.imap(account) as box:
            box.select('"%s"' % folder, readonly=True)
            found = []
            for number in box.search(None, "ALL")[1][0].split():
                data = box.fetch(number, "(FLAGS BODY.PEEK[])")[1]
                flags = b" ".join(part if isinstance(part, bytes) else part[0] for part in data)
                found.append((data[0][1], set(flag.decode() for flag in imaplib.ParseFlags(flags))))
            return found
