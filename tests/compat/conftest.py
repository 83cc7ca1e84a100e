"""Fleetwright under the clients people have.

These tests start `fleetwright local` and use it as people use an account: with boto3 and the aws CLI, as
PyPI has them (`requirements.txt`). Its `aws` port is the embedded cloud, in which SSM is the simulated
service; its `api` port is Fleetwright's own API, which speaks the same protocol.

    cargo xtask compat                        builds the binary, installs the clients, runs all of it
    cargo xtask compat -k paginators -x       the same with options for pytest

What is proved, and where:

    test_model.py           that the judge finds mistakes: an unknown member, a text where a number belongs, …
    test_parameters.py      every operation, with every parameter, through boto3 and through the aws CLI
    test_stories.py         what a command and an execution look like from sending them to their end
    test_pages.py           paginators give all there is once, tokens are good for one request
    test_alike.py           our API and SSM itself answer the same calls alike
    test_retries.py         what an SDK repeats is done once
    test_malformed.py       thousands of malformed requests get an error, never a failure
    test_cli.py             the aws CLI as a process, its tables and texts
    test_other_services.py  DynamoDB, SNS, SQS, EventBridge and SSM's documents on the aws port

Every answer of SSM in all of them is held against botocore's model (`model.py`, `clients.py`): a test whose
calls are answered with an unknown, missing or mistyped member fails for that.
"""

import os
from collections.abc import Iterator

import pytest

import clients
import local
from world import World

os.environ.update(clients.ENVIRONMENT)


@pytest.fixture(scope="session")
def running() -> Iterator[local.Local]:
    one = local.for_stories()
    yield one
    alive = one.is_running()
    one.end()
    assert alive, "fleetwright local ended by itself"


@pytest.fixture(scope="session")
def api(running: local.Local) -> World:
    """Our API."""
    cloud = clients.boto3_client("ssm", running.aws)
    return World("api", running.api, clients.boto3_client("ssm", running.api), cloud)


@pytest.fixture(scope="session")
def aws(running: local.Local) -> World:
    """The embedded SSM."""
    cloud = clients.boto3_client("ssm", running.aws)
    return World("aws", running.aws, cloud, cloud)


@pytest.fixture(scope="session")
def worlds(api: World, aws: World) -> dict[str, World]:
    return {"api": api, "aws": aws}


@pytest.fixture(scope="session")
def clis(worlds: dict[str, World]) -> dict[str, clients.Cli]:
    return {name: clients.Cli(world.url) for name, world in worlds.items()}


@pytest.fixture(autouse=True)
def answers_are_as_the_model_says() -> Iterator[None]:
    """Fails a test for what SSM answered it, whatever else it was about."""
    clients.JUDGE.verdict()
    yield
    found = clients.JUDGE.verdict()
    assert not found, "answers break botocore's model:\n" + "\n".join(found)
