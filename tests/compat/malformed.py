"""Malformed requests, made of botocore's model: the same ones each time.

A request that has every member is spoilt in one place. Where the model itself says that the result is none of
its operation's requests, it is `forbidden`, and a service that takes it has not looked.
"""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import model

SEED = 20_260_101


@dataclass(frozen=True)
class Malformed:
    """`target` is the X-Amz-Target header, if there is one."""

    kind: str
    operation: str
    method: str
    target: str | None
    body: bytes
    headers: tuple[tuple[str, str], ...]
    forbidden: bool
    where: str = ""

    def __str__(self) -> str:
        what = self.where or f"{self.body[:200]!r} {dict(self.headers)}"
        return f"{self.kind}: {self.method} {self.target} {what}"


# A text of each pattern that the requests' shapes have.
EXAMPLES = {
    "InstanceId": "i-0000000000000aaaa",
    "TargetKey": "tag:Role",
    "DocumentARN": "AWS-RunShellScript",
    "DocumentVersion": "1",
    "MaxConcurrency": "10",
    "MaxErrors": "0",
    "AlarmName": "alarm",
    "IdempotencyToken": "7d1a3f2e-0000-4000-8000-000000000000",
    "TargetLocationsURL": "https://accounts.s3.eu-central-1.amazonaws.com/list.json",
    "ExecutionRoleName": "role",
    "ExcludeAccount": "123456789012",
    "TagKey": "Team",
    "TagValue": "platform",
    "CommandId": "7d1a3f2e-0000-4000-8000-000000000000",
    "AutomationExecutionId": "7d1a3f2e-0000-4000-8000-000000000000",
}


def well_formed(shape: Any) -> Any:
    """A value of this shape that has all it can have."""
    match shape.type_name:
        case "structure":
            return {name: well_formed(member) for name, member in shape.members.items()}
        case "list":
            return [well_formed(shape.member)]
        case "map":
            return {"commands": well_formed(shape.value)}
        case "boolean":
            return True
        case "integer" | "long":
            return shape.metadata.get("min", 1)
        case "string":
            if "enum" in shape.metadata:
                return shape.metadata["enum"][0]
            return EXAMPLES.get(shape.name, "x" * max(shape.metadata.get("min", 0), 1))
    raise ValueError(shape.type_name)


# Of these members a request has one, or it is refused for that.
EITHER = {"SendCommand": [("InstanceIds", "Targets")]}

# Ways to spoil one value: from its shape, the value and chance, another value.
Spoil = Callable[[Any, Any, random.Random], Any]
NESTED: Any = "x"
for _ in range(200):
    NESTED = [NESTED]
OF_EACH_TYPE = [
    "text",
    "",
    7,
    -1,
    1.5,
    True,
    False,
    [],
    {},
    [[]],
    [{}],
    {"a": {"b": []}},
    ["x"],
    {"key": "value"},
]


def _wrong_type(_shape: Any, value: Any, chance: random.Random) -> Any:
    return chance.choice([other for other in OF_EACH_TYPE if type(other) is not type(value)])


def _too_much(shape: Any, value: Any, chance: random.Random) -> Any:
    high = shape.metadata.get("max", 70_000)
    more = chance.choice([high + 1, high + 1, high * 2 + 1])
    match value:
        case str():
            return "x" * more
        case list():
            return (value or ["x"]) * min(more, 3_000)
        case dict():
            return value | {
                f"Name{number}": next(iter(value.values()), "x") for number in range(min(more, 3_000))
            }
        case bool():
            return 2
        case _:
            return more


def _too_little(shape: Any, value: Any, _chance: random.Random) -> Any:
    low = shape.metadata.get("min", 0)
    match value:
        case str():
            return value[: max(low - 1, 0)]
        case list():
            return []
        case dict():
            return {}
        case bool():
            return 0
        case _:
            return low - 1


def _odd_text(_shape: Any, value: Any, chance: random.Random) -> Any:
    odd = [
        "",
        " ",
        "\x00",
        "\n",
        "ä",
        "𝄞",
        "$",
        "{{x}}",
        "../..",
        "%s",
        "'",
        '"',
        "<",
        "\u202e",
        "\ufeff",
        "\x7f",
        "NaN",
    ]
    if isinstance(value, str):
        return chance.choice(
            [chance.choice(odd), value + chance.choice(odd), chance.choice(odd) + value, value.swapcase()]
        )
    return chance.choice(odd)


def _huge_number(_shape: Any, _value: Any, chance: random.Random) -> Any:
    return chance.choice(
        [2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, -1e308, 1e-320, float("inf"), float("nan")]
    )


def _nested(_shape: Any, _value: Any, _chance: random.Random) -> Any:
    return NESTED


def _null(_shape: Any, _value: Any, _chance: random.Random) -> Any:
    return None


def _missing(_shape: Any, _value: Any, _chance: random.Random) -> Any:
    return MISSING


def _unknown(_shape: Any, value: Any, chance: random.Random) -> Any:
    name = chance.choice(["Unknown", "commandId", "__type", "", "constructor", "ä"])
    return value | {name: chance.choice(OF_EACH_TYPE)} if isinstance(value, dict) else {name: value}


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()
VALUES: dict[str, Spoil] = {
    "wrong type": _wrong_type,
    "too much": _too_much,
    "too little": _too_little,
    "odd text": _odd_text,
    "huge number": _huge_number,
    "deeply nested": _nested,
    "null": _null,
    "missing": _missing,
    "unknown member": _unknown,
}

# Ways to spoil the body; each makes something that is no JSON object.
BODIES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut body": lambda body, chance: body[: chance.randrange(1, len(body))],
    "body goes on": lambda body, chance: body + chance.choice([b"}", b"{}", b"x", b"\x00"]),
    "no UTF-8": lambda body, chance: body.replace(b'"', b'"\xff\xfe', chance.randrange(1, 9)),
    "half a surrogate": lambda body, _: body.replace(b'"', b'"\\ud800', 1),
    "UTF-16": lambda body, _: body.decode().encode("utf-16"),
    "no object": lambda _, chance: chance.choice(
        [b"[]", b"null", b'"text"', b"7", b"true", b"[{}]", b"[null]"]
    ),
    "no JSON": lambda _, chance: chance.choice(
        [
            b"<xml/>",
            b"a=b&c=d",
            b"{'a': 1}",
            b"{a: 1}",
            b"\x00",
            b"{",
            b" ",
            b"//",
            b'{"a": 01}',
            b"\xef\xbb\xbf{}",
        ]
    ),
    "deep body": lambda _, chance: chance.choice([b"[", b'{"a":']) * chance.choice([200, 5_000, 50_000]),
}

# Ways to spoil the call around the body: method, target, body, headers.
Around = tuple[str, str | None, bytes, tuple[tuple[str, str], ...]]


def _target(target: str | None) -> Callable[[str, bytes, random.Random], Around]:
    return lambda _operation, body, _chance: ("POST", target, body, ())


CALLS: dict[str, Callable[[str, bytes, random.Random], Around]] = {
    "no target": _target(None),
    "empty target": _target(""),
    "another service": lambda operation, body, chance: (
        "POST",
        chance.choice(
            [f"AmazonEC2.{operation}", f"amazonssm.{operation}", f"AmazonSSM{operation}", operation]
        ),
        body,
        (),
    ),
    "another operation": lambda operation, body, chance: (
        "POST",
        "AmazonSSM."
        + chance.choice(
            ["", operation.lower(), f"{operation}s", "Delete*", "\xe4", "x" * 5_000, f".{operation}"]
        ),
        body,
        (),
    ),
    "no body": lambda operation, _body, _chance: ("POST", f"AmazonSSM.{operation}", b"", ()),
    "another method": lambda operation, body, chance: (
        chance.choice(["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"]),
        f"AmazonSSM.{operation}",
        body,
        (),
    ),
    "another content type": lambda operation, body, chance: (
        "POST",
        f"AmazonSSM.{operation}",
        body[: len(body) // 2],
        (
            (
                "Content-Type",
                chance.choice(["text/xml", "application/x-www-form-urlencoded", "multipart/form-data", ""]),
            ),
        ),
    ),
    "odd credentials": lambda operation, body, chance: (
        "POST",
        f"AmazonSSM.{operation}",
        body[: len(body) // 2],
        (
            (
                "Authorization",
                chance.choice(
                    ["", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "x" * 5_000]
                ),
            ),
        ),
    ),
}


def requests(operations: Iterable[str], count: int) -> list[Malformed]:
    """`count` malformed requests for these operations, of all kinds."""
    chance = random.Random(SEED)
    operations = tuple(operations)
    kinds = [*VALUES] * 4 + [*BODIES] + [*CALLS]
    return [
        _request(kinds[number % len(kinds)], chance.choice(operations), chance) for number in range(count)
    ]


def _request(kind: str, operation: str, chance: random.Random) -> Malformed:
    shape = model.SSM.operation_model(operation).input_shape
    whole = well_formed(shape)
    for members in EITHER.get(operation, ()):
        del whole[chance.choice(members)]
    target = f"AmazonSSM.{operation}"
    if kind in VALUES:
        spoilt, where = _spoilt(shape, whole, VALUES[kind], chance)
        body = json.dumps(spoilt, ensure_ascii=chance.random() < 0.5).encode()
        return Malformed(kind, operation, "POST", target, body, (), _is_forbidden(shape, body), where)
    body = json.dumps(whole).encode()
    if kind in BODIES:
        return Malformed(
            kind, operation, "POST", target, BODIES[kind](body, chance), (), kind != "half a surrogate"
        )
    method, other, body, headers = CALLS[kind](operation, body, chance)
    # Without a body it is a request without members, which some operations take.
    forbidden = bool(shape.required_members) if kind == "no body" else True
    return Malformed(kind, operation, method, other, body, headers, forbidden)


def _is_forbidden(shape: Any, body: bytes) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        read = json.loads(body, parse_constant=refuse)
    except ValueError:
        return True  # NaN and Infinity are no JSON.
    return any(model.broken(shape, read, request=True))


def _spoilt(shape: Any, whole: Any, spoil: Spoil, chance: random.Random) -> tuple[Any, str]:
    """A copy of `whole` with one value of it spoilt, and which that is."""
    path, at = chance.choice([*_places(shape, whole, ())])
    value = whole
    for step in path:
        value = value[step]
    new = spoil(at, value, chance)
    where = f"{'.'.join(map(str, path))} is {new!r:.100}"
    if not path:
        return ({} if new is MISSING else new), where
    return _replaced(whole, path, new), where


def _places(shape: Any, value: Any, path: tuple[Any, ...]) -> Iterable[tuple[tuple[Any, ...], Any]]:
    yield path, shape
    if isinstance(value, dict):
        for key, member in value.items():
            inner = shape.members[key] if shape.type_name == "structure" else shape.value
            yield from _places(inner, member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places(shape.member, member, (*path, index))


def _replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    first, rest = path[0], path[1:]
    copy = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[first] = _replaced(value[first], rest, new)
    elif new is MISSING:
        del copy[first]
    else:
        copy[first] = new
    return copy
