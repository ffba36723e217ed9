"""Opening the installation for one verb, and who it is that runs the verb."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passflow.installation import Installation


@contextmanager
def open_installation(*, create_keys: bool = False) -> Iterator[Installation]:
    """The installation of the working directory, closed at the end.

    Args:
        create_keys: make the master keys and the store where they are missing.

    Raises:
        ConfigError, StoreError, CryptoError: it cannot be opened.
    """
    from passflow.installation import Installation

    with Installation.open(create_keys=create_keys) as installation:
        yield installation


def actor() -> str:
    """Who runs the verb, for the audit: user and machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def holder() -> str:
    """Who holds a lease, for whoever waits for it: user, machine and process."""
    return f"{actor()} pid {os.getpid()}"
