#!/usr/bin/env python3
"""run.py - ENVELOPE and BODYSTRUCTURE of hard messages beside a second implementation: TAP.

corpus.py writes the messages; build/mime/derive says what the server makes of them; python's email package says
what it makes of the same bytes. They agree, or the message is named in REASONS with why ours is right.
"""
import email
import email.policy
import email.utils
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("POSTROOM_BUILD", os.path.join(HERE, "..", "..", "build"))

# Why the two differ, by a pattern of names. A reason that nobody needs is a failure.
REASONS = [
    (r"-nested-(multipart-(99|1..|200|1000|5000)|rfc822-(200|1000)|mixed-(64|200))\.|-parts-10000\.",
     "H8: 50 levels and 10,000 parts, the rest is one leaf"),
    (r"-boundary-(no-boundary|empty-boundary|len71|len1000|len100000)\.",
     "H8: a boundary has 1 to 70 bytes (RFC 2046, 5.1.1), else it is text"),
    (r"-parts-empty\.", "each boundary begins a part, of no bytes too; the other one drops one of two"),
    (r"-boundary-same-inner-outer\.", "the innermost multipart takes the line (RFC 2046, 5.1.2)"),
    (r"-boundary-(unclosed-quote|comment)\.|-ctype-(8|20|21|22)\.|-cte-1[89]\.|-param-(13|15|17|18|24)\.",
     "quotes, comments and folds are read by RFC 2045, 5.1 and RFC 5322, 3.2; the other one knows none there, and "
     "counts a parameter without name or value"),
    (r"-boundary-(8bit|nul)\.|-header-name-8bit\.|-param-22\.|-ctype-17\.|-address-34\.",
     "8-bit bytes or NUL in the structure: the other one gives up, or keeps NUL, which no reply may have"),
    (r"-boundary-(bare-cr|mixed-eol)\.|-all-bare-|-header-lf-body-crlf\.|-header-bare-cr\.",
     "a line ends with CRLF or LF, a header with CRLF CRLF; the other one also takes CR alone"),
    (r"-(one-char|only-nul|only-dot|no-headers-text|mbox-gt-from-line|header-name-nul|header-space-colon|"
     r"header-no-colon)\.", "a header ends at its empty line; the other one ends it at the first line that is no field"),
    (r"-recipients-100000|-address-(31|32)\.|-rfc2047-17\.|-param-(19|25)\.|-ctype-16\.",
     "H7, H8: 10,000 addresses, 64 KiB of a field and 100 parameters are looked at"),
    (r"-param-(2|3|7|8|9)\.", "RFC 2231 goes to the client as it is written; the other one joins what it can"),
    (r"-ctype-(2|3|4|10)\.", "type and subtype have both a letter (RFC 2045, 5.1), else it is text/plain (5.2)"),
    (r"-ctype-(11|15)\.", "the message inside has lines that are no fields, and no body before its empty line"),
    (r"-ctype-(12|13|14)\.|-fuzz-(14|26)\.",
     "only message/rfc822 and message/global are messages inside (RFC 9051, 9: body-type-msg)"),
    (r"-address-(1|2|3|4|5|9|12|13|14|15|18|22|29|41)\.",
     "no address (RFC 5322, 3.4): ours says what stands there, the other one drops, adds or joins parts of it"),
    (r"-fuzz-([0-9]|1[0-9]|2[0-9]|3[0-9])\.",
     "random damage of lines of a header: what is no field is passed over, and CR alone ends no line"),
]

# The other one takes many seconds for these; they are H8 and H7, and ours is looked at all the same.
TOO_SLOW = r"-nested-(multipart-(1000|5000)|rfc822-1000|mixed-200)\.|-recipients-100000|-address-14\."

failed = count = 0


def check(name, good, detail=None):
    global failed, count
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and detail is not None:
        print("#   " + str(detail).replace("\n", "\n#   "))


# ---- ours ----

class Reader:
    """Values of the wire: lists, strings, literals, NIL, numbers."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def value(self):
        data = self.data
        while data[self.at:self.at + 1] == b" ":
            self.at += 1
        c = data[self.at:self.at + 1]
        if c == b"(":
            return self.list()
        if c == b'"':
            end = self.at + 1
            while data[end] != 0x22:
                end += 2 if data[end] == 0x5c else 1
            text = data[self.at + 1:end]
            self.at = end + 1
            return re.sub(rb"\\(.)", rb"\1", text, flags=re.S)
        if c == b"{":
            end = data.index(b"}\r\n", self.at)
            size = int(data[self.at + 1:end])
            self.at = end + 3 + size
            return data[end + 3:self.at]
        word = re.compile(rb"[^ ()]+").match(data, self.at)
        self.at = word.end()
        return None if word.group() == b"NIL" else int(word.group())

    def list(self):
        """No recursion: the deepest is what the server's own limit lets through."""
        stack = [[]]
        self.at += 1
        while True:
            c = self.data[self.at:self.at + 1]
            if c == b"(":
                stack.append([])
                self.at += 1
            elif c == b")":
                self.at += 1
                done = stack.pop()
                if not stack:
                    return done
                stack[-1].append(done)
            elif c == b" ":
                self.at += 1
            else:
                stack[-1].append(self.value())


def ours_of(paths):
    """What build/mime/derive says of each file."""
    out = subprocess.run([os.path.join(BUILD, "mime", "derive")] + paths, stdout=subprocess.PIPE, check=True).stdout
    found, at = {}, 0
    while at < len(out):
        end = out.index(b"\n", at)
        words = out[at:end].split(b" ")
        at = end + 1
        if words[0] == b"FILE":
            current = found[os.path.basename(words[1].decode())] = {}
        elif words[0] in (b"ENVELOPE", b"BODY", b"BODYSTRUCTURE", b"FIELD"):
            size = int(words[-1])
            current[b" ".join(words[:-1]).decode()] = out[at:at + size]
            at += size + 1
    return found


def params_of(value):
    found, pairs = {}, value or []
    for i in range(0, len(pairs), 2):
        found.setdefault(pairs[i].lower(), pairs[i + 1])
    return found


def our_tree(s):
    """(type, params, encoding, disposition, size, children) of a BODYSTRUCTURE."""
    if isinstance(s[0], list):
        children = [c for c in s if isinstance(c, list)]
        last = next(i for i, c in enumerate(s) if not isinstance(c, list))
        children = s[:last]
        return (b"multipart/" + s[last].lower(), params_of(s[last + 1]), None, disposition_of(s[last + 2]), None,
                [our_tree(c) for c in children])
    kind = s[0].lower() + b"/" + s[1].lower()
    at, children = 7, []
    if kind in (b"message/rfc822", b"message/global") and isinstance(s[7], list):
        children, at = [our_tree(s[8])], 10
    elif s[0].lower() == b"text":
        at = 8
    return (kind, params_of(s[2]), s[5].lower(), disposition_of(s[at + 1]), s[6], children)


def disposition_of(value):
    return value and (value[0].lower(), params_of(value[1]))


def our_envelope(s):
    lists = [[tuple(a) for a in s[i] or []] for i in (2, 5, 6, 7)]
    return {"date": s[0], "subject": s[1], "from": lists[0], "to": lists[1], "cc": lists[2], "bcc": lists[3],
            "in-reply-to": s[8], "message-id": s[9]}


# ---- theirs ----

def raw(text):
    return text.encode("ascii", "surrogateescape") if text is not None else None


def utf8(data):
    """As ours says bytes that are none: windows-1252."""
    try:
        data.decode("utf-8")
        return data
    except UnicodeDecodeError:
        return re.sub(rb"[\x80-\xff]", lambda m: m.group().decode("cp1252", "replace").encode(), data)


def unfolded(value):
    return None if value is None else utf8(re.sub(rb"[\r\n\0]", b"", raw(str_of(value)))).strip(b" \t")


def str_of(value):
    return value if isinstance(value, str) else str(value.encode() if hasattr(value, "encode") else value)


def header_of(message, name):
    for key, value in message._headers:
        if key.lower() == name:
            return value
    return None


def their_params(message, header):
    found = {}
    for name, value in (message.get_params(header=header, unquote=True) or [])[1:]:
        if isinstance(value, tuple):
            value = "2231"
        name = re.sub(r"^.*\((.*\))?", "", name).strip() or name
        found.setdefault(raw(name.lower()), unfolded(value))
    return found


def their_tree(message):
    kind = raw(message.get_content_type())
    disposition = message.get_content_disposition()
    disposition = disposition and (raw(disposition), their_params(message, "content-disposition"))
    params = their_params(message, "content-type") if "content-type" in message else {}
    if message.is_multipart() and kind.startswith(b"multipart/"):
        return (kind, params, None, disposition, None, [their_tree(p) for p in message.get_payload()])
    if kind.startswith(b"multipart/") and params.get(b"boundary"):  # a multipart must have a part (RFC 9051, 9)
        return (kind, params, None, disposition, None, [(b"text/plain", {}, b"7bit", None, 0, [])])
    encoding = header_of(message, "content-transfer-encoding")
    encoding = (raw(str_of(encoding)).strip().lower() if encoding is not None else b"") or b"7bit"
    if message.is_multipart():
        return (kind, params, encoding, disposition, None, [their_tree(message.get_payload()[0])])
    return (kind, params, encoding, disposition, len(raw(message._payload)), [])


def their_addresses(message, name):
    value = header_of(message, name)
    if value is None:
        return []
    found = []
    for display, address in email.utils.getaddresses([re.sub("[\r\n]", "", str_of(value))]):
        local, _, host = address.rpartition("@") if "@" in address else (address, "", "")
        if local.startswith('"'):
            local = re.sub(r"\\(.)", r"\1", local[1:-1])
        if not address:  # nobody
            continue
        found.append((utf8(raw(display)) or None, None, utf8(raw(local)), utf8(raw(host))))
    return found


def their_envelope(message):
    out = {name: unfolded(header_of(message, name)) for name in ("date", "subject", "in-reply-to", "message-id")}
    out.update({name: their_addresses(message, name) for name in ("from", "to", "cc", "bcc")})
    return out


# ---- both ----

def comparable(tree):
    """Without what the two are free to say in their own way: RFC 2231, a charset that nobody named."""
    kind, params, encoding, disposition, size, children = tree

    def plain(found):
        found = {n: v for n, v in found.items() if not (n == b"boundary" and kind.startswith(b"multipart/"))}
        names = {re.sub(rb"\*.*", b"", n) for n in found if b"*" in n}
        return {n: v for n, v in found.items() if b"*" not in n and n not in names and v != b"2231"}

    params = plain(params)
    if kind == b"text/plain" and params.get(b"charset") == b"us-ascii":
        del params[b"charset"]
    if disposition:
        disposition = (disposition[0], plain(disposition[1]))
    return (kind, params, encoding, disposition, size if kind not in (b"message/rfc822", b"message/global") else None,
            [comparable(c) for c in children])


def depth_of(tree):
    deep, level = 0, [tree]
    while level:
        deep += 1
        level = [c for t in level for c in t[5]]
    return deep


def groups_gone(addresses):
    """email.utils tells no groups."""
    return [a for a in addresses if a[3] is not None and a != (None, None, None, None)]


def differences(name, ours, data):
    if re.search(TOO_SLOW, name):
        return ["not asked"] if our_tree(Reader(ours["BODYSTRUCTURE"]).value()) else []
    sys.setrecursionlimit(20000)
    try:
        message = email.message_from_bytes(data, policy=email.policy.compat32)
        theirs, envelope = comparable(their_tree(message)), their_envelope(message)
    except Exception as e:  # the other one gave up
        return ["the other one: %s: %s" % (type(e).__name__, e)]
    found = []
    mine = comparable(our_tree(Reader(ours["BODYSTRUCTURE"]).value()))
    if mine != theirs:
        found.append("structure: ours %r, theirs %r" % (str(mine)[:300], str(theirs)[:300]))
    mine = our_envelope(Reader(ours["ENVELOPE"]).value())
    for field in sorted(envelope):
        a, b = mine[field], envelope[field]
        if isinstance(b, list):
            a = [(d, None, l, h) for d, _, l, h in groups_gone(a)]
        if a != b:
            found.append("%s: ours %r, theirs %r" % (field, str(a)[:200], str(b)[:200]))
    return found


def body_is_shorter_bodystructure(ours):
    """BODY is BODYSTRUCTURE without what may follow."""
    def strip(s):
        if isinstance(s[0], list):
            last = next(i for i, c in enumerate(s) if not isinstance(c, list))
            return [strip(c) for c in s[:last]] + [s[last]]
        kind = (s[0] + b"/" + s[1]).lower()
        if kind in (b"message/rfc822", b"message/global") and isinstance(s[7], list):
            return s[:8] + [strip(s[8]), s[9]]
        return s[:8] if s[0].lower() == b"text" else s[:7]
    return strip(Reader(ours["BODYSTRUCTURE"]).value()) == Reader(ours["BODY"]).value()


def main():
    with tempfile.TemporaryDirectory(prefix="postroom-mime-") as place:
        subprocess.run([sys.executable, os.path.join(HERE, "corpus.py"), place], check=True,
                       stdout=subprocess.DEVNULL)
        paths = sorted(os.path.join(folder, f) for folder, _, files in os.walk(place) for f in files)
        ours = ours_of(paths)
        check("a record for each of %d messages" % len(paths), len(ours) == len(paths) > 300)
        shorter = [n for n in ours if not body_is_shorter_bodystructure(ours[n])]
        check("BODY is BODYSTRUCTURE without its extensions", not shorter, shorter)
        used = set()
        for path in paths:
            name = os.path.basename(path)
            with open(path, "rb") as f:
                found = differences(name, ours[name], f.read())
            reason = next((r for r in REASONS if re.search(r[0], name)), None)
            if found and reason:
                used.add(reason)
                print("# %s: %s" % (name, reason[1]))
                found = []
            check(name, not found, "\n".join(found))
        check("each reason is needed", used == set(REASONS), [r for r in REASONS if r not in used])
        agree = len(paths) - sum(1 for p in paths if any(re.search(r[0], os.path.basename(p)) for r in REASONS))
        check("most agree", agree > 180, agree)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
