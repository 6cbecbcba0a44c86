"""Compares events with the truth that make_captures wrote beside its capture."""

import collections
import csv
import json

KEY = ("client_ip", "client_port", "server_ip", "server_port")
FIELDS = ("timestamp", "vlan", "protocol", "tls_mode", "tls_version", "offered_version",
          "cipher_suite", "server_name", "server_name_source", "outcome", "refused_by", "refusal",
          "limited_by", "fallback_scsv", "resumed", "hello_retry")
FLAGS = ("fallback_scsv", "resumed", "hello_retry")
DAY_S = 24 * 3600


class Score:
    """What is not right: `wrong` counts by field, `examples` has a line for some of each kind."""

    def __init__(self):
        self.expected = self.events = self.right = 0
        self.missing = self.invented = self.twice = 0
        self.wrong = collections.Counter()
        self.examples = []

    def is_right(self):
        return self.expected > 0 and self.right == self.expected == self.events

    def note(self, kind, text):
        if sum(1 for line in self.examples if line.startswith(kind)) < 3:
            self.examples.append(f"{kind}: {text}")

    def __str__(self):
        text = (f"{self.expected} expected, {self.right} right, {sum(self.wrong.values())} wrong, "
                f"{self.missing} missing, {self.invented} invented, {self.twice} twice")
        return text + "".join(f"; {name} wrong in {count}"
                              for name, count in sorted(self.wrong.items()))


def seconds_of_day(timestamp):
    """Microseconds of the day, of either form: all captures are within one day."""
    if timestamp.endswith("Z"):
        clock, micros = timestamp[11:-1].split(".")
        hours, minutes, seconds = map(int, clock.split(":"))
        return (hours * 60 + minutes) * 60 + seconds, int(micros)
    seconds, micros = timestamp.split(".")
    return int(seconds) % DAY_S, int(micros)


def of_event(event, field):
    """A field as the truth file would have it: what is not known is not claimed."""
    value = event[field]
    if field in FLAGS:
        return "1" if value else "0"
    return "" if value is None else str(value)


def is_right(row, event, field):
    if field == "timestamp":
        return seconds_of_day(event[field]) == seconds_of_day(row[field])
    return of_event(event, field) == row[field]


def compare(score, row, event, fields):
    wrong = [field for field in fields if not is_right(row, event, field)]
    for field in wrong:
        score.wrong[field] += 1
        score.note(field, f"{tuple(row[name] for name in KEY)} "
                          f"is {row[field]!r}, not {event[field]!r}")
    score.right += not wrong


def read_truth(path):
    with open(path, newline="", encoding="ascii") as file:
        return {tuple(row[name] for name in KEY): row for row in csv.DictReader(file)}


def score_events(truth_path, events_path, without=()):
    """One event for each row, with its values (but for those fields), and no others."""
    score, left = Score(), read_truth(truth_path)
    fields = [field for field in FIELDS if field not in without]
    seen = set()
    score.expected = len(left)
    with open(events_path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            key = tuple(str(event[name]) for name in KEY)
            row = left.pop(key, None)
            score.events += 1
            if row is not None:
                seen.add(key)
                compare(score, row, event, fields)
            elif key in seen:
                score.twice += 1
                score.note("twice", key)
            else:
                score.invented += 1
                score.note("invented", key)
    score.missing = len(left)
    for key in left:
        score.note("missing", key)
    return score
