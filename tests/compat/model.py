"""Botocore's model of SSM as a judge: what a request or an answer breaks of it.

The model is data that AWS publishes. Botocore's parser takes what it knows and drops the rest without a word,
so that a wrong name or type in an answer looks like an absent member; here it is an error.
"""

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session

SESSION = botocore.session.get_session()
SSM = SESSION.get_service_model("ssm")

COMMAND_OPERATIONS = (
    "SendCommand",
    "CancelCommand",
    "ListCommands",
    "ListCommandInvocations",
    "GetCommandInvocation",
)
AUTOMATION_OPERATIONS = (
    "StartAutomationExecution",
    "StopAutomationExecution",
    "SendAutomationSignal",
    "GetAutomationExecution",
    "DescribeAutomationExecutions",
    "DescribeAutomationStepExecutions",
)
OPERATIONS = COMMAND_OPERATIONS + AUTOMATION_OPERATIONS

# Errors of every service; the model names only an operation's own.
COMMON_ERRORS = {
    "AccessDeniedException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationException",
}

# Where SSM's own answers break SSM's model; `test_model.py` reads answers that AWS recorded.
# These texts are empty where nothing was asked for, whatever their shape says of length, pattern or enum.
EMPTY = {"CloudWatchLogGroupName", "DocumentVersion", "NotificationType", "S3BucketName", "S3Region"}
# And these constraints are not held at all.
UNHELD = {
    (
        "StringDateTime",
        "pattern",
    ): "it allows one digit of a second; recorded are three, and durations (PT0.091S)",
    ("AutomationParameterMap", "min"): "recorded outputs and parameters may be none",
    ("AutomationParameterValue", "min"): "recorded is an empty AutomationAssumeRole",
    ("AutomationParameterValue", "max"): "an output is as long as what a node printed",
    ("AutomationParameterValueList", "max"): "an output may list a whole fleet",
}


def broken(shape: Any, value: Any, path: str = "", *, request: bool = False) -> Iterator[str]:
    """What `value` breaks of `shape`, each as `path: what`.

    In a request an unknown member and a null are as if they were not there, as AWS's services have it; in an
    answer neither may be.
    """
    if value is None:
        yield f"{path}: null"
        return
    judge = {
        "structure": _structure,
        "list": _list,
        "map": _map,
        "string": _string,
        "integer": _integer,
        "long": _integer,
        "boolean": _boolean,
        "timestamp": _timestamp,
    }[shape.type_name]
    yield from judge(shape, value, path, request)


def _structure(shape: Any, value: Any, path: str, request: bool) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {_kind(value)}, not an object"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{name}: missing"
    for name, member in value.items():
        if name in shape.members:
            if not (request and member is None):
                yield from broken(shape.members[name], member, f"{path}.{name}", request=request)
        elif not request:
            yield f"{path}.{name}: unknown"


def _list(shape: Any, value: Any, path: str, request: bool) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {_kind(value)}, not a list"
        return
    yield from _size(shape, len(value), path, request)
    for index, member in enumerate(value):
        yield from broken(shape.member, member, f"{path}[{index}]", request=request)


def _map(shape: Any, value: Any, path: str, request: bool) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {_kind(value)}, not a map"
        return
    yield from _size(shape, len(value), path, request)
    for key, member in value.items():
        yield from broken(shape.key, key, f"{path} key", request=request)
        yield from broken(shape.value, member, f"{path}{{{key}}}", request=request)


def _string(shape: Any, value: Any, path: str, request: bool) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: {_kind(value)}, not a text"
        return
    if not value and not request and shape.name in EMPTY:
        return
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield f"{path}: {value!r} is none of {enum}"
    yield from _size(shape, len(value), path, request)
    pattern = shape.metadata.get("pattern")
    if pattern and _held(shape, "pattern", request) and not re.search(python_pattern(pattern), value):
        yield f"{path}: {value!r} does not match {pattern}"


def _integer(shape: Any, value: Any, path: str, request: bool) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{path}: {_kind(value)}, not a whole number"
        return
    bits = 31 if shape.type_name == "integer" else 63
    if not -(2**bits) <= value < 2**bits:
        yield f"{path}: more than {bits + 1} bits"
    yield from _size(shape, value, path, request)


def _boolean(_shape: Any, value: Any, path: str, _request: bool) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{path}: {_kind(value)}, not true or false"


def _timestamp(_shape: Any, value: Any, path: str, _request: bool) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{path}: {_kind(value)}, not seconds since 1970"
    elif not 0 <= value < 5_000_000_000:
        yield f"{path}: {value} is no second of this or the next century"


def _size(shape: Any, size: int, path: str, request: bool) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low and _held(shape, "min", request):
        yield f"{path}: {size}, less than {low}"
    if high is not None and size > high and _held(shape, "max", request):
        yield f"{path}: {size}, more than {high}"


def _held(shape: Any, constraint: str, request: bool) -> bool:
    return request or (shape.name, constraint) not in UNHELD


def python_pattern(pattern: str) -> str:
    """Java's classes of letters, separators and numbers, which Python's `re` does not know, in words it does.

    `$` at the end would let a line feed pass.
    """
    python = pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
    return re.sub(r"(?<!\\)\$(?=$|\)|\|)", r"\\Z", python)


def _kind(value: Any) -> str:
    return "a null" if value is None else f"{value!r:.60} ({type(value).__name__})"


def lost(shape: Any, raw: Any, parsed: Any, path: str = "") -> Iterator[str]:
    """What botocore's parser did not take over from an answer."""
    if shape.type_name == "structure":
        for name, member in raw.items():
            if name not in parsed:
                yield f"{path}.{name}: not taken over"
            else:
                yield from lost(shape.members[name], member, parsed[name], f"{path}.{name}")
    elif shape.type_name == "list":
        if len(raw) != len(parsed):
            yield f"{path}: {len(parsed)} of {len(raw)} taken over"
        for index, (one, other) in enumerate(zip(raw, parsed, strict=False)):
            yield from lost(shape.member, one, other, f"{path}[{index}]")
    elif shape.type_name == "map":
        if raw.keys() != parsed.keys():
            yield f"{path}: other keys"
        for key in raw.keys() & parsed.keys():
            yield from lost(shape.value, raw[key], parsed[key], f"{path}{{{key}}}")
    elif raw == parsed:
        # So it is with the CLI's timestamps, too: it prints them as they came.
        return
    elif shape.type_name == "timestamp":
        if not isinstance(parsed, datetime.datetime) or abs(parsed.timestamp() - raw) > 0.001:
            yield f"{path}: {raw} became {parsed}"
    else:
        yield f"{path}: {raw!r} became {parsed!r}"


def answer_problems(operation: Any, body: bytes, parsed: Any) -> Iterator[str]:
    """What is wrong with a successful answer: its JSON by the model, and botocore's reading of it."""
    shape = operation.output_shape
    raw = _object(body)
    if isinstance(raw, str):
        yield raw
    elif shape is None:
        if raw:
            yield f"{raw!r}: the operation answers nothing"
    else:
        problems = list(broken(shape, raw))
        yield from problems
        if not problems:
            yield from lost(shape, raw, parsed)


def error_problems(operation: Any, body: bytes) -> Iterator[str]:
    """What is wrong with an error: its code is the operation's or a common one, its members its shape's."""
    raw = _object(body)
    if isinstance(raw, str):
        yield raw
        return
    code = raw.pop("__type", None)
    own = {shape.error_code: shape for shape in operation.error_shapes}
    if code in own:
        shape = own[code]
        # Botocore reads `message` where a shape has none.
        raw = {name: value for name, value in raw.items() if name != "message" or "message" in shape.members}
        yield from broken(shape, raw)
    elif code not in COMMON_ERRORS:
        yield f"{code}: neither an error of {operation.name} nor a common one"
    elif not isinstance(raw.get("message"), str) or raw.keys() - {"message"}:
        yield f"{code} with {sorted(raw)}: it has a message, and nothing else"


def _object(body: bytes) -> dict[str, Any] | str:
    try:
        raw = json.loads(body.decode("utf-8"))
    except ValueError as error:
        return f"not JSON: {error}: {body[:200]!r}"
    return raw if isinstance(raw, dict) else f"not an object: {body[:200]!r}"


def members(shape: Any, prefix: str = "") -> Iterator[str]:
    """The paths of all members a shape can have, however deep; each shape once on a path."""
    yield from _members(shape, prefix, ())


def _members(shape: Any, prefix: str, above: tuple[str, ...]) -> Iterator[str]:
    if shape.name in above:
        return
    above = (*above, shape.name)
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            path = f"{prefix}.{name}" if prefix else name
            yield path
            yield from _members(member, path, above)
    elif shape.type_name == "list":
        yield from _members(shape.member, prefix, above)
    elif shape.type_name == "map":
        yield from _members(shape.value, prefix, above)


def used(shape: Any, value: Any, prefix: str = "") -> Iterator[str]:
    """The paths of the members a request uses, written as `members` writes them."""
    if shape.type_name == "structure":
        for name, member in value.items():
            path = f"{prefix}.{name}" if prefix else name
            yield path
            yield from used(shape.members[name], member, path)
    elif shape.type_name == "list":
        for member in value:
            yield from used(shape.member, member, prefix)
    elif shape.type_name == "map":
        for member in value.values():
            yield from used(shape.value, member, prefix)
