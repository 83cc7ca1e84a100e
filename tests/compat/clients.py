"""The clients people have: boto3, the aws CLI in this process, and the bare protocol.

Every answer that boto3 or the CLI gets is held against botocore's model on its way; what is wrong with it is
noted, and fails the test that asked.
"""

import contextlib
import http.client
import io
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import botocore.session
from awscli.clidriver import create_clidriver
from botocore.exceptions import ClientError

import model

REGION = "eu-central-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_CONFIG_FILE": str(Path(__file__).parent / "aws-config"),
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_PAGER": "",
}


@dataclass
class Judge:
    """Holds what clients are answered against the model."""

    problems: list[str] = field(default_factory=list)
    judged: int = 0

    def watch(self, events: Any) -> None:
        events.register("response-received.ssm", self._judge)

    def _judge(self, event_name: str, response_dict: Any, parsed_response: Any, **_: Any) -> None:
        operation = model.SSM.operation_model(event_name.rpartition(".")[2])
        if response_dict is None:
            return
        self.judged += 1
        status, body = response_dict["status_code"], response_dict["body"]
        if status == 200:
            found = model.answer_problems(operation, body, parsed_response)
        elif status == 400:
            found = model.error_problems(operation, body)
        else:
            found = iter([f"HTTP status {status}: {body[:200]!r}"])
        self.problems += [f"{operation.name}{problem}" for problem in found]

    def verdict(self) -> list[str]:
        """What was found since the last verdict, each once."""
        found = list(dict.fromkeys(self.problems))
        self.problems.clear()
        return found


JUDGE = Judge()


def boto3_client(service: str, url: str, key: str = "test", attempts: int = 1) -> Any:
    """A client of boto3 as people make it."""
    config = botocore.config.Config(
        retries={"total_max_attempts": attempts, "mode": "standard"}, connect_timeout=5, read_timeout=30
    )
    session = boto3.session.Session(
        aws_access_key_id=key,
        aws_secret_access_key=key,
        region_name=REGION,
        botocore_session=_fresh_session(),
    )
    client = session.client(service, endpoint_url=url, config=config)
    if service == "ssm":
        JUDGE.watch(client.meta.events)
    return client


def _fresh_session() -> Any:
    session = botocore.session.Session()
    # Botocore's data is read from disk again by each session, unless they share what reads it.
    session.register_component("data_loader", model.SESSION.get_component("data_loader"))
    return session


def error_code(call: Any, **parameters: Any) -> str | None:
    """The code of the error that a call is refused with; `None`: it isn't."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


class Cli:
    """The aws CLI in this process: its own arguments, its own output, without its second of start-up."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._driver = create_clidriver()
        JUDGE.watch(self._driver.session)

    def run(self, *arguments: str, output: str = "json") -> "CliResult":
        everything = ["--endpoint-url", self._url, "--output", output, "--region", REGION, *arguments]
        stdout, stderr = _Text(), _Text()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            status = self._driver.main(everything)
        return CliResult(status, stdout.getvalue(), stderr.getvalue())

    def call(self, operation: str, parameters: dict[str, Any]) -> "CliResult":
        """Calls an operation with each parameter as an option of its own, as people type it."""
        return self.run("ssm", kebab(operation), *options(operation, parameters))


class _Text(io.TextIOWrapper):
    """A text stream with the `buffer` that the CLI writes bytes to."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def getvalue(self) -> str:
        return self.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]


@dataclass
class CliResult:
    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.status == 0, self.stderr
        return json.loads(self.stdout) if self.stdout.strip() else {}

    @property
    def error_code(self) -> str | None:
        found = re.search(r"An error occurred \((\w+)\)", self.stderr)
        return found.group(1) if found else None


def kebab(name: str) -> str:
    return botocore.xform_name(name, "-")


def options(operation: str, parameters: dict[str, Any]) -> list[str]:
    """The command line for these parameters."""
    shape = model.SSM.operation_model(operation).input_shape
    line = []
    for name, value in parameters.items():
        option = f"--{kebab(name)}"
        if shape.members[name].type_name == "boolean":
            line.append(option if value else f"--no-{kebab(name)}")
        elif isinstance(value, dict | list):
            line += [option, json.dumps(value)]
        else:
            line += [option, str(value)]
    # The CLI pages through lists by itself; here the pages are what is looked at.
    if model.SESSION.get_paginator_model("ssm")._paginator_config.get(operation):
        line.append("--no-paginate")
    return line


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body.decode("utf-8"))


class Wire:
    """The bare protocol over one connection that is kept."""

    def __init__(self, url: str, timeout: float = 20) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)

    def post(self, target: str | None, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        return self.send("POST", "/", body, wire_headers(target) | (headers or {}))

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        try:
            self._connection.request(method, path, body=body, headers=headers)
            response = self._connection.getresponse()
            answer = Answer(
                response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()
            )
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return answer

    def close(self) -> None:
        self._connection.close()


def wire_headers(target: str | None, key: str = "test") -> dict[str, str]:
    """What an SDK sends with a request; the signature is none."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/ssm/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
        "X-Amz-Date": "20260101T000000Z",
    }
    return headers if target is None else headers | {"X-Amz-Target": target}
