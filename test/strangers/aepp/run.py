"""Runs every step against a simulated platform, one JSON line for each: `run.py http://127.0.0.1:4010`; `run.py --table` prints them."""

import contextlib
import importlib
import io
import json
import re
import sys
import warnings

import table

MODULES = [
    "connecting",
    "sandbox",
    "identities",
    "schemas",
    "managers",
    "datasets",
    "mappings",
    "flows",
    "records",
    "landed",
    "removal",
]

ASSIGNED = re.compile(r"([a-z]\w*) = (.+)", re.DOTALL)


def steps():
    for name in MODULES:
        for row in importlib.import_module(f"steps_{name}").STEPS:
            yield name, table.Step(*row) if isinstance(row, tuple) else row


def done(call: str, names: dict):
    """The call's answer, kept under its name where it has one; what it throws is an answer as well."""
    assigned = ASSIGNED.fullmatch(call)
    try:
        answer = eval(assigned[2] if assigned else call, names)
    except Exception as error:
        return error
    if assigned:
        names[assigned[1]] = answer
    return answer


def fulfilled(expected: str, answer, names: dict) -> bool:
    try:
        return bool(eval(expected, {**names, "_": answer}))
    except Exception:
        return False


def shown(answer) -> str:
    try:
        return repr(answer)[:600]
    except Exception:
        # aepp's Identity cannot say what it is.
        return type(answer).__name__


def later(origin: str, seconds: int) -> int:
    """Moves the simulated clock on, where somebody would wait."""
    import requests

    return requests.post(f"{origin}/_simulator/clock", json={"advanceMs": seconds * 1000}).json()["now"]


def main(origin: str) -> None:
    import hosts

    hosts.lead_to(origin)
    warnings.simplefilter("ignore")
    names = {name: getattr(table, name) for name in ("refused", "not_simulated", "is_id", "has", "one")}
    exec("from given import *", names)
    names["origin"] = origin
    names["later"] = lambda seconds: later(origin, seconds)
    for module, step in steps():
        # aepp prints what it stumbles over; that is not for the one who reads the lines.
        with contextlib.redirect_stdout(io.StringIO()):
            answer = done(step.call, names)
            fine = fulfilled(step.expected, answer, names)
        line = {"module": module, **step.__dict__, "fine": fine, "got": shown(answer)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--table":
        for module, step in steps():
            print(json.dumps({"module": module, **step.__dict__}))
    else:
        main(sys.argv[1])
