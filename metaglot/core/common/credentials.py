"""Text without credentials: every address and reason passes through here before it is shown or recorded."""

import os
import re
from urllib.parse import unquote

# All up to the last @ of a word is taken for a user and a password, which may contain @ and / themselves.
USERINFO = re.compile(r"(?P<scheme>\b[A-Za-z][\w+.-]*://)[^\s'\"<>]*@")
NAMED = r"[\w-]*(?:token|password|passwd|pwd|secret|api_?key|access_?key|signature|credential)[\w-]*"
QUERY = re.compile(rf"(?P<name>[?&;]{NAMED}=)[^\s&;'\"]+", re.IGNORECASE)
ADDRESSES = re.compile(r"MLFLOW_TRACKING_URI|MLFLOW_REGISTRY_URI|OMNIGLOT_MIRROR|\w+_PROXY", re.IGNORECASE)
SECRETS = re.compile(r"MLFLOW_TRACKING_(PASSWORD|TOKEN)|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN")


def without_credentials(text: str) -> str:
    """The text without user names and passwords in addresses, secret query values, and secrets of the environment."""
    for secret in _secrets():
        text = text.replace(secret, "***")
    text = USERINFO.sub(lambda match: match["scheme"], text)
    return QUERY.sub(lambda match: f"{match['name']}***", text)


def _secrets() -> list[str]:
    """Passwords that the environment holds, as they are written and as libraries decode them; the longest first."""
    secrets = set()
    for name, value in os.environ.items():
        if SECRETS.fullmatch(name):
            secrets.add(value)
        elif ADDRESSES.fullmatch(name) and (match := USERINFO.search(value)):
            userinfo = match[0].removeprefix(match["scheme"]).removesuffix("@")
            user, _, password = userinfo.partition(":")
            secrets.add(password or user)
    both = secrets | {unquote(secret) for secret in secrets}
    return sorted((secret for secret in both if len(secret) > 2), key=len, reverse=True)
