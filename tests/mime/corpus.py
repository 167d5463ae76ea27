#!/usr/bin/env python3
"""corpus.py - writes some 300 hard messages into a folder: corpus.py OUTDIR [SEED]

The same for the same seed. Each file NNN-name.eml is octets as they would come in by APPEND; big/ holds the few
that are over 1 MB. Nesting, boundaries, line ends, addresses, encoded words, parameters, types, encodings,
dates, and random damage to a good message.
"""
import base64
import os
import random
import sys

out, seed = (sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
rnd = random.Random(seed)
os.makedirs(os.path.join(out, 'big'), exist_ok=True)
N = 0
H = b'From: Torture <torture@example.org>\r\nTo: victim@example.net\r\nDate: Mon, 07 Feb 1994 21:52:25 -0800\r\nMessage-ID: <%d@example.org>\r\nSubject: %s\r\nMIME-Version: 1.0\r\n'

def put(name, data, big=False):
    global N
    N += 1
    d = os.path.join(out, 'big') if big or len(data) > 1 << 20 else out
    with open(os.path.join(d, '%03d-%s.eml' % (N, name)), 'wb') as f:
        f.write(data)

def m(name, hdr=b'', body=b'', head=None, big=False):
    put(name, (H % (N, name.encode()) if head is None else head) + hdr + b'\r\n' + body, big)

def mp(b, *parts, sub=b'mixed', close=True, pre=b'', epi=b'', nl=b'\r\n'):
    x = pre + b''.join((nl * (1 if i or pre else 0) + b'--' + b + nl + p for i, p in enumerate(parts)))
    return x + (nl + b'--' + b + b'--' + nl if close else b'') + epi

def ct(b, sub=b'mixed', q=True):
    return b'Content-Type: multipart/' + sub + b'; boundary=' + (b'"' + b + b'"' if q else b) + b'\r\n'
T = b'Content-Type: text/plain\r\n\r\nbody text'

def nest(d):
    x = T
    for i in range(d):
        b = b'n%d' % i
        x = ct(b) + b'\r\n' + mp(b, x, close=True)
    return x
for d in (1, 2, 5, 10, 20, 50, 99, 100, 101, 200):
    put('nested-multipart-%d' % d, H % (d, b'nest') + nest(d))
put('nested-multipart-1000', H % (0, b'nest') + nest(1000))
put('nested-multipart-5000', H % (0, b'nest') + nest(5000), True)

def nest822(d):
    x = b'Subject: inner\r\nFrom: i@x\r\n\r\ninnermost'
    for i in range(d):
        x = b'Subject: level %d\r\nContent-Type: message/rfc822\r\n\r\n' % i + x
    return x
for d in (1, 2, 10, 50, 200, 1000):
    put('nested-rfc822-%d' % d, b'From: a@b\r\nMIME-Version: 1.0\r\n' + nest822(d))

def mix(d):
    x = T
    for i in range(d):
        b = b'mx%d' % i
        x = ct(b, [b'mixed', b'alternative', b'digest', b'parallel', b'related'][i % 5]) + b'\r\n' + mp(b, x,
            T) if i % 2 else b'Content-Type: message/rfc822\r\n\r\nSubject: s%d\r\n' % i + x
    return x
for d in (4, 16, 64, 200):
    put('nested-mixed-%d' % d, H % (0, b'mix') + mix(d))
m('parts-10000', ct(b'p'), mp(b'p', *[b'\r\nx'] * 10000))
m('parts-1000-typed', ct(b'p'), mp(b'p', *[T] * 1000))
m('parts-0', ct(b'p'), b'')
m('parts-only-close', ct(b'p'), b'--p--\r\n')
m('parts-empty', ct(b'p'), b'--p\r\n--p\r\n--p--\r\n')
for n, h, b in [('no-boundary', b'Content-Type: multipart/mixed\r\n', mp(b'x', T)), ('empty-boundary',
    b'Content-Type: multipart/mixed; boundary=""\r\n', mp(b'', T)), ('never-closed', ct(b'b'), mp(b'b', T, T,
    close=False)), ('never-opened', ct(b'b'), b'no boundary line here\r\n'), ('trailing-space', ct(b'b'),
    b'--b  \t\r\n' + T + b'\r\n--b--   \r\n'), ('prefix', ct(b'b'), mp(b'b',
    b'Content-Type: text/plain\r\n\r\n--bb\r\n--b-\r\n --b\r\nx')), ('same-inner-outer', ct(b'b'), mp(b'b',
    ct(b'b') + b'\r\n' + mp(b'b', T), T)), ('inner-prefix-of-outer', ct(b'abc'), mp(b'abc', ct(b'ab') +
    b'\r\n' + mp(b'ab', T), T)), ('outer-prefix-of-inner', ct(b'ab'), mp(b'ab', ct(b'abc') + b'\r\n' +
    mp(b'abc', T), T)), ('inner-not-closed', ct(b'o'), mp(b'o', ct(b'i') + b'\r\n' + mp(b'i', T, close=False),
    T)), ('len70', ct(b'b' * 70), mp(b'b' * 70, T)), ('len71', ct(b'b' * 71), mp(b'b' * 71, T)), ('len1000',
    ct(b'b' * 1000), mp(b'b' * 1000, T)), ('len100000', ct(b'b' * 100000), mp(b'b' * 100000, T)), ('specials',
    ct(b"'()+_,-./:=? x"), mp(b"'()+_,-./:=? x", T)), ('unquoted-specials', ct(b'a=b?c', q=False),
    mp(b'a=b?c', T)), ('8bit', ct(b'b\xe9\xff'), mp(b'b\xe9\xff', T)), ('escaped',
    b'Content-Type: multipart/mixed; boundary="a\\"b"\r\n', mp(b'a"b', T)), ('unclosed-quote',
    b'Content-Type: multipart/mixed; boundary="abc\r\n', mp(b'abc', T)), ('comment',
    b'Content-Type: multipart/mixed (comment (nested)); (x) boundary (y) = (z) abc (w)\r\n', mp(b'abc', T)),
    ('folded', b'Content-Type: multipart/mixed;\r\n\tboundary\r\n\t=\r\n "abc"\r\n', mp(b'abc', T)),
    ('rfc2231', b'Content-Type: multipart/mixed; boundary*0=ab; boundary*1=cd\r\n', mp(b'abcd', T)), ('twice',
    b'Content-Type: multipart/mixed; boundary=a; boundary=b\r\n', mp(b'b', mp(b'a', T))), ('bare-lf',
    ct(b'b'), mp(b'b', T.replace(b'\r\n', b'\n'), T, nl=b'\n')), ('bare-cr', ct(b'b'), mp(b'b', T, T,
    nl=b'\r')), ('mixed-eol', ct(b'b'), b'--b\n' + T + b'\r--b\r\n' + T + b'\n--b--\r'), ('preamble-epilogue',
    ct(b'b'), mp(b'b', T, pre=b'pre\r\n--not\r\n', epi=b'epi\r\n--b\r\n\r\nnot a part\r\n')),
    ('no-header-sep', ct(b'b'), b'--b\r\nContent-Type: text/plain\r\n--b--\r\n'), ('no-final-crlf', ct(b'b'),
    b'--b\r\n' + T + b'\r\n--b--'), ('ends-in-boundary', ct(b'b'), b'--b\r\n' + T + b'\r\n--b'),
    ('ends-in-dash', ct(b'b'), b'--b\r\n' + T + b'\r\n-'), ('base64-cte-on-multipart', ct(b'b') +
    b'Content-Transfer-Encoding: base64\r\n', base64.encodebytes(mp(b'b', T)).replace(b'\n', b'\r\n')),
    ('nul', ct(b'b\x00c'), mp(b'b\x00c', T)), ('digest-default', ct(b'b', b'digest'), mp(b'b',
    b'\r\nSubject: in digest\r\n\r\nx', b'Content-Type: text/plain\r\n\r\ny'))]:
    m('boundary-' + n, h, b)
put('empty', b'')
put('only-crlf', b'\r\n')
put('only-lf', b'\n')
put('only-cr', b'\r')
put('one-char', b'x')
put('only-nul', b'\x00')
put('only-dot', b'.\r\n')
put('only-space', b' \r\n \r\n')
put('header-only-no-blank', b'Subject: x\r\nFrom: a@b\r\n')
put('header-only-no-crlf', b'Subject: x')
put('body-only', b'\r\nbody\r\n')
put('no-headers-text', b'This is not a header\r\nnor this\r\n\r\nbody\r\n')
m('no-final-crlf', b'', b'last line without end')
m('ends-cr', b'', b'x\r')
m('empty-body')
m('body-bare-lf', b'', b'a\nb\n\nc\n')
m('body-bare-cr', b'', b'a\rb\r\rc\r')
m('body-crcrlf', b'', b'a\r\r\nb\r\r\n')
m('body-lfcr', b'', b'a\n\rb\n\r')
m('body-nul', b'', b'a\x00b\x00\x00\r\nc\r\n')
m('body-all-octets', b'', bytes(range(256)) * 4)
m('body-dots', b'', b'.\r\n..\r\n...\r\n.a\r\n.\r\n')
m('body-from-lines', b'', b'From here\r\n>From there\r\nFrom x Mon Feb  7 21:52:25 1994\r\n')
put('mbox-from-line', b'From a@b Mon Feb  7 21:52:25 1994\r\nSubject: x\r\n\r\nbody\r\n')
put('mbox-gt-from-line', b'>From a@b Mon Feb  7\r\nSubject: x\r\n\r\nbody\r\n')
put('all-bare-lf', (H % (1, b'lf') + b'\r\nbody\r\n').replace(b'\r\n', b'\n'))
put('all-bare-cr', (H % (1, b'cr') + b'\r\nbody\r\n').replace(b'\r\n', b'\r'))
put('header-lf-body-crlf', (H % (1, b'x')).replace(b'\r\n', b'\n') + b'\n' + b'body\r\n')
m('header-nul', b'X-Nul: a\x00b\r\n', b'x\r\n')
m('header-name-nul', b'X-\x00: b\r\n')
m('header-8bit', b'X-8: caf\xe9 \xff\r\nSubject: gr\xc3\xbc\xc3\x9fe\r\n')
m('header-name-8bit', b'X-\xe9: b\r\n')
m('header-bare-cr', b'X-Cr: a\rBcc: evil@x\r\n')
m('header-bare-lf', b'X-Lf: a\nX-Next: b\r\n')
m('line-998', b'', b'x' * 998 + b'\r\n')
m('line-999', b'', b'x' * 999 + b'\r\n')
m('line-1MB', b'', b'x' * (1 << 20) + b'\r\n')
m('line-8MB', b'', b'y' * (8 << 20), big=True)
m('header-line-1MB', b'X-Long: ' + b'x' * (1 << 20) + b'\r\n')
m('header-name-64K', b'X-' + b'n' * 65536 + b': v\r\n')
m('headers-10000', b''.join((b'X-%d: %d\r\n' % (i, i) for i in range(10000))))
m('headers-same-10000', b'Received: x\r\n' * 10000)
m('folds-10000', b'X-Fold: a' + b'\r\n b' * 10000 + b'\r\n')
m('lines-500000', b'', b'\r\n' * 500000)
m('header-space-colon', b'X-Space : v\r\nSubject : second\r\n')
m('header-no-colon', b'this line has no colon\r\nX-After: y\r\n')
m('header-empty-name', b': no name\r\n')
m('header-first-folded', head=b' folded first\r\nSubject: x\r\n')
m('header-empty-fold', b'X-A: a\r\n \r\n\t\r\n b\r\nX-B: b\r\n')
m('header-fold-only-space-then-body', b'X-A: a\r\n   \r\n', b'body\r\n')
m('recipients-100000', b'Cc: ' + b',\r\n '.join((b'u%d@example.com' % i for i in range(100000))) + b'\r\n')
m('recipients-100000-one-line', b'Bcc: ' + b','.join((b'u%d@e' % i for i in range(100000))) + b'\r\n')
m('group-nested', b'Cc: g1: a@b, g2: c@d;, e@f;\r\n')
m('group-empty', b'Cc: undisclosed-recipients:;\r\n')
m('group-unclosed', b'Cc: g: a@b, c@d\r\n')
for i, a in enumerate([b'<>', b'<<a@b>>', b'a@b@c', b'@', b'<@>', b'a@', b'@b', b'"a b"@c', b'"a\\"b"@c',
    b'"unclosed@c', b'(only comment)', b'(unclosed a@b', b'a@b (c (d (e)))', b'(' * 1000 + b'x' + b')' *
    1000 + b' a@b', b'(' * 50000, b'<@r1,@r2:a@b>', b'a@[127.0.0.1]', b'a@[IPv6:::1]', b'a@[unclosed',
    b'a . b @ c . d', b'"" <a@b>', b'"x" <a@b', b'a b c <d@e> f g', b'=?utf-8?q?=C3=BC?= <a@b>',
    b'=?utf-8?b?PGV2aWxAeD4=?= <a@b>', b'caf\xe9 <a@b>', b'gr\xc3\xbc\xc3\x9f@ex\xc3\xa4mple', b',,, a@b ,,,',
    b'a@b;c@d', b'a@b c@d', b'\\<a@b>', b'<a@b>, ' * 3000 + b'z@z', b'x' * 70000 + b'@y', b"'single' <a@b>",
    b'a@b\x00c', b'"' + b'\\\\' * 3000 + b'" <a@b>', b'a..b@c', b'.a@b', b'a.@b', b'group:;', b'g:<>;',
    b'very."unusual".@x']):
    put('address-%d' % i, b'From: ' + a + b'\r\nTo: ' + a + b'\r\nReply-To: ' + a + b'\r\nSender: ' + a +
        b'\r\nSubject: address\r\n\r\nx\r\n')
for i, s in enumerate([b'=?utf-8?q?a?=', b'=?utf-8?Q?=C3=BC_b?=', b'=?UTF-8?B?w7w=?=', b'=?utf-8?b?w7?=',
    b'=?utf-8?b?!!!!?=', b'=?utf-8?q?=ZZ?=', b'=?utf-8?q?=?=', b'=?utf-8?q??=', b'=????=', b'=?=', b'=?x?=',
    b'=?utf-8?x?abc?=', b'=?nosuch?q?abc?=', b'=?utf-8*en?q?abc?=', b'=?utf-8?q?a?= =?utf-8?q?b?=',
    b'=?utf-8?q?a?=\r\n =?utf-8?q?b?=', b'=?utf-8?b?w?= =?utf-8?b?7w=?=', b'=?utf-8?q?' + b'a' * 100000 +
    b'?=', b'=?utf-8?q?a?=' * 3000, b'=?utf-8?q?=00=0D=0AInjected:_x?=', b'=?utf-7?q?+ADw-script+AD4-?=',
    b'=?iso-2022-jp?b?GyRCJUYlOSVIGyhC?=', b'=?gb2312?b?suLK1A==?=', b'=?koi8-r?q?=F4=C5=D3=D4?=',
    b'=?utf-8?q?unclosed', b'a=?utf-8?q?b?=c', b'"=?utf-8?q?in_quotes?="', b'=?us-ascii?q?=FF?=',
    b'=?utf-16?b?/v8AYQ==?=', b'=?utf-8?Q?' + b'=F0=9F=98=80' * 50 + b'?=']):
    put('rfc2047-%d' % i, b'From: ' + s + b' <a@b>\r\nSubject: ' + s + b'\r\n\r\nx\r\n')
for i, p in enumerate([b"name*=utf-8''%C3%BC.txt", b"name*0*=utf-8''%C3; name*1*=%BC.txt",
    b'name*0=a; name*1=b; name*3=d', b'name*1=b; name*0=a', b"name*=''x", b'name*=x', b"name*=utf-8'en'%ZZ",
    b"name*0*=utf-8''a%; name*1=20b", b'; '.join((b'name*%d=x' % i for i in range(3000))),
    b'name*999999999999999999=x', b'name*-1=x', b'name**=x', b'name="a\r\n b"', b'name="a\\\r\n b"',
    b'name=a b c', b'name', b'name=', b'=x', b';;;', b'name="' + b'n' * 100000 + b'"',
    b'name="../../../etc/passwd"', b'name="a\x00b"', b'name="caf\xe9"', b'name==?utf-8?q?x?=',
    b'charset="unclosed', b'; '.join((b'p%d=v' % i for i in range(5000))), b"name*0*=''%00%0d%0a"]):
    m('param-%d' % i, b'Content-Type: application/octet-stream; ' + p +
        b'\r\nContent-Disposition: attachment; file' + p + b'\r\n', b'x\r\n')
for i, c in enumerate([b'', b'text', b'text/', b'/plain', b'/', b'text/plain/extra', b'text plain',
    b'TEXT/PLAIN', b'text/plain;', b'multipart', b'multipart/', b'message/rfc822',
    b'message/partial; id=x; number=1; total=3',
    b'message/external-body; access-type=local-file; name="/etc/passwd"', b'message/delivery-status',
    b'message/global', b'x' * 100000 + b'/y', b'caf\xe9/plain', b'text/plain; charset=""',
    b'text/plain; charset=utf-7', b'text/(c)plain', b'text/\r\n plain', b'"text"/"plain"',
    b'image/png; name="x"', b'multipart/signed; protocol="x"; micalg=y; boundary=b',
    b'application/octet-stream']):
    m('ctype-%d' % i, b'Content-Type: ' + c + b'\r\n', mp(b'b', T))
m('ctype-twice', b'Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n', mp(b'b', T))
m('ctype-no-mime-version', head=b'Content-Type: multipart/mixed; boundary=b\r\nSubject: x\r\n', body=mp(b'b',
    T))
m('mime-version-2', b'MIME-Version: 2.0\r\n' + ct(b'b'), mp(b'b', T))
for i, (e, b) in enumerate([(b'base64', b'QUJD'), (b'base64', b'QUJD=' * 9), (b'base64', b'====\r\n'),
    (b'base64', b'Q\r\nU\r\nJ\r\nD\r\n'), (b'base64', b'!@#$\r\nQUJD\r\n'), (b'base64', b'Q' * 99999),
    (b'base64', b'QUJD\x00QUJD'), (b'quoted-printable', b'=C3=BC=\r\n'), (b'quoted-printable',
    b'=ZZ=\r\n=\r\n=4'), (b'quoted-printable', b'=' * 9999), (b'quoted-printable', b'a=  \r\nb \t\r\n'),
    (b'quoted-printable', b'=c3=bc=0d=0a'), (b'7bit', b'\xff\xfe\r\n'), (b'8bit', b'\xff\xfe\r\n'),
    (b'binary', b'\x00\r\r\n\n\xff'), (b'x-uuencode', b'begin 644 f\r\n#0V%T\r\nend\r\n'), (b'nosuch', b'x'),
    (b'', b'x'), (b'base64 (comment)', b'QUJD\r\n'), (b'"base64"', b'QUJD\r\n')]):
    m('cte-%d' % i, b'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ' + e + b'\r\n',
        b)
for i, d in enumerate([b'', b'garbage', b'Mon, 07 Feb 1994', b'7 Feb 94 21:52 PST',
    b'Mon, 31 Feb 1994 25:61:61 +9999', b'Mon, 07 Feb 99999 21:52:25 +0000',
    b'Thu, 01 Jan 1970 00:00:00 +0000', b'Fri, 31 Dec 1900 00:00:00 +0000',
    b'Tue, 19 Jan 2038 03:14:08 +0000', b'Mon, 07 Feb 1994 21:52:25 -0800 (PST (nested))',
    b'1994-02-07T21:52:25Z', b'Mon, 07 Feb 1994 21:52:25 ' + b'Z' * 10000]):
    m('date-%d' % i, head=b'Subject: date\r\nFrom: a@b\r\nDate: ' + d + b'\r\n', body=b'x\r\n')
m('no-from-no-date', head=b'Subject: x\r\n', body=b'y\r\n')
m('twice-everything', head=H % (1, b'a') * 2, body=b'y\r\n')
m('message-id-odd', b'Message-ID: <"a b"@[x]>\r\nIn-Reply-To: not an id <a@b> <c@d\r\nReferences: ' +
    b'<x@y> ' * 20000 + b'\r\n')
m('subject-quotes', b'Subject: "q" \\ {5}\r\n')
m('subject-literal-like', b'Subject: {100}\r\n')
m('imap-specials', b'Subject: () * % ] } \r\nX: y\r\n')
m('language-md5-location',
    b'Content-Type: text/plain\r\nContent-Language: en, "de", fr\r\nContent-MD5: abc\r\nContent-Location: (c) http://x/"y"\r\nContent-ID: <a@b>\r\nContent-Description: =?utf-8?q?d?= "x"\r\nContent-Disposition: inline\r\n',
    b'x\r\n')
good = H % (7, b'fuzz') + ct(b'outer') + b'\r\n' + mp(b'outer', T,
    b'Content-Type: message/rfc822\r\n\r\nSubject: in\r\n' + ct(b'in') + b'\r\n' + mp(b'in', T,
    b'Content-Type: image/png; name="x.png"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="x.png"\r\n\r\niVBORw0KGgo=\r\n'),
    T)
for i in range(40):
    b = bytearray(good)
    for _ in range(rnd.choice([1, 3, 10, 40])):
        k = rnd.randrange(5)
        p = rnd.randrange(len(b))
        if k == 0:
            b[p] = rnd.randrange(256)
        elif k == 1:
            del b[p:p + rnd.randrange(1, 20)]
        elif k == 2:
            b[p:p] = bytes((rnd.randrange(256) for _ in range(rnd.randrange(1, 20))))
        elif k == 3:
            b[p:p] = rnd.choice([b'\r\n', b'\n', b'\r', b'--outer\r\n', b'--in--\r\n', b'"', b'(', b'\\',
                b'\x00', b';', b'=?'])
        else:
            q = rnd.randrange(len(b))
            b[p:p] = b[q:q + 30]
    put('fuzz-%d' % i, bytes(b))
print('%d messages' % N)
