"""What the end-to-end scripts share: where things are, the tool under test, and facts, which are
counted."""

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PCAPS = os.path.join(ROOT, "pcaps")
# Captures are read and written by the module that made them: `import packets` behind this one.
sys.path.append(os.path.join(PCAPS, "record"))
sys.dont_write_bytecode = True

_count = {True: 0, False: 0}


def parser(doc):
    """The command line that all have: --tool, an absolute path."""
    out = argparse.ArgumentParser(description=doc,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--tool", type=os.path.abspath,
                     default=os.path.join(ROOT, "build", "tlstally"))
    return out


def check(name, good, story=""):
    """One fact; what stands against it is printed, whatever bytes it has."""
    _count[bool(good)] += 1
    if not good:
        text = f"not ok {name}: {story}"[:3000]
        print("".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text),
              flush=True)
    return good


def finish():
    """Prints the last line; returns the exit status, which is 1 where nothing was looked at."""
    print(f"{_count[True]} passed, {_count[False]} failed")
    return 1 if _count[False] or not _count[True] else 0
