"""Malformed requests are refused in words; no request fails the service."""

import http.client
from collections import Counter

import pytest

import clients
import malformed
import model
from malformed import Malformed
from world import World

# Of the requests that reach no operation, and of any that do.
CODES = model.COMMON_ERRORS | {
    error.error_code for name in model.OPERATIONS for error in model.SSM.operation_model(name).error_shapes
}
# A failure of ours is no answer to a mistake of theirs.
CODES -= {"InternalServerError"}


@pytest.mark.parametrize(
    ("endpoint", "operations", "count"),
    [("api", model.OPERATIONS, 2_000), ("aws", model.COMMAND_OPERATIONS, 1_000)],
)
def test_malformed_requests_are_refused(
    worlds: dict[str, World], endpoint: str, operations: tuple[str, ...], count: int
) -> None:
    wire = clients.Wire(worlds[endpoint].url)
    wrong = []
    for request in malformed.requests(operations, count):
        headers = clients.wire_headers(request.target) | dict(request.headers)
        try:
            problem = _problem(request, wire.send(request.method, "/", request.body, headers))
        except (OSError, http.client.HTTPException) as error:
            problem = f"no answer: {error!r}"
        if problem:
            wrong.append((problem, request))
    wire.close()
    assert not wrong, _told(wrong)
    assert worlds[endpoint].ssm.list_commands(MaxResults=1)["Commands"] is not None, (
        "it still answers a good one"
    )


def _told(wrong: list[tuple[str, Malformed]]) -> str:
    """How often what is wrong, with an example or two of each."""
    told = Counter(problem for problem, _ in wrong)
    lines = [f"{len(wrong)} wrong"]
    for problem, count in told.most_common():
        examples = [str(request) for found, request in wrong if found == problem]
        lines += [f"{count} × {problem}", *(f"    {example}" for example in examples[:3])]
    return "\n".join(lines)


# What a value that the model forbids is refused with.
REFUSALS = {"SerializationException", "ValidationException", "InvalidFilterKey", "InvalidNextToken"}


def _problem(request: Malformed, answer: clients.Answer) -> str | None:
    """What is wrong with an answer, if anything is."""
    if answer.status >= 500:
        return f"status {answer.status}"
    try:
        body = answer.json
    except ValueError:
        return f"status {answer.status} without JSON"
    if answer.status == 200:
        return f"{request.kind}: taken" if request.forbidden else None
    code = body.get("__type") if isinstance(body, dict) else None
    expected = REFUSALS if request.forbidden and request.kind not in malformed.CALLS else CODES
    return None if code in expected else f"{request.kind}: status {answer.status} with the code {code}"
