"""peers.py - mail servers and a name server that are not ours, in folders of their own, on free loopback ports.

    with Exim(back_to=server.ports["smtp"]) as peer:
        ... peer.port, peer.tls_port ... peer.mails() -> [Arrived(recipients, text)] ... peer.log() ...

Their packages shut each other out and start services at once, so ./test unpacks them into build/peers instead of
installing them; users they ask for are those of libnss_wrapper. Only what was started here is ended.
"""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import namedtuple

from postroom import ROOT, Skip, free_ports, wait_for

UNPACKED = os.path.join(ROOT, "build", "peers")
PYTHON = "/usr/bin/python3"  # Debian's own, for packages of Debian
NAME = "mx.test"
NOBODY = 65534 if os.geteuid() == 0 else os.geteuid()  # whom a peer without root is
POSTFIX_UID, POSTDROP_GID = 64100, 64101
STOP_S = 10
TRACE = ("return-path", "envelope-to", "delivery-date", "received", "delivered-to", "x-original-to")

Arrived = namedtuple("Arrived", "recipients text")


def program(package, path):
    found = os.path.join(UNPACKED, package, path)
    if not os.path.exists(found):
        raise Skip("%s is not there (./test unpacks it where there is a network)" % package)
    return found


def certificate(folder, name=NAME):
    """A self-signed certificate, which is its own root: (certificate, key)."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "30",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name], check=True, capture_output=True)
    os.chmod(key, 0o644)  # of this test alone
    return cert, key


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def without_trace(data):
    """What arrived, without the fields that its way put in front; with CRLF."""
    text = re.sub(rb"\r?\n", b"\r\n", data)
    while True:
        field = re.match(rb"([!-9;-~]+):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", text)
        if not field or field[1].decode().lower() not in TRACE:
            return text
        text = text[field.end():]


def recipients_of(data):
    """Envelope-To of Exim, X-Original-To of Postfix."""
    head = re.sub(rb"\r?\n[ \t]+", b" ", data.split(b"\n\n")[0].split(b"\r\n\r\n")[0])
    found = re.search(rb"(?im)^(?:envelope-to|x-original-to): *([^\r\n]*)", head)
    return [a.strip() for a in found[1].decode("utf-8", "replace").split(",")] if found else []


class Peer:
    """Subclasses say how they are configured, started, and where their mail lies."""

    def __init__(self, uid=NOBODY):
        self.dir, self.uid, self.process = tempfile.mkdtemp(prefix="postroom-peer-"), uid, None
        os.chmod(self.dir, 0o755)
        self.port, self.tls_port = free_ports(2)
        self.cert, self.key = certificate(self.dir)

    def users(self, *names):
        """libnss_wrapper's idea of who there is: (name, uid, gid)."""
        write(self.dir + "/passwd", "".join("%s:x:%d:%d::/tmp:/bin/false\n" % row for row in names))
        write(self.dir + "/group", "".join("%s:x:%d:\n" % (name, gid) for name, _, gid in names) + "mail:x:8:\n")
        return {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": self.dir + "/passwd",
                "NSS_WRAPPER_GROUP": self.dir + "/group", "PATH": "/usr/bin:/bin"}

    def launch(self, command, env, uid=None):
        who = {} if uid is None or os.geteuid() != 0 else {"user": uid, "group": uid, "extra_groups": []}
        self.out = open(self.dir + "/out", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out, env=env,
                                        start_new_session=True, cwd=self.dir, **who)
        wait_for(lambda: self.process.poll() is not None or self.answers(), "a peer listens: " + self.log()[-800:], 30)
        if self.process.poll() is not None:
            raise RuntimeError("%s ended: %s" % (command[0], self.log()[-800:]))

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        text = ""
        for path in [self.dir + "/out"] + glob.glob(self.dir + "/log/*") + glob.glob(self.dir + "/mail.log"):
            with open(path, errors="replace") as f:
                text += f.read()
        return text

    def files(self):
        return sorted(glob.glob(self.dir + "/mail/**/new/*", recursive=True))

    def mails(self):
        found = []
        for path in self.files():
            with open(path, "rb") as f:
                data = f.read()
            found.append(Arrived(recipients_of(data), without_trace(data)))
        return found

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)  # the session that launch() began: its own children too
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


EXIM = """exim_path = {program}
spool_directory = {dir}/spool
log_file_path = {dir}/log/%s
pid_file_path = {dir}/pid
primary_hostname = mx.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
tls_advertise_hosts = *
tls_certificate = {dir}/cert.pem
tls_privatekey = {dir}/key.pem
chunking_advertise_hosts = {chunking}
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
message_size_limit = 25M
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
exim_user = nobody
exim_group = nobody
never_users =
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP : PATH
deliver_drop_privilege = true
rfc1413_query_timeout = 0s
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  deny local_parts = nobody
       message = 5.1.1 nobody here
  defer local_parts = later
       message = 4.2.1 not now
  deny sender_domains = example.test
       !authenticated = *
       condition = {wants_login}
       message = 5.7.1 log in first
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{u}}}}{{eq{{$auth3}}{{p w}}}}}}}}
  server_advertise_condition = ${{if def:tls_in_cipher}}
  server_set_id = $auth2
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{u}}{{p w}}fail}}
  server_set_id = $auth1
begin routers
back:
  driver = manualroute
  domains = example.test
  route_list = * 127.0.0.1
  self = send
  transport = back
gone:
  driver = redirect
  domains = gone.exim.test
  allow_fail
  data = :fail: this mailbox has gone
all:
  driver = accept
  transport = files
begin transports
back:
  driver = smtp
  port = {back_to}
  hosts_try_fastopen =
  allow_localhost
files:
  driver = appendfile
  directory = {dir}/mail
  create_directory
  maildir_format
  envelope_to_add
  return_path_add
  delivery_date_add
  batch_max = 1000
begin retry
* * F,1h,1s
"""


class Exim(Peer):
    """It wants a login (u, "p w") of senders at example.test; mail to gone.exim.test comes back, by BACK_TO."""

    def __init__(self, back_to=25, chunking="*", wants_login="yes"):
        self.program = program("exim4-daemon-light", "usr/sbin/exim4")
        super().__init__()
        write(self.dir + "/exim.conf", EXIM.format(program=self.program, dir=self.dir, port=self.port, tls_port=self.tls_port, back_to=back_to,
                                                   chunking=chunking, wants_login=wants_login))
        for folder in ("spool", "log", "mail"):
            os.mkdir(os.path.join(self.dir, folder))
            os.chown(os.path.join(self.dir, folder), self.uid, self.uid)
        os.chown(self.dir, self.uid, self.uid)

    def __enter__(self):
        env = self.users(("Debian-exim", self.uid, self.uid), ("nobody", self.uid, self.uid))
        self.launch([self.program, "-C", self.dir + "/exim.conf", "-bdf", "-q3s"], env, self.uid)
        return self


MAIN_CF = """compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = {top}/usr/sbin
daemon_directory = {top}/usr/lib/postfix/sbin
shlib_directory = {top}/usr/lib/postfix
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
import_environment = LD_PRELOAD LD_LIBRARY_PATH NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP MAIL_CONFIG PATH
myhostname = mx.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = postfix.test, mx.postfix.test, implicit.postfix.test
virtual_mailbox_maps = static:box/
virtual_mailbox_base = {dir}/mail
virtual_uid_maps = static:64100
virtual_gid_maps = static:64100
virtual_mailbox_limit = 0
message_size_limit = 26214400
smtpd_tls_security_level = {tls}
smtpd_tls_cert_file = {dir}/cert.pem
smtpd_tls_key_file = {dir}/key.pem
smtpd_recipient_restrictions = check_recipient_access inline:{{{{nobody@postfix.test=550 5.1.1 nobody here}}}}, permit
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_discard_ehlo_keywords = {without}
smtpd_client_connection_rate_limit = 0
smtputf8_enable = yes
transport_maps = inline:{{{{gone.postfix.test=error:5.1.1 this mailbox has gone}}}}
relayhost = [127.0.0.1]:{back_to}
"""
MASTER_CF = """{port} inet n - n - - smtpd
{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Peer):
    """Mail for postfix.test lies in files; that to gone.postfix.test comes back, by BACK_TO. Needs root."""

    def __init__(self, back_to=25, without="", tls="may"):
        self.program = program("postfix", "usr/lib/postfix/sbin/master")
        if os.geteuid() != 0:
            raise Skip("a Postfix of one's own wants root")
        super().__init__()
        names = {"dir": self.dir, "top": os.path.join(UNPACKED, "postfix"), "port": self.port, "tls_port": self.tls_port,
                 "back_to": back_to, "without": without, "tls": tls}
        os.mkdir(self.dir + "/conf")
        write(self.dir + "/conf/main.cf", MAIN_CF.format(**names))
        write(self.dir + "/conf/master.cf", MASTER_CF.format(**names))
        self.make_queue()

    def make_queue(self):
        def folder(name, mode, gid=0, uid=POSTFIX_UID):
            os.makedirs(os.path.join(self.dir, name))
            os.chown(os.path.join(self.dir, name), uid, gid)
            os.chmod(os.path.join(self.dir, name), mode)
        folder("queue", 0o755, uid=0)
        folder("queue/pid", 0o755, uid=0)
        for name in "incoming active bounce defer deferred flush trace corrupt hold private saved".split():
            folder("queue/" + name, 0o700)
        folder("queue/maildrop", 0o730, POSTDROP_GID)
        folder("queue/public", 0o710, POSTDROP_GID)
        folder("data", 0o700)
        folder("mail", 0o755)

    def __enter__(self):
        env = self.users(("root", 0, 0), ("postfix", POSTFIX_UID, POSTFIX_UID), ("postdrop", POSTDROP_GID, POSTDROP_GID),
                         ("nobody", 65534, 65534))
        env.update(LD_LIBRARY_PATH=os.path.join(UNPACKED, "postfix/usr/lib/postfix"), MAIL_CONFIG=self.dir + "/conf")
        self.launch([self.program, "-d"], env)
        return self


AIOSMTPD = '''
import json, os, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP
folder, port, size, clear = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "clear"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=mechanism in ("PLAIN", "LOGIN") and data.login == b"u" and data.password == b"p w")
class Handler:
    count = 0
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        Handler.count += 1
        base = "%s/mail/%05d" % (folder, Handler.count)
        with open(base + ".raw", "wb") as f:
            f.write(envelope.original_content)
        with open(base + ".new", "w") as f:
            json.dump({"recipients": envelope.rcpt_tos, "sender": envelope.mail_from, "options": envelope.mail_options}, f)
        os.rename(base + ".new", base + ".json")
        return "250 2.0.0 taken"
class C(Controller):
    def factory(self):
        more = {} if clear else dict(tls_context=context, require_starttls=True, authenticator=login, auth_required=True)
        return SMTP(self.handler, hostname="mx.test", data_size_limit=size, enable_SMTPUTF8=True, **more)
C(Handler(), hostname="127.0.0.1", port=port).start()
while True:
    time.sleep(60)
'''


class Aiosmtpd(Peer):
    """python3-aiosmtpd: a login (u, "p w") under STARTTLS, or CLEAR; no PIPELINING, no CHUNKING, no DSN."""

    def __init__(self, size=30 << 20, clear=False):
        if subprocess.run([PYTHON, "-c", "import aiosmtpd"], capture_output=True).returncode != 0:
            raise Skip("python3-aiosmtpd is not installed")
        super().__init__()
        self.size, self.clear = size, clear
        os.mkdir(self.dir + "/mail")
        write(self.dir + "/server.py", AIOSMTPD)

    def __enter__(self):
        self.launch([PYTHON, self.dir + "/server.py", self.dir, str(self.port), str(self.size), "clear" if self.clear else "tls"],
                    dict(os.environ))
        return self

    def mails(self):
        found = []
        for path in sorted(glob.glob(self.dir + "/mail/*.json")):
            with open(path) as f, open(path[:-5] + ".raw", "rb") as raw:
                found.append(Arrived(json.load(f)["recipients"], without_trace(raw.read())))
        return found


NSD = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  zonesdir: "{dir}"
  zonelistfile: "{dir}/zone.list"
  xfrdfile: ""
  database: ""
  pidfile: "{dir}/pid"
  xfrdir: "{dir}"
  logfile: "{dir}/out"
  server-count: 1
  hide-version: yes
  round-robin: no
  ipv4-edns-size: 512
  minimal-responses: no
remote-control:
  control-enable: no
"""


class Nsd(Peer):
    """NSD with ZONES, {name: text}; a zone whose text is None is one whose file is missing: SERVFAIL."""

    def __init__(self, zones):
        self.program = program("nsd", "usr/sbin/nsd")
        super().__init__()
        self.address = "127.0.0.1:%d" % self.port
        text = NSD.format(dir=self.dir, port=self.port)
        for name, zone in zones.items():
            text += 'zone:\n  name: "%s"\n  zonefile: "%s.zone"\n' % (name, name)
            if zone is not None:
                write("%s/%s.zone" % (self.dir, name), "$ORIGIN %s.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n"
                      "ns A 127.0.0.1\n%s" % (name, zone))
        write(self.dir + "/nsd.conf", text)

    def __enter__(self):
        self.launch([self.program, "-d", "-c", self.dir + "/nsd.conf"], dict(os.environ))
        return self
