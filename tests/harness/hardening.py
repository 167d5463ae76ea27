#!/usr/bin/env python3
"""hardening.py - are the programs built as H78 asks? Looks at the ELF files with readelf. TAP.

A program that is built on purpose without any of it must fail every row, or the row cannot fail.
"""
import os
import platform
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postroom import BUILD, ROOT, Skip, equal, tap, true  # noqa: E402

PROGRAMS = ("postroomd", "postroom")
NEVER = {"strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "atoi", "system", "popen", "alloca", "tmpnam", "mktemp"}
SOFT = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	char text[64];
	strcpy(text, argv[argc - 1]);
	return system(text) + printf("%s", text);
}
"""
SOFT_FLAGS = ["-O2", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-fcf-protection=none", "-fno-pie", "-no-pie", "-w",
              "-Wl,-z,norelro,-z,lazy,-z,execstack"]


class Elf:
    def __init__(self, path):
        def readelf(option):
            return subprocess.run(["readelf", option, "--wide", path], capture_output=True, text=True, check=True).stdout
        self.header, self.segments, self.dynamic = readelf("-h"), readelf("-l"), readelf("-d")
        self.wanted = set(re.findall(r" UND (\w+)", readelf("--dyn-syms")))

    def segment(self, name):
        return re.findall(r"^\s+%s\s.*" % name, self.segments, re.M)


def flags_of(segment):
    return re.sub(r"\s", "", segment.rsplit("0x", 2)[1].split(None, 1)[1])


ROWS = {
    "position independent (-pie)": lambda e: "DYN (" in e.header and "FLAGS_1" in e.dynamic and "PIE" in e.dynamic,
    "relocations read-only (-z relro)": lambda e: len(e.segment("GNU_RELRO")) == 1,
    "bound at once (-z now)": lambda e: "BIND_NOW" in e.dynamic or re.search(r"FLAGS_1.*NOW", e.dynamic) is not None,
    "no stack to run (-z noexecstack)": lambda e: [flags_of(s) for s in e.segment("GNU_STACK")] == ["RW"],
    "stack protector": lambda e: "__stack_chk_fail" in e.wanted,
    "checked calls (_FORTIFY_SOURCE)": lambda e: any(re.fullmatch(r"__\w+_chk", name) for name in e.wanted),
    "no call that this house forbids": lambda e: not e.wanted & NEVER,
}


def row_test(name, holds):
    def run():
        for program in PROGRAMS:
            elf = Elf(os.path.join(BUILD, program))
            true(holds(elf), "%s: %s" % (program, sorted(elf.wanted & NEVER)))
    return name, run


def every_row_can_fail():
    with tempfile.TemporaryDirectory() as folder:
        source, soft = os.path.join(folder, "soft.c"), os.path.join(folder, "soft")
        with open(source, "w") as f:
            f.write(SOFT)
        subprocess.run(["gcc", *SOFT_FLAGS, source, "-o", soft], check=True, capture_output=True)
        elf = Elf(soft)
        equal([name for name, holds in ROWS.items() if holds(elf)], [], "rows that a soft program passes")


def notes(path):
    return subprocess.run(["readelf", "-n", "--wide", path], capture_output=True, text=True, check=True).stdout


# Of the objects: the C library's own start files need not be marked, and then the program is not.
def control_flow_is_marked():
    if platform.machine() != "x86_64":
        raise Skip("not this machine's")
    for name in ("server/main.o", "server/net/stream.o", "proto/smtp/smtp_data.o", "tui/main.o"):
        text = notes(os.path.join(BUILD, name))
        true("IBT" in text and "SHSTK" in text, name)


def flags_of_the_build():
    if os.path.basename(BUILD) != "build":
        raise Skip("another flavour")
    with open(os.path.join(ROOT, "build.ninja")) as f:
        text = f.read()
    for flag in ("-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-fstack-clash-protection", "-Werror", "-Wvla"):
        true(flag in text, flag)
    true("NDEBUG" not in text, "assertions stay on")


def fuzzing_takes_whole_floors():
    """./test does not link what clang's fuzzer does: a file that its lists lack is found by nobody else."""
    with open(os.path.join(ROOT, "build.ninja")) as f:
        text = f.read().replace("$\n", "")
    for floor in ("conf", "proto"):
        listed = next(line for line in text.split("\n") if line.startswith(floor + "_c = ")).split()[2:]
        there = [os.path.relpath(os.path.join(at, name), ROOT) for at, _, names in os.walk(os.path.join(ROOT, floor))
                 for name in names if name.endswith(".c")]
        true(sorted(listed) == sorted(there), "%s_c: %s" % (floor, set(listed) ^ set(there)))


if __name__ == "__main__":
    sys.exit(tap([row_test("H78 " + name, holds) for name, holds in ROWS.items()] +
                 [("H78 control flow is marked (-fcf-protection)", control_flow_is_marked),
                  ("H78 every row can fail", every_row_can_fail), ("H78 flags of the build", flags_of_the_build),
                  ("H86 fuzzing takes whole floors", fuzzing_takes_whole_floors)]))
