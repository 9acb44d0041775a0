class UsageError(Exception):
    """The command line is wrong."""


class BoardError(Exception):
    """The board cannot go on."""


class PeerError(Exception):
    """One peer has no result for one case: the reason, in a line."""
