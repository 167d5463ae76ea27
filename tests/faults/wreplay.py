#!/usr/bin/env python3
"""wreplay.py - rebuild what a power cut could leave, and check every such state.

  wreplay.py TAPE BASE WORK [options] -- CHECK ARGS...

TAPE  from wrec.so        BASE  copy of the watched directory before the run ('-': empty)
WORK  scratch directory (use a tmpfs).  Each state is built in WORK/state and
WORK/out.txt holds what the program had told the outside world before the cut.
CHECK is run once per state with {dir} and {out} replaced; exit 0 = promise kept.

At each cut (every record boundary) these states are tried:
  all      everything written so far survived (what kill -9 leaves)
  none     only what a completed fsync/fdatasync/O_DSYNC write covers survived
  rand xN  every 512-byte sector of the not yet durable writes survives or not by
           a coin toss (reordering and torn writes), sizes likewise
  tornN    the same, but the last write is cut inside a sector (--tear BYTES)
Names: --fs ext4 (default): any fsync commits all earlier creates/renames, and a
random prefix of the later ones survives; --fs posix: a name is durable only
after fsync of its directory.
"""
import argparse, os, random, shutil, struct, subprocess, sys, time
H = struct.Struct('<2sBBIQQQI')
OPEN, WRITE, TRUNC, SYNCB, SYNCE, RENAME, UNLINK, MKDIR, DURABLE, OUT, LINK, RMDIR, FAIL = range(1, 14)
SECT = 512

def tape(path):
    b = open(path, 'rb').read()
    i, recs = 0, []
    while i + H.size <= len(b):
        m, op, flag, pid, seq, fid, off, ln = H.unpack_from(b, i)
        if m != b'WR' or i + H.size + ln > len(b):
            break
        recs.append((op, flag, seq, fid, off, b[i + H.size:i + H.size + ln]))
        i += H.size + ln
    return recs

class File:
    __slots__ = ('data', 'pend')
    def __init__(self, data=b''):
        self.data, self.pend = bytearray(data), []   # pend: (seq, off, bytes) or (seq, size, None)

def apply(buf, off, data):
    if data is None:                      # truncate
        if off < len(buf): del buf[off:]
        else: buf.extend(bytes(off - len(buf)))
        return
    if off > len(buf): buf.extend(bytes(off - len(buf)))
    buf[off:off + len(data)] = data

class Model:
    def __init__(self, base, fs, inodes):
        self.fs, self.files, self.names, self.npend = fs, {}, {}, []
        self.out, self.dirs = [], set()
        self.told, self.mark = 0, b''                    # outputs that hold the mark
        self.live = {}                                   # names as the program sees them
        if base != '-':
            for d, ds, fs_ in os.walk(base):
                for n in ds: self.dirs.add(os.path.relpath(os.path.join(d, n), base))
                for n in fs_:
                    p = os.path.join(d, n)
                    ino = inodes.get(os.path.relpath(p, base)) or os.stat(p).st_ino
                    self.files[ino] = File(open(p, 'rb').read())
                    self.names[os.path.relpath(p, base)] = ino
        self.live = dict(self.names)
    def file(self, fid):
        if fid not in self.files: self.files[fid] = File()
        return self.files[fid]
    def step(self, r):
        op, flag, seq, fid, off, data = r
        if op == OPEN:
            self.files[fid] = File(); n = data.decode()
            self.live[n] = fid; self.npend.append((seq, 'set', n, fid))
        elif op == WRITE: self.file(fid).pend.append((seq, off, data))
        elif op == TRUNC: self.file(fid).pend.append((seq, off, None))
        elif op == RENAME:
            a, b = data.decode().split('\0'); f = self.live.pop(a, None)
            if f is not None: self.live[b] = f
            self.npend.append((seq, 'mv', a, b))
        elif op == UNLINK: n = data.decode(); self.live.pop(n, None); self.npend.append((seq, 'del', n, None))
        elif op == LINK:
            a, b = data.decode().split('\0'); self.live[b] = self.live.get(a); self.npend.append((seq, 'ln', a, b))
        elif op == MKDIR: self.dirs.add(data.decode())
        elif op == SYNCE:                      # off = tape position of its BEGIN
            if flag == 1: self.commit(fid, off)
            if flag == 2 or self.fs == 'ext4': self.commit_names(off)
        elif op == DURABLE:                    # the O_DSYNC write(s) taped from position off
            f = self.file(fid); keep = []
            for p in f.pend:
                if off - flag <= p[0] < off: apply(f.data, p[1], p[2])
                else: keep.append(p)
            f.pend = keep
            if self.fs == 'ext4': self.commit_names(off)
        elif op == OUT:
            self.out.append(data)
            self.told += self.mark in data
    def commit(self, fid, before):
        f = self.file(fid); keep = []
        for p in f.pend:
            if p[0] < before: apply(f.data, p[1], p[2])
            else: keep.append(p)
        f.pend = keep
    def name1(self, names, p):
        _, k, a, b = p
        if k == 'set': names[a] = b
        elif k == 'mv':
            f = names.pop(a, None)
            if f is not None: names[b] = f
        elif k == 'del': names.pop(a, None)
        elif k == 'ln' and a in names: names[b] = names[a]
    def commit_names(self, before):
        keep = []
        for p in self.npend:
            if p[0] < before: self.name1(self.names, p)
            else: keep.append(p)
        self.npend = keep
    def state(self, kind, rnd, tear):
        """-> {path: bytes} that could be found after the cut."""
        names = dict(self.names)
        k = {'all': len(self.npend), 'none': 0}.get(kind, rnd.randint(0, len(self.npend)))
        for p in self.npend[:k]: self.name1(names, p)
        out = {}
        for n, fid in names.items():
            f = self.files.get(fid)
            if f is None: continue
            if not f.pend or kind == 'none': out[n] = f.data; continue
            buf = bytearray(f.data)
            last = len(f.pend) - 1
            for i, (seq, off, data) in enumerate(f.pend):
                if kind == 'all' or data is None:
                    if kind == 'all' or rnd.random() < .5: apply(buf, off, data)
                    continue
                if kind == 'torn' and i == last and len(data) > 1:
                    cut = rnd.randrange(1, len(data))
                    cut -= cut % tear
                    apply(buf, off, data[:cut]) if rnd.random() < .5 else apply(buf, off + cut, data[cut:])
                    continue
                o = off; end = off + len(data)
                while o < end:                        # sector by sector, as the disk sees it
                    e = min(end, (o // SECT + 1) * SECT)
                    if rnd.random() < .5: apply(buf, o, data[o - off:e - off])
                    o = e
            out[n] = buf
        return out

def cuts(recs, mark):
    """Where to cut: everywhere; with a mark, output that does not hold it changes nothing."""
    return [i for i in range(len(recs) + 1)
            if not mark or i == 0 or i == len(recs) or recs[i - 1][0] != OUT or mark in recs[i - 1][5]]

def inodes_of(path):
    """What the files of BASE were called in the watched directory: lines of inode and path."""
    with open(path) as f:
        return {name: int(ino) for ino, name in (line.rstrip('\n').split(' ', 1) for line in f)}

class Judge:
    def __init__(self, a, check):
        self.a, self.rnd, self.seen = a, random.Random(a.seed), set()
        self.n = self.bad = self.same = 0
        self.st, self.outp = os.path.join(a.work, 'state'), os.path.join(a.work, 'out.txt')
        self.cmd = [c.replace('{dir}', self.st).replace('{out}', self.outp) for c in check]
        os.makedirs(a.work, exist_ok=True)
    def state(self, m, where, kind):
        s = m.state(kind, self.rnd, self.a.tear)
        h = hash((m.told, tuple(sorted((p, hash(bytes(b))) for p, b in s.items()))))
        if h in self.seen:
            self.same += 1                                # this state was already judged
            return
        self.seen.add(h)
        self.build(m, s)
        r = subprocess.run(self.cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.n += 1
        if r.returncode and r.returncode != self.a.also_ok: self.tell_bad(r, where, kind)
    def build(self, m, s):
        shutil.rmtree(self.st, ignore_errors=True); os.makedirs(self.st, 0o700)
        for d in m.dirs: os.makedirs(os.path.join(self.st, d), exist_ok=True)
        for p, b in s.items():
            os.makedirs(os.path.dirname(os.path.join(self.st, p)), exist_ok=True)
            with open(os.path.join(self.st, p), 'wb') as f: f.write(b)
        with open(self.outp, 'wb') as f: f.write(b''.join(m.out))
    def tell_bad(self, r, where, kind):
        self.bad += 1
        if self.bad <= self.a.max_bad:
            print(f'BAD cut {where} {kind} seed {self.a.seed}: rc {r.returncode} '
                  f'{r.stdout.decode(errors="replace").strip()[:200]}')
        if self.bad == 1 and self.a.keep: shutil.copytree(self.st, self.a.keep, dirs_exist_ok=True)
    def enough(self):
        return self.a.max_states and self.n >= self.a.max_states or self.bad and self.bad >= self.a.stop_bad
    def run(self, recs, places, kinds, inodes):
        """One pass over the tape."""
        m, places = Model(self.a.base, self.a.fs, inodes), set(places)
        m.mark = self.a.out_mark.encode()
        for ci in range(len(recs) + 1):
            if ci: m.step(recs[ci - 1])
            if ci not in places: continue
            for kind in kinds:
                self.state(m, f'{ci}/{len(recs)}', kind)
                if self.enough(): return

def arguments(argv):
    ap = argparse.ArgumentParser()
    ap.add_argument('tape'); ap.add_argument('base'); ap.add_argument('work')
    ap.add_argument('--fs', default='ext4', choices=['ext4', 'posix'])
    ap.add_argument('--rand', type=int, default=3); ap.add_argument('--torn', type=int, default=1)
    ap.add_argument('--tear', type=int, default=SECT, help='torn writes break at multiples of this')
    ap.add_argument('--seed', type=int, default=1); ap.add_argument('--max-bad', type=int, default=5, help='bad states printed')
    ap.add_argument('--stop-bad', type=int, default=1 << 60, help='stop after so many bad states')
    ap.add_argument('--keep', help='copy the first bad state here')
    ap.add_argument('--max-states', type=int, default=0,
                    help='about this many: spread over the tape where it has more, else pass after pass with other dice')
    ap.add_argument('--part', default='0/1', help='I/N: only every Nth cut, beginning at the Ith, for N of these at once')
    ap.add_argument('--out-mark', default='', help='output without this text is no cut of its own')
    ap.add_argument('--inodes', help='inode and path, a line a file of BASE: their inodes in the watched directory')
    ap.add_argument('--also-ok', type=int, default=0, help='another exit status of CHECK that is good')
    if '--' not in argv: ap.error('need -- CHECK ...')
    i = argv.index('--')
    return ap.parse_args(argv[1:i]), argv[i + 1:]

def main():
    a, check = arguments(sys.argv)
    recs, j, t0 = tape(a.tape), Judge(a, check), time.time()
    inodes = inodes_of(a.inodes) if a.inodes else {}
    part, parts = (int(x) for x in a.part.split('/'))
    kinds = ['all', 'none'] + ['rand'] * a.rand + ['torn'] * a.torn
    places = cuts(recs, a.out_mark.encode())[part::parts]
    if a.max_states: places = places[::max(1, len(places) * len(kinds) // a.max_states)]
    before = -1
    while before < j.n and (before < 0 or a.max_states) and not j.enough():
        before = j.n
        j.run(recs, places, kinds, inodes)
        kinds = ['rand'] * a.rand + ['torn'] * a.torn
    print(f'{len(recs)} records, {len(places)} cuts, {j.n} distinct states checked '
          f'({j.same} repeats skipped), {j.bad} bad, {time.time() - t0:.1f} s')
    return 1 if j.bad else 0
sys.exit(main())
