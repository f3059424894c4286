"""The one exception that is meant for the user's eyes."""


class UserError(Exception):
    """A request that cannot be met: one line that says what is wrong, where, and what would be right."""
