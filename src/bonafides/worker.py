"""`python -m bonafides.worker` is one of the processes that `bonafides serve --workers N` starts."""

from __future__ import annotations

import pickle
import socket
import sys

from bonafides.app import Orders, work
from bonafides.errors import AppError
from bonafides.supervision import Channel, receive_hello


def main() -> int:
    """Work for the supervisor whose channel is the file descriptor of the first argument; the exit status."""
    end = socket.socket(fileno=int(sys.argv[1]))
    orders: Orders = pickle.loads(receive_hello(end))  # noqa: S301 - from the parent process, over a socket pair
    try:
        return work(orders, Channel(end))
    except AppError as error:
        sys.stderr.write(f"{error.public}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
