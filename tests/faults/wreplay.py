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
    def __init__(self, base, fs):
        self.fs, self.files, self.names, self.npend = fs, {}, {}, []
        self.syncs, self.out, self.dirs = {}, [], set()
        self.live = {}                                   # names as the program sees them
        if base != '-':
            for d, ds, fs_ in os.walk(base):
                for n in ds: self.dirs.add(os.path.relpath(os.path.join(d, n), base))
                for n in fs_:
                    p = os.path.join(d, n)
                    ino = os.stat(p).st_ino
                    self.files[ino] = File(open(p, 'rb').read())
                    self.names[os.path.relpath(p, base)] = ino
        self.alias = dict(self.names)
        self.live = dict(self.names)
        self.idmap = {}
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
        elif op == OUT: self.out.append(data)
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

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('tape'); ap.add_argument('base'); ap.add_argument('work')
    ap.add_argument('--fs', default='ext4', choices=['ext4', 'posix'])
    ap.add_argument('--rand', type=int, default=3); ap.add_argument('--torn', type=int, default=1)
    ap.add_argument('--tear', type=int, default=SECT, help='torn writes break at multiples of this')
    ap.add_argument('--every', type=int, default=1, help='use every Nth cut')
    ap.add_argument('--seed', type=int, default=1); ap.add_argument('--max-bad', type=int, default=5)
    ap.add_argument('--keep', help='copy the first bad state here')
    ap.add_argument('--max-states', type=int, default=0, help='spread about this many states over the whole tape')
    if '--' not in sys.argv: ap.error('need -- CHECK ...')
    i = sys.argv.index('--'); a = ap.parse_args(sys.argv[1:i]); check = sys.argv[i + 1:]
    recs, m, rnd = tape(a.tape), Model(a.base, a.fs), random.Random(a.seed)
    st, outp = os.path.join(a.work, 'state'), os.path.join(a.work, 'out.txt')
    os.makedirs(a.work, exist_ok=True)
    cmd = [c.replace('{dir}', st).replace('{out}', outp) for c in check]
    n = bad = same = 0; t0 = time.time(); seen = set()
    if a.max_states: a.every = max(1, (len(recs) + 1) * (2 + a.rand + a.torn) // a.max_states)
    for ci in range(len(recs) + 1):
        if ci: m.step(recs[ci - 1])
        if ci % a.every and ci != len(recs): continue
        for kind in ['all', 'none'] + ['rand'] * a.rand + ['torn'] * a.torn:
            s = m.state(kind, rnd, a.tear)
            h = hash((len(m.out), tuple(sorted((p, bytes(b)) for p, b in s.items()))))
            if h in seen: same += 1; continue            # this state was already judged
            seen.add(h)
            shutil.rmtree(st, ignore_errors=True); os.makedirs(st)
            for d in m.dirs: os.makedirs(os.path.join(st, d), exist_ok=True)
            for p, b in s.items():
                os.makedirs(os.path.dirname(os.path.join(st, p)), exist_ok=True)
                with open(os.path.join(st, p), 'wb') as f: f.write(b)
            with open(outp, 'wb') as f: f.write(b''.join(m.out))
            r = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            n += 1
            if r.returncode:
                bad += 1
                if bad <= a.max_bad:
                    print(f'BAD cut {ci}/{len(recs)} {kind} seed {a.seed}: rc {r.returncode} '
                          f'{r.stdout.decode(errors="replace").strip()[:200]}')
                if bad == 1 and a.keep: shutil.copytree(st, a.keep, dirs_exist_ok=True)
    print(f'{len(recs)} records, {len(recs) // a.every + 1} cuts, {n} distinct states checked '
          f'({same} repeats skipped), {bad} bad, {time.time() - t0:.1f} s')
    return 1 if bad else 0
sys.exit(main())
