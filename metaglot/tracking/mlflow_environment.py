"""MLflow's variables of the environment: our defaults, and the limits of those that decide how long it waits.

They are set and checked before mlflow is imported, since mlflow reads some of them then.
"""

import os
from typing import Any

from metaglot.core.common.errors import UserError

SET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",  # else a run would be closed before its numbers are stored
}
DEFAULTS = {
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
IGNORED = ("MLFLOW_ACTIVE_MODEL_ID", "_MLFLOW_ACTIVE_MODEL_ID")  # a logged model, to which it would link our metrics
CHOICES = {
    "MLFLOW_LOGGING_LEVEL": ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET"),
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": ("QueuePool", "NullPool", "StaticPool"),
}
LIMITS = {  # beyond them MLflow waits for minutes, or fails without naming the variable
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": (0, 10),
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": (0, 10),
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": (0, 10),
    "MLFLOW_HTTP_REQUEST_TIMEOUT": (1, 3600),
    "MLFLOW_HTTP_POOL_CONNECTIONS": (1, 1000),
    "MLFLOW_HTTP_POOL_MAXSIZE": (1, 1000),
    "MLFLOW_HTTP_TCP_KEEPALIVE_IDLE": (1, 32767),
    "MLFLOW_HTTP_TCP_KEEPALIVE_INTERVAL": (1, 32767),
    "MLFLOW_HTTP_TCP_KEEPALIVE_COUNT": (1, 127),
    "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": (0, 1000),
    "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": (-1, 1000),
    "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": (-1, 1_000_000),
    "MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH": (100, 10_000),
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": (1, 86_400),
}
KINDS = {int: "a whole number", float: "a number", bool: "true or false"}


def set_environment() -> None:
    """Make MLflow quiet, quick to give up, and synchronous; refuse a value that is none of those it takes."""
    os.environ.update(SET)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for name in IGNORED:
        os.environ.pop(name, None)
    for name, choices in CHOICES.items():
        value = os.environ.get(name, choices[0])
        if value not in (*choices, *map(str.lower, choices)):
            raise UserError(f"{name}: got {value!r}; takes {', '.join(choices)}")


def check_variable(variable: Any) -> None:
    """Refuse a variable that MLflow would fail to read or wait for, by its name. variable: MLflow's declaration."""
    low, high = LIMITS.get(variable.name, (None, None))
    try:
        value = variable.get()
        valid = low is None or high is None or low <= value <= high
    except ValueError:
        valid = False
    if not valid:
        kind = KINDS.get(variable.type, "another kind of value")
        limits = "" if low is None else f" from {low} to {high}"
        raise UserError(f"{variable.name}: got {os.environ[variable.name]!r}; takes {kind}{limits}")
