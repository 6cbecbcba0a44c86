"""Writes pcaps/README.md and the rows of tests/e2e/cases.tsv that belong to the captures."""

import os

import derive
import lab
import office
import tunnels

PCAPS = lab.PCAPS
CASES = os.path.join(lab.EXPECTED, "..", "cases.tsv")
MARK = "# Below: one row per capture, written by pcaps/record/all."

HEAD = """\
# Captures

Small conversations between real programs, each of which shows one thing, and captures derived from
them. `tests/e2e/cases.tsv` names what each must give; `tests/e2e/expected/NAME.jsonl` has the events.

All of them were recorded by the scripts in `record/` between two network namespaces on one machine, or
derived from such a recording; one, `sslv2_synthetic.pcap`, is made up, because nothing speaks SSLv2 any
more. No packet is from anybody's network. But for the office's captures, clients are `10.77.0.11` and
`2001:db8:77::11`, the server is `192.0.2.25` and `2001:db8:25::25`, `mail.example.com`; MAC addresses are
locally administered. Certificates were made for the recording and their keys thrown away; the credentials
are `user` and `not-a-secret`.

`record/all` makes them anew, all of them or those whose names match a pattern (`record/all --help` lists
what it needs, `record/all --list` what it can make). It also writes this file and the expected events,
from what each script did and from a reader of its own (`record/hellos.py`), which shares no code with the
program. The tests need none of this: they read what is here.
"""


def scenario_rows(module):
    """(name, about, files, options) of the scenarios of one script."""
    return [(name, entry[1], [name + ".pcap"], entry[2].get("tool", []))
            for name, entry in lab.SCENARIOS.items() if entry[0].__module__ == module]


def rows_of(module):
    """(name, about, files, options) of what one script makes."""
    if module == "derive":
        return derive.rows()
    if module == "office":
        return [("office", office.ABOUT, office.FILES, [])]
    if module == "tunnels":
        return tunnels.rows()
    return scenario_rows(module)


def write(modules):
    """Both files, for the captures that are there; `modules`: names of the scripts that record."""
    text, cases = [HEAD], []
    titles = {"implicit": "TLS at once", "programs": "Servers and programs as they are used",
              "starttls": "STARTTLS and cleartext",
              "refusals": "Refused, given up, retried", "transport": "TCP and the wire",
              "names": "Names that pass by",
              "derive": "Derived from the above",
              "tunnels": "Tunnels, fragments and rarer links",
              "office": "Many devices, many days"}
    left = {f for f in os.listdir(PCAPS) if ".pcap" in f}
    for module in [*modules, "derive", "tunnels", "office"]:
        rows = [r for r in rows_of(module)
                if all(os.path.exists(os.path.join(PCAPS, f)) for f in r[2])]
        text.append("\n## %s (`record/%s.py`)\n\n| file | what it shows |\n|---|---|\n" % (
            titles[module], module))
        for name, about, files, options in rows:
            left -= set(files)
            note = " (`%s`)" % " ".join(options) if options else ""
            text.append("| %s | %s%s |\n" % (", ".join("`%s`" % f for f in files), about, note))
            # What is told of the office is more than its events: tests/e2e/office.
            if module != "office":
                cases.append("%s\t%s\t%s\t0\n" % (name, " ".join(files), " ".join(options)))
    with open(os.path.join(PCAPS, "README.md"), "w", encoding="utf-8") as file:
        file.writelines(text)
    with open(CASES, encoding="utf-8") as file:
        kept = file.read().split(MARK)[0]
    with open(CASES, "w", encoding="utf-8") as file:
        file.write(kept + MARK + "\n")
        file.writelines(cases)
    for name in sorted(left):
        print("no script makes %s" % name)
