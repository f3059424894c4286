"""Malformed variables of MLflow are one line that names them; nothing makes MLflow wait for very long."""

import os

import pytest
from error_lines import error_line

from metaglot.tracking.mlflow_client import check_environment
from metaglot.tracking.mlflow_environment import DEFAULTS, LIMITS, set_environment


@pytest.mark.parametrize(
    "name, value, takes",
    [
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "abc", "a whole number from 0 to 10"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "99999999", "a whole number from 0 to 10"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "", "a whole number from 0 to 10"),
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "-5", "a whole number from 1 to 3600"),
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "1e9", "a whole number from 1 to 3600"),
        ("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "100", "a whole number from 0 to 10"),
        ("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "nan", "a number from 0 to 10"),
        ("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "inf", "a number from 0 to 10"),
        ("MLFLOW_HTTP_TCP_KEEPALIVE_IDLE", "-5", "a whole number from 1 to 32767"),
        ("MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW", "-9", "a whole number from -1 to 1000"),
        ("MLFLOW_SQLALCHEMYSTORE_ECHO", "yes", "true or false"),
        ("MLFLOW_TRACKING_INSECURE_TLS", "on", "true or false"),
        ("MLFLOW_LOGGING_LEVEL", "loud", "CRITICAL, ERROR"),
        ("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "Pond", "QueuePool, NullPool"),
    ],
)
def test_a_value_out_of_range_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, takes: str
) -> None:
    monkeypatch.setenv(name, value)
    line = error_line(lambda: (set_environment(), check_environment()))
    assert line.startswith(f"{name}: got {value!r}; takes {takes}")


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("end", [0, 1])
def test_both_ends_of_a_range_are_taken(monkeypatch: pytest.MonkeyPatch, name: str, end: int) -> None:
    monkeypatch.setenv(name, str(LIMITS[name][end]))
    check_environment()


def test_mlflow_is_synchronous_and_links_metrics_to_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    monkeypatch.setenv("MLFLOW_ACTIVE_MODEL_ID", "m-1")
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)
    set_environment()
    assert os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] == "false" and "MLFLOW_ACTIVE_MODEL_ID" not in os.environ
    assert {name: os.environ[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize("level", ["debug", "DEBUG"])
def test_a_level_is_taken_in_either_case(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", level)
    set_environment()
