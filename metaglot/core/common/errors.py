"""The one exception that is meant for the user's eyes."""

from metaglot.core.common.credentials import without_credentials


class UserError(Exception):
    """A request that cannot be met: one line that says what is wrong, where, and what would be right."""

    def __init__(self, message: str):
        super().__init__(without_credentials(message))
