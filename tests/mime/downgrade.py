#!/usr/bin/env python3
"""downgrade.py - messages made 7-bit for servers without 8BITMIME, read by a second implementation: TAP.

corpus.py writes hard messages; each is taken once as it is and once with 8-bit bytes in each of its leaves. What
build/mime/downgrade makes of it is 7-bit, and python's email package finds the same parts with the same bytes in them.
"""
import email
import email.policy
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("POSTROOM_BUILD", os.path.join(HERE, "..", "..", "build"))

# The other one takes many seconds for these, or gives up.
TOO_DEEP = r"-nested-(multipart-(1000|5000)|rfc822-1000|mixed-200)\.|-recipients-100000|-address-14\."
# It sees other parts than we do (run.py says why ours are right), so it cannot be the judge of what is in them.
OTHER_PARTS = (r"-boundary-(bare-cr|mixed-eol|8bit|nul|same-inner-outer|comment|unclosed-quote)\.|-all-bare-|-header-bare-cr\.|"
               r"-header-lf-body-crlf\.|-(one-char|only-nul|only-dot|no-headers-text|mbox-gt-from-line|header-name-nul|"
               r"header-space-colon|header-no-colon)\.|-fuzz-|-ctype-(2|3|4|10|11|12|13|14|15)\.|-parts-(empty|10000)\.")

MIXED = b"MIME-Version: 1.0\r\nContent-Type: multipart/%s; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
GREEK = "\u03b3\u03b5\u03b9\u03ac ".encode() * 30
# name, message, what becomes of it: the encodings of its leaves, or why it cannot be
CASES = [
    ("a text of few 8-bit bytes", TEXT + "Gr\u00fc\u00dfe = \r\n blank \r\n\ttab\t\r\n.dot\r\n".encode(), ["quoted-printable"]),
    ("a text of many", TEXT + GREEK + b"\r\n", ["base64"]),
    ("no MIME at all", b"Subject: x\r\n\r\nGr\xfc\xdfe\r\n", ["quoted-printable"]),
    ("long lines and no line end", TEXT + b"\xe9" + b"x" * 5000, ["quoted-printable"]),
    ("a picture", b"MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
     bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"") * 9, ["base64"]),
    ("two parts, one of them 8-bit", MIXED % b"mixed" + b"--b\r\n" + TEXT + b"gr\xc3\xbc\xc3\x9fe \r\n--b\r\n" + TEXT + b"plain\r\n--b--\r\n",
     ["quoted-printable", "7bit"]),
    ("what nobody reads", MIXED % b"mixed" + b"Pr\xe9\r\n--b\r\n\r\nplain\r\n--b--\r\n\xc9pi\r\n", [None]),
    ("a message inside", MIXED % b"mixed" + b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
     b"Subject: in\r\n" + TEXT + b"gr\xc3\xbc\xc3\x9fe\r\n--b--\r\n", ["quoted-printable"]),
    ("a digest", MIXED % b"digest" + b"--b\r\n\r\nSubject: in\r\n\r\ngr\xc3\xbc\xc3\x9fe\r\n--b--\r\n", ["quoted-printable"]),
    ("signed, all ASCII", MIXED % b"signed" + b"--b\r\n" + TEXT + b"plain\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n"
     b"sig\r\n--b--\r\n", ["8bit", None]),
    ("beside a signed one", MIXED % b"mixed" + b"--b\r\n" + (MIXED % b"signed").replace(b"=b", b"=c") +
     b"--c\r\n" + TEXT + b"plain\r\n--c\r\n\r\nsig\r\n--c--\r\n--b\r\n" + TEXT + b"gr\xc3\xbc\xc3\x9fe\r\n--b--\r\n",
     ["8bit", None, "quoted-printable"]),
    ("signed and 8-bit", MIXED % b"signed" + b"--b\r\n" + TEXT + b"gr\xc3\xbc\xc3\x9fe\r\n--b\r\n\r\nsig\r\n--b--\r\n", "signed"),
    ("signed deeper", MIXED % b"signed" + b"--b\r\n" + (MIXED % b"mixed").replace(b"=b", b"=c") + b"--c\r\n" + TEXT +
     b"gr\xc3\xbc\r\n--c--\r\n--b\r\n\r\nsig\r\n--b--\r\n", "signed"),
    ("encrypted", MIXED % b"encrypted" + b"--b\r\n\r\n\xff\r\n--b--\r\n", "encrypted"),
    ("S/MIME", b"MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n\xff\r\n", "signed"),
    ("it says base64 and is not", b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n\xff\r\n", "says it is encoded"),
    ("a piece of a message", b"MIME-Version: 1.0\r\nContent-Type: message/partial; id=a; number=1\r\n\r\n\xff\r\n", "must not be encoded"),
]

failed = count = 0


def check(name, good, detail=None):
    global failed, count
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and detail is not None:
        print("#   " + str(detail).replace("\n", "\n#   "))


def made_of(paths):
    """What build/mime/downgrade says of each file: (text or None, why not, has it an 8-bit header)."""
    out = subprocess.run([os.path.join(BUILD, "mime", "downgrade")] + paths, stdout=subprocess.PIPE, check=True).stdout
    found, at, header = {}, 0, False
    while at < len(out):
        end = out.index(b"\n", at)
        word, _, rest = out[at:end].partition(b" ")
        at = end + 1
        if word == b"FILE":
            name, header = os.path.basename(rest.decode()), False
        elif word == b"HEADER":
            header = True
        elif word == b"CANNOT":
            found[name] = (None, rest.decode(), header)
        else:
            found[name] = (out[at:at + int(rest)], None, header)
            at += int(rest) + 1
    return found


def leaves(path):
    """Where the leaves of a message lie: (offset, size)."""
    out = subprocess.run([os.path.join(BUILD, "mime", "derive"), path], stdout=subprocess.PIPE, check=True).stdout
    return [(int(m[1]), int(m[2])) for m in re.finditer(rb"^PART \S* 0 \d+ \d+ (\d+) (\d+) \d+$", out, re.M)]


def with_8bit(path):
    """The same message with 8-bit bytes for some of the letters of its leaves."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    for offset, size in leaves(path):
        for i in range(offset, min(offset + size, offset + 100000)):
            if (i - offset) % 5 in (0, 3) and chr(data[i]).isalpha() and data[i] < 0x80:
                data[i] |= 0x80
    return bytes(data)


def parts(data):
    """(type, bytes it decodes to) of each part, in order."""
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    return [(p.get_content_type(), None if p.is_multipart() else p.get_payload(decode=True)) for p in message.walk()]


def body_of(data):
    return data.split(b"\r\n\r\n", 1)[-1] if not data.startswith(b"\r\n") else data[2:]


def faults(name, data, made):
    """What is wrong with MADE of DATA."""
    text, why, has_header = made
    if text is None:
        return [] if not data.isascii() else ["refused although it is ASCII: " + why]
    if data.isascii() and text != data:
        return ["changed although it is ASCII"]
    found = []
    if not has_header and not text.isascii():
        found.append("8-bit bytes are left")
    if re.search(TOO_DEEP, name) or re.search(OTHER_PARTS, name) or has_header:
        return found
    sys.setrecursionlimit(20000)
    before, after = parts(data), parts(text)
    if before != after:
        found.append("parts: %r\nbecame %r" % (str(before)[:400], str(after)[:400]))
    return found


def run_cases(place):
    paths = []
    for number, (_, data, _) in enumerate(CASES):
        paths.append(os.path.join(place, "case-%02d.eml" % number))
        with open(paths[-1], "wb") as f:
            f.write(data)
    made = made_of(paths)
    for path, (name, data, want) in zip(paths, CASES):
        text, why, _ = made[os.path.basename(path)]
        if isinstance(want, str):
            check(name, text is None and want in why, made[os.path.basename(path)])
            continue
        found = faults(name, data, made[os.path.basename(path)])
        have = text and [p["content-transfer-encoding"] for p in email.message_from_bytes(text).walk() if not p.is_multipart()]
        check(name, not found and have == want, "%r %r %r" % (found, have, text))
        check(name + ": no line is too long", text is None or max(map(len, text.split(b"\r\n"))) <= 998)
        if b"signed" not in data:
            check(name + ": nothing says 8bit any more", not re.search(rb"(?i)encoding: (8bit|binary)", text), text)


def main():
    with tempfile.TemporaryDirectory(prefix="postroom-mime-") as place:
        run_cases(place)
        plain, bent = os.path.join(place, "plain"), os.path.join(place, "bent")
        os.mkdir(bent)
        subprocess.run([sys.executable, os.path.join(HERE, "corpus.py"), plain], check=True, stdout=subprocess.DEVNULL)
        changed = 0
        for folder in (plain, os.path.join(plain, "big")):
            names = sorted(f for f in os.listdir(folder) if f.endswith(".eml"))
            for name in names if folder == plain else ():
                with open(os.path.join(bent, name), "wb") as f:
                    f.write(with_8bit(os.path.join(folder, name)))
            for where in (folder, bent) if folder == plain else (folder,):
                made = made_of([os.path.join(where, name) for name in names])
                for name in names:
                    with open(os.path.join(where, name), "rb") as f:
                        data = f.read()
                    found = faults(name, data, made[name])
                    changed += where == bent and made[name][0] not in (None, data)
                    check("%s %s" % (os.path.basename(where), name), not found, "\n".join(found))
        check("most of them are changed", changed > 150, changed)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
