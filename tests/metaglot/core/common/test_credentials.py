"""No password reaches a screen or a record, whatever text it stands in."""

import pytest

from metaglot.core.common.credentials import without_credentials
from metaglot.core.common.errors import UserError


@pytest.mark.parametrize(
    "text, shown",
    [
        ("http://alice:s3cr3t@host:5000/x failed", "http://host:5000/x failed"),
        ("'http://alice:s3@cr3t@host/x'", "'http://host/x'"),
        ("postgresql+psycopg://alice:s3/cr3t@host/name", "postgresql+psycopg://host/name"),
        ("https://s3cr3t@host", "https://host"),
        ("http://host/?token=s3cr3t&a=1", "http://host/?token=***&a=1"),
        ("postgresql://host/name?sslpassword=s3cr3t", "postgresql://host/name?sslpassword=***"),
        ("http://alice:s3?cr#3t@host/x", "http://host/x"),
        ("http://a:s3cr3t@h and http://b:s3cr3t@i", "http://h and http://i"),
        ("write to a@b.c about http://host/x", "write to a@b.c about http://host/x"),
    ],
)
def test_addresses_lose_their_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert str(UserError(text)) == shown


def test_a_password_of_the_environment_is_hidden_wherever_it_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://alice:p%40ss@host:5000")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    monkeypatch.setenv("OMNIGLOT_MIRROR", "http://bareTOKEN@host/x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "t0ken+longer")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "sessi0n")
    monkeypatch.setenv("https_proxy", "http://bob:pr0:xy@host")
    assert without_credentials("t0ken+longer, sessi0n, pr0:xy and t0ken") == "***, ***, *** and ***"
    assert without_credentials("user bareTOKEN was refused") == "user *** was refused"
    assert without_credentials("auth ('alice', 'p@ss') and p%40ss and t0ken") == "auth ('alice', '***') and *** and ***"
