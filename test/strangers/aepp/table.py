"""The table of steps: what is called, what has to come of it, and why where that is not what Adobe's platform gives."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One call of aepp. `_` in the condition is what it gave, or the exception that it threw."""

    call: str
    expected: str
    #: Where the outcome is not what Adobe's platform gives, or where aepp itself stands in the way: why.
    reason: str = ""
    #: Who still has to mend the simulator; until then the step must not come out as expected.
    waits: str = ""


def refused(answer, status: int) -> bool:
    """An error body of the platform: services differ in their shapes, not in the status."""
    return isinstance(answer, dict) and answer.get("status") == status


def not_simulated(answer) -> bool:
    return isinstance(answer, dict) and answer.get("penstock") == "not simulated"


def is_id(value) -> bool:
    return isinstance(value, str) and len(value) >= 20


def has(answer, **fields) -> bool:
    return isinstance(answer, dict) and all(answer.get(name) == value for name, value in fields.items())


def one(items, **fields):
    """The one entry with these fields; no entry or several are an error."""
    (found,) = [each for each in items if all(each.get(name) == value for name, value in fields.items())]
    return found
